use rowstamp_domain::Resource;

#[derive(Resource)]
#[resource(path = "books", access(read, create = owner, update = [], delete = { any = ["a"] }))]
struct Book {
    #[field(read = "", write = [1, "owner", some("a")])]
    title: String,
    #[field(read = all(), write("owner"))]
    isbn: String,
}

fn main() {}
