use chrono::NaiveDate;
use rowstamp_domain::Resource;
use rowstamp_domain::value::{Decimal, Json};
use uuid::Uuid;

#[derive(Resource)]
#[resource(path = "books")]
struct Book {
    #[field(min = 1, precision = 2, references = Book, db_type = "a.b")]
    title: String,
    #[field(min_length = 1, pattern = "a", values = ["a"], json = "string")]
    pages: i32,
    #[field(max = "2026-01-01", scale = 2)]
    price: Decimal,
    #[field(max = true)]
    lent: bool,
    #[field(max_length = 10)]
    published_on: Option<NaiveDate>,
    #[field(references = Book)]
    sequels: Vec<Uuid>,
    #[field(min = 0)]
    details: Option<Json>,
    #[field(on_delete = "cascade", read_only, write_only)]
    author_uid: Option<Uuid>,
    #[field(required)]
    note: Option<String>,
    #[field(required = false, values = ["a"], pattern = "a")]
    kind: String,
}

fn main() {}
