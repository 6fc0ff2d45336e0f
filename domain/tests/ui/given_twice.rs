use rowstamp_domain::Resource;

#[derive(Resource)]
#[resource(path = "books", path = "volumes", page(max = 5, max = 6))]
#[resource(aggregates)]
#[resource(aggregates)]
struct Book {
    #[field(unique, min_length = 1)]
    #[field(unique)]
    title: String,
}

fn main() {}
