//! The small API that the contract is stated over.

use std::sync::Arc;

use rowstamp_domain::definition::{ApiDefinition, toml};

const LIBRARY: &str = r#"
[api]
title = "Contract"
version = "1.0.0"

[resources.authors.fields]
name    = { type = "text", required = true }
born_on = { type = "date" }

[resources.books]
unique = [["shelf", "position"]]
[resources.books.fields]
title      = { type = "text", required = true }
isbn       = { type = "text", unique = true }
pages      = { type = "integer" }
price      = { type = "decimal", precision = 10, scale = 2, required = true, default = 0 }
status     = { type = "enum", values = ["draft", "published"], required = true, default = "draft" }
tags       = { type = "text[]" }
shelf      = { type = "text" }
position   = { type = "integer" }
author_uid = { type = "uuid", references = "authors" }

[resources.loans.fields]
reader   = { type = "text", required = true }
book_uid = { type = "uuid", required = true, references = "books", on_delete = "cascade" }

[resources.remarks.fields]
text     = { type = "text" }
book_uid = { type = "uuid", references = "books", on_delete = "set_null" }

# Many to many: a book has several topics through `book_topics`. A topic may be part of another.
[resources.topics]
aggregates = true
[resources.topics.fields]
name       = { type = "text", required = true }
parent_uid = { type = "uuid", references = "topics", on_delete = "set_null" }

[resources.book_topics]
unique = [["book_uid", "topic_uid", "source"]]
[resources.book_topics.fields]
book_uid  = { type = "uuid", required = true, references = "books", on_delete = "cascade" }
topic_uid = { type = "uuid", required = true, references = "topics", on_delete = "cascade" }
source    = { type = "text" }

# Several of a book, and critics are authors: a second way between the two.
[resources.reviews]
aggregates = true
[resources.reviews.fields]
stars      = { type = "integer" }
words      = { type = "text" }
details    = { type = "json" }
written_at = { type = "timestamp" }
book_uid   = { type = "uuid", references = "books", on_delete = "cascade" }
critic_uid = { type = "uuid", references = "authors" }

# At most one of a book.
[resources.blurbs.fields]
words    = { type = "text", required = true }
book_uid = { type = "uuid", required = true, unique = true, references = "books", on_delete = "cascade" }

# A table with names of its own: nothing but JSON uses ours.
[resources.accounts]
table = "LedgerAccounts"
audit = { uid = "id", created_at = "opened", last_updated_at = "Touched_At", creator_uid = "opened_by", last_updater_uid = "touched_by", actor = "uuid" }
[resources.accounts.fields]
owner   = { type = "text", required = true, column = "user" }
balance = { type = "decimal", json = "string", column = "select" }

# Of a table with names of its own.
[resources.entries]
table = "LedgerEntries"
[resources.entries.fields]
amount      = { type = "decimal", column = "group" }
account_uid = { type = "uuid", references = "accounts", column = "Account" }

# A table without stamps.
[resources.settings]
audit = { uid = "key", created_at = false, last_updated_at = false, creator_uid = false, last_updater_uid = false }
[resources.settings.fields]
value = { type = "json" }

# Every type, and an array of each.
[resources.specimens.fields]
text       = { type = "text" }
integer    = { type = "integer" }
bigint     = { type = "bigint" }
float      = { type = "float" }
decimal    = { type = "decimal" }
fixed      = { type = "decimal", precision = 12, scale = 4 }
boolean    = { type = "boolean" }
uuid       = { type = "uuid" }
date       = { type = "date" }
time       = { type = "time" }
timestamp  = { type = "timestamp" }
json       = { type = "json" }
bytes      = { type = "bytes" }
enum       = { type = "enum", values = ["a", "ö", "quote \" and ' and \\"] }
digits     = { type = "bigint", json = "string" }
texts      = { type = "text[]" }
integers   = { type = "integer[]" }
bigints    = { type = "bigint[]" }
floats     = { type = "float[]" }
decimals   = { type = "decimal[]" }
fixeds     = { type = "decimal[]", precision = 12, scale = 4 }
booleans   = { type = "boolean[]" }
uuids      = { type = "uuid[]" }
dates      = { type = "date[]" }
times      = { type = "time[]" }
timestamps = { type = "timestamp[]" }
jsons      = { type = "json[]" }
blobs      = { type = "bytes[]" }
enums      = { type = "enum[]", values = ["a", "ö"] }

# One of each type inside another row.
[resources.exhibits.fields]
label        = { type = "text" }
specimen_uid = { type = "uuid", references = "specimens" }
"#;

/// Authors, books, loans and remarks; topics, reviews and blurbs of books, to embed; accounts, entries and settings with tables of
/// their own making; specimens of every type, and exhibits of them.
pub fn library() -> Arc<ApiDefinition> {
    match toml::parse("contract.toml", LIBRARY) {
        Ok(api) => Arc::new(api),
        Err(mistakes) => panic!("{mistakes}"),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_definition_reads() {
        assert_eq!(super::library().resources.len(), 13);
    }
}
