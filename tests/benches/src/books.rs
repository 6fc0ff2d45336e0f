//! The table of the comparison: 100,000 books in eleven columns, titles of different lengths, some NULLs, some quotes to escape.

use tokio_postgres::{Client, Error};

/// The definition of the table.
pub const DEFINITION_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/books.toml");

/// The uid of a book that is always there.
pub const FIRST: &str = "00000000-0000-7000-8000-000000000001";

/// A query for a filtered and ordered page.
pub const FILTERED: &str = "pages=gt.300&status=eq.published&order=title.desc,uid&limit=25";

/// A book to be created.
pub const NEW: &str = r#"{"title":"A book made under load","isbn":"9780000000000","pages":321,"price":12.5,"published_on":"2026-05-17","status":"draft"}"#;

/// A change of a book.
pub const CHANGE: &str = r#"{"pages":322,"status":"published"}"#;

/// So many books to be created at once.
pub fn many(count: usize) -> String {
    format!("[{}]", vec![NEW; count].join(","))
}

const FILL: &str = "
CREATE TABLE books (
    uid uuid PRIMARY KEY,
    title text NOT NULL, isbn text, pages integer, price numeric(10, 2) NOT NULL, published_on date,
    status text NOT NULL CONSTRAINT books_status_check CHECK (status IN ('draft', 'published')),
    created_at timestamptz NOT NULL, last_updated_at timestamptz NOT NULL, creator_uid text, last_updater_uid text
);
INSERT INTO books
SELECT CASE n WHEN 1 THEN uuid '00000000-0000-7000-8000-000000000001' ELSE gen_random_uuid() END,
       'The \"' || n || '\" book of ' || repeat('many words ', n % 5),
       CASE WHEN n % 7 = 0 THEN NULL ELSE lpad(n::text, 13, '0') END, 1 + n % 900, (n % 10000) / 100.0,
       date '1950-01-01' + n % 25000, CASE WHEN n % 3 = 0 THEN 'draft' ELSE 'published' END,
       timestamptz '2026-01-01' + n * interval '1.000001 second', timestamptz '2026-01-02' + n * interval '1.000001 second',
       gen_random_uuid()::text, NULL
FROM generate_series(1, 100000) AS n;
";

/// Creates the table and fills it.
///
/// # Errors
/// What the database says.
pub async fn fill(client: &Client) -> Result<(), Error> {
    client.batch_execute(FILL).await?;
    // In a statement of its own, since it cannot run in a transaction.
    client.batch_execute("VACUUM ANALYZE books").await
}

/// The uids of 5,000 books, in no order.
///
/// # Errors
/// What the database says.
pub async fn some_uids(client: &Client) -> Result<Vec<String>, Error> {
    let rows = client
        .query(
            "SELECT uid::text FROM books ORDER BY md5(uid::text) LIMIT 5000",
            &[],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Removes the books that were made under load.
///
/// # Errors
/// What the database says.
pub async fn remove_new(client: &Client) -> Result<(), Error> {
    client
        .batch_execute("DELETE FROM books WHERE title = 'A book made under load'")
        .await?;
    client.batch_execute("VACUUM books").await
}
