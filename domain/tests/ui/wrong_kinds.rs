use rowstamp_domain::Resource;

#[derive(Resource)]
#[resource(path = 5, table, description("a"), aggregates = "yes", page = 5)]
#[resource(unique = ["title"], audit(created_at, uid = false, actor = "uid"))]
struct Book {
    #[field(unique = 1, min_length = "1", max_length = -1, column = title, json = "text")]
    title: i64,
    #[field(min = 3000000000, max = 1.5, default = "1")]
    pages: i32,
    #[field(precision = 70000, default = Draft)]
    price: rowstamp_domain::value::Decimal,
    #[field(default = "yes", example)]
    lent: bool,
    #[field(min = 2026, default())]
    published_on: Option<chrono::NaiveDate>,
    #[field(default = "a", values = "a", max_length =)]
    tags: Option<Vec<String>>,
    #[field(references = "authors" "books", on_delete = "drop")]
    author_uid: Option<uuid::Uuid>,
    #[field = "a"]
    note: Option<String>,
    #[field(5, "a" = 1, min_length: 1, unique unique)]
    other: Option<String>,
}

fn main() {}
