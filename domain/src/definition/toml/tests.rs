#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::parse;

const LIBRARY: &str = r#"
[api]
title = "Library"
version = "1.0.0"

[resources.authors.fields]
name    = { type = "text", required = true, min_length = 1, max_length = 200 }
born_on = { type = "date" }

[resources.books]
description = "A book on the shelves"
page = { max = 500 }
[resources.books.fields]
title        = { type = "text", required = true, min_length = 1, max_length = 200 }
isbn         = { type = "text", unique = true, pattern = "^[0-9]{13}$" }
pages        = { type = "integer", min = 1 }
author_uid   = { type = "uuid", references = "authors" }
[resources.books.access]
read   = "anyone"
update = ["owner", "group:librarians"]
delete = "group:librarians"
"#;

#[test]
fn the_example_is_read_with_its_fields_in_order() {
    let api = parse("library.toml", LIBRARY).unwrap();
    let books = api.resource("books").unwrap();
    let names: Vec<&str> = books.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "uid",
            "title",
            "isbn",
            "pages",
            "author_uid",
            "created_at",
            "last_updated_at",
            "creator_uid",
            "last_updater_uid"
        ]
    );
    assert_eq!(books.page.default, 500);
}
