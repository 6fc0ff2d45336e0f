//! The tables of the comparison: 100,000 books in eleven columns, titles of different lengths, some NULLs, some quotes to escape; and
//! 20,000 editions with their publishers, for what embeds.

use tokio_postgres::{Client, Error};

/// The definition of the tables.
pub const DEFINITION_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/library.toml");

/// The uid of a book that is always there.
pub const FIRST: &str = "00000000-0000-7000-8000-000000000001";

/// A book to be created.
pub const NEW: &str = r#"{"title":"A book made under load","isbn":"9780000000000","pages":321,"price":12.5,"published_on":"2026-05-17","status":"draft"}"#;

/// A change of a book.
pub const CHANGE: &str = r#"{"pages":322,"status":"published"}"#;

/// So many books to be created at once.
pub fn many(count: usize) -> String {
    format!("[{}]", vec![NEW; count].join(","))
}

const TABLES: &str = "
CREATE TABLE books (
    uid uuid PRIMARY KEY,
    title text NOT NULL, isbn text, pages integer, price numeric(10, 2) NOT NULL, published_on date,
    status text NOT NULL CONSTRAINT books_status_check CHECK (status IN ('draft', 'published')),
    created_at timestamptz NOT NULL, last_updated_at timestamptz NOT NULL, creator_uid text, last_updater_uid text
);
CREATE TABLE publishers (
    uid uuid PRIMARY KEY, name text NOT NULL, country text,
    created_at timestamptz NOT NULL, last_updated_at timestamptz NOT NULL, creator_uid text, last_updater_uid text
);
CREATE TABLE editions (
    uid uuid PRIMARY KEY, title text NOT NULL, publisher_uid uuid NOT NULL REFERENCES publishers, printed_on date, copies integer,
    created_at timestamptz NOT NULL, last_updated_at timestamptz NOT NULL, creator_uid text, last_updater_uid text
);
CREATE INDEX books_title ON books (title, uid);
CREATE INDEX editions_publisher ON editions (publisher_uid);
INSERT INTO publishers
SELECT gen_random_uuid(), 'Publisher ' || n, 'Country ' || n % 40, timestamptz '2026-01-01', timestamptz '2026-01-01', NULL, NULL
FROM generate_series(1, 500) AS n;
INSERT INTO editions
SELECT gen_random_uuid(), 'Edition ' || n, p.uid, date '1990-01-01' + n % 10000, n % 5000,
       timestamptz '2026-01-01' + n * interval '1.000001 second', timestamptz '2026-01-01' + n * interval '1.000001 second', NULL, NULL
FROM generate_series(1, 20000) AS n
JOIN (SELECT uid, row_number() OVER () AS place FROM publishers) AS p ON p.place = 1 + n % 500;
";

/// Creates the tables and fills them, with so many books.
///
/// # Errors
/// What the database says.
pub async fn fill(client: &Client, books: u32) -> Result<(), Error> {
    client.batch_execute(TABLES).await?;
    let sql = format!(
        "INSERT INTO books
         SELECT CASE n WHEN 1 THEN uuid '{FIRST}' ELSE gen_random_uuid() END,
                'The \"' || n || '\" book of ' || repeat('many words ', n % 5),
                CASE WHEN n % 7 = 0 THEN NULL ELSE lpad(n::text, 13, '0') END, 1 + n % 900, (n % 10000) / 100.0,
                date '1950-01-01' + n % 25000, CASE WHEN n % 3 = 0 THEN 'draft' ELSE 'published' END,
                timestamptz '2026-01-01' + n * interval '1.000001 second',
                timestamptz '2026-01-02' + n * interval '1.000001 second', gen_random_uuid()::text, NULL
         FROM generate_series(1, {books}) AS n"
    );
    client.batch_execute(&sql).await?;
    // In a statement of its own, since it cannot run in a transaction.
    client.batch_execute("VACUUM ANALYZE").await
}

/// The uids of so many books, in no order.
///
/// # Errors
/// What the database says.
pub async fn some_uids(client: &Client, count: i64) -> Result<Vec<String>, Error> {
    let rows = client
        .query(
            "SELECT uid::text FROM books ORDER BY md5(uid::text) LIMIT $1",
            &[&count],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Adds books that may be deleted, and tells their uids.
///
/// # Errors
/// What the database says.
pub async fn add_to_delete(client: &Client, count: i32) -> Result<Vec<String>, Error> {
    let rows = client
        .query(
            "INSERT INTO books SELECT gen_random_uuid(), 'A book made under load', NULL, 1, 1, NULL, 'draft', now(), now(), NULL, NULL
             FROM generate_series(1, $1) RETURNING uid::text",
            &[&count],
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
