use rowstamp_domain::Resource;

#[derive(Resource)]
struct BookLoan {
    book: String,
}

#[derive(Resource)]
#[resource(path = "book-loans")]
struct WithoutName {
    book: String,
}

#[derive(Resource)]
#[resource(path = "books", unique(["title", "shelf"], ["titel"], []))]
struct Book {
    title: String,
    uid: uuid::Uuid,
    #[field(name = "title")]
    subtitle: String,
    #[field(name = "last edition")]
    edition: i32,
    größe: i32,
}

fn main() {}
