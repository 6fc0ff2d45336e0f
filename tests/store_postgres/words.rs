//! What is told of a refusal to whoever runs the program, and may end up in a log: names, never values.

use rowstamp_domain::operation::Operation;
use rowstamp_ports::{FaultKind, FieldFault, StoreError};
use rowstamp_postgres::SchemaError;
use rowstamp_tests::served::Directory;
use uuid::Uuid;

use crate::fixture::{Fixture, text};

#[tokio::test]
async fn what_cannot_be_created_or_migrated_is_told_without_the_values_of_rows() {
    let library = Fixture::library().await;
    let sql = library.sql().await;
    sql.batch_execute(
        "ALTER TABLE books DROP CONSTRAINT books_isbn_key; \
         INSERT INTO books (uid, title, status, isbn, created_at, last_updated_at) \
         SELECT gen_random_uuid(), 't', 'draft', 'secret', now(), now() FROM generate_series(1, 2)",
    )
    .await
    .unwrap();
    let refused = library.store.create_missing(&library.api).await.unwrap_err();
    let told = refused.to_string();
    assert!(matches!(refused, SchemaError::Refused(_)), "{told}");
    assert!(told.contains("(isbn)") && !told.contains("secret"), "{told}");

    let directory = Directory::new();
    for (migration, names) in [
        ("CREATE UNIQUE INDEX ON books (isbn)", "books_isbn_idx"),
        ("ALTER TABLE books ALTER isbn TYPE int USING isbn::int", "22P02"),
        ("ALTER TABLE books ADD CHECK (isbn = '1')", "books_isbn_check"),
        // These are the words of whoever wrote the file.
        ("DO $$ BEGIN RAISE 'do this by hand'; END $$", "do this by hand"),
        ("CREATE TABEL x", "TABEL"),
    ] {
        std::fs::write(directory.path().join("V1__try.sql"), migration).unwrap();
        let told = library
            .store
            .migrate(directory.path())
            .await
            .unwrap_err()
            .to_string();
        assert!(
            told.contains(names) && !told.contains("secret"),
            "{migration}: {told}"
        );
    }
}

#[tokio::test]
async fn a_code_of_a_triggers_own_is_a_refusal_of_the_values() {
    for code in ["U0001", "PT402", "99999", "12345", "XX000"] {
        let library = Fixture::library().await;
        let sql = format!(
            "CREATE FUNCTION judge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no' USING ERRCODE = '{code}'; END $$;
             CREATE TRIGGER judge BEFORE INSERT ON books FOR EACH ROW EXECUTE FUNCTION judge()"
        );
        library.sql().await.batch_execute(&sql).await.unwrap();
        let insert = library.insert(
            "books",
            &[("title", text("t")), ("status", text("draft"))],
            Uuid::now_v7(),
        );
        let refused = Err(StoreError::Invalid(vec![FieldFault {
            field: None,
            kind: FaultKind::Raised,
        }]));
        assert_eq!(
            library.execute(Operation::Insert(insert)).await,
            refused,
            "{code}"
        );
    }
}
