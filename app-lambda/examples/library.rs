//! A library, declared in Rust: authors and their books, with a hook that keeps the catalogue tidy.
//!
//! Build it as a function with `cargo lambda build --release --example library`; it runs on Lambda, or against an emulator of its
//! Runtime API. `DATABASE_URL` says where the rows are.

use std::process::ExitCode;

use rowstamp_lambda::prelude::*;

#[derive(Resource)]
#[resource(
    path = "authors",
    description = "Somebody who has written a book",
    access(read = "anyone")
)]
struct Author {
    #[field(min_length = 1, max_length = 200)]
    name: String,
    born_on: Option<Date>,
}

#[derive(Resource)]
#[resource(
    path = "books",
    description = "A book on the shelves",
    page(max = 500),
    access(read = "anyone", update = ["owner", "group:librarians"], delete = "group:librarians")
)]
struct Book {
    #[field(min_length = 1, max_length = 200)]
    title: String,
    #[field(unique, pattern = "^[0-9]{13}$")]
    isbn: Option<String>,
    #[field(precision = 10, scale = 2, min = 0, default = 0)]
    price: Decimal,
    #[field(references = Author)]
    author_uid: Option<Uuid>,
}

/// Takes ISBNs as they are printed, with dashes, and keeps what must not be sold off the shelves.
struct BookHooks;

#[async_trait]
impl Hooks for BookHooks {
    fn points(&self) -> HookPoints {
        HookPoints {
            before_create: true,
            before_update: true,
            ..HookPoints::NONE
        }
    }

    async fn before_create(&self, _context: &HookContext, change: &mut Record) -> Result<(), Refusal> {
        tidy(change)
    }

    async fn before_update(
        &self,
        _context: &HookContext,
        _uid: Uuid,
        change: &mut Record,
    ) -> Result<(), Refusal> {
        tidy(change)
    }
}

fn tidy(change: &mut Record) -> Result<(), Refusal> {
    if let Some(Value::Text(isbn)) = change.get("isbn") {
        let digits = isbn.replace(['-', ' '], "");
        change
            .set("isbn", Value::Text(digits))
            .map_err(|error| Refusal::unprocessable("no_such_field", error.to_string()))?;
    }
    if let Some(Value::Text(title)) = change.get("title")
        && title.trim().is_empty()
    {
        return Err(Refusal::unprocessable(
            "untitled",
            "a book needs a title that can be read",
        ));
    }
    Ok(())
}

fn main() -> ExitCode {
    let api = Api::new("Library", "1.0.0")
        .resource::<Author>()
        .resource_with::<Book>(BookHooks);
    rowstamp_lambda::block_on(api)
}
