//! The library declared in Rust: structs, rules, a hook, and the whole `rowstamp` command around them.
//!
//! ```text
//! cargo run -p rowstamp-local --example library
//! cargo run -p rowstamp-local --example library -- openapi
//! ```

use std::process::ExitCode;

use rowstamp_local::prelude::*;

/// Somebody who has written a book
#[derive(Resource)]
#[resource(path = "authors", access(read = "anyone", create = "authenticated", update = ["owner", "group:librarians"], delete = "group:librarians"))]
struct Author {
    #[field(min_length = 1, max_length = 200)]
    name: String,
    born_on: Option<Date>,
}

#[derive(ResourceEnum)]
enum Status {
    Draft,
    Published,
}

/// A book on the shelves
#[derive(Resource)]
#[resource(path = "books", page(max = 500),
           access(read = "anyone", create = "authenticated", update = ["owner", "group:librarians"], delete = "group:librarians"))]
struct Book {
    #[field(min_length = 1, max_length = 200)]
    title: String,
    #[field(unique, pattern = "^[0-9]{13}$")]
    isbn: Option<String>,
    #[field(min = 1)]
    pages: Option<i32>,
    #[field(precision = 10, scale = 2, min = 0, default = 0)]
    price: Decimal,
    #[field(default = "draft")]
    status: Status,
    tags: Option<Vec<String>>,
    #[field(references = Author)]
    author_uid: Option<Uuid>,
}

/// Who has borrowed what; readers see their own loans, librarians all of them
#[derive(Resource)]
#[resource(path = "loans",
           access(read = ["owner", "group:librarians"], create = "authenticated", update = "group:librarians", delete = "group:librarians"))]
struct Loan {
    #[field(references = Book, immutable)]
    book_uid: Uuid,
    due_on: Date,
    returned_at: Option<Timestamp>,
}

/// What the library thinks about books beyond their types.
struct BookHooks;

#[async_trait]
impl Hooks for BookHooks {
    fn points(&self) -> HookPoints {
        HookPoints {
            before_create: true,
            ..HookPoints::NONE
        }
    }

    async fn before_create(&self, _context: &HookContext, change: &mut Record) -> Result<(), Refusal> {
        // What is given has not been validated yet, so nothing may be taken for granted.
        let Some(Value::Text(title)) = change.get("title") else {
            return Ok(());
        };
        let title = title.trim().to_owned();
        if title.eq_ignore_ascii_case("untitled") {
            return Err(Refusal::unprocessable(
                "UNTITLED",
                "a book needs a title of its own",
            ));
        }
        let set = change.set("title", Value::Text(title));
        debug_assert!(set.is_ok(), "books have a title");
        Ok(())
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let api = Api::new("Library", "1.0.0")
        .resource::<Author>()
        .resource_with::<Book>(BookHooks)
        .resource::<Loan>();
    rowstamp_local::run(api).await
}
