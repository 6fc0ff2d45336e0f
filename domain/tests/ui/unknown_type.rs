use rowstamp_domain::Resource;

struct Shelf;

#[derive(Resource)]
#[resource(path = "books")]
struct Book {
    title: String,
    shelf: Shelf,
    #[field(references = Shelf)]
    shelf_uid: uuid::Uuid,
}

fn main() {}
