use rowstamp_domain::Resource;

#[derive(Resource)]
#[resource(pth = "books", banana)]
#[resource(page(maximum = 5), access(insert = "owner"), audit(id = "id"))]
struct Book {
    #[field(max_lenght = 5, regex = "^a", type = "text")]
    title: String,
    #[field(rename = "b", nullable)]
    isbn: Option<String>,
}

fn main() {}
