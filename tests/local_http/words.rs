//! What the database says of values, and what of that is written down.

use std::fs;

use hyper::Method;
use rowstamp_local::provision::TestDatabase;
use rowstamp_tests::served::{Directory, Served};
use serde_json::json;

use super::sql::connect;

const DEFINITION: &str = r#"
[api]
title = "Notes"
version = "1.0.0"

[resources.notes.fields]
text = { type = "text", required = true }
kind = { type = "text" }
[resources.notes.access]
create = "anyone"
"#;

/// A trigger that says everything it knows, with whatever code the note asks for.
const TRIGGER: &str = "
CREATE FUNCTION judge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the text is %', NEW.text USING ERRCODE = NEW.kind, HINT = NEW.text, DETAIL = NEW.text;
END $$;
CREATE TRIGGER judge BEFORE INSERT ON notes FOR EACH ROW EXECUTE FUNCTION judge()";

#[tokio::test]
async fn what_a_trigger_says_is_neither_answered_nor_written_down() {
    let (directory, database) = (Directory::new(), TestDatabase::create());
    let definition = directory.path().join("notes.toml");
    fs::write(&definition, DEFINITION).unwrap();
    let definition = definition.to_str().unwrap();
    let arguments = [
        "--resources",
        definition,
        "--database",
        database.url(),
        "--migrate",
    ];
    let served = Served::start(&directory, &arguments, &[("RUST_LOG", "debug")]);
    let sql = connect(&database).await;
    sql.batch_execute(TRIGGER).await.unwrap();
    for (code, status) in [
        // Its own, and what PL/pgSQL takes where it is told none.
        ("U0001", 422),
        ("P0001", 422),
        // Codes that mean something else, each of which is logged in its own way.
        ("XX000", 422),
        ("42703", 500),
        ("40001", 503),
        ("57014", 504),
        ("22000", 422),
        ("23514", 422),
    ] {
        let body = json!({"text": "zq9x", "kind": code});
        let answer = served.anonymous().json(Method::POST, "/notes", &body).await;
        assert_eq!(answer.status, status, "{code}: {}", answer.text());
        assert!(!answer.text().contains("zq9x"), "{code}: {}", answer.text());
    }
    let log = fs::read_to_string(directory.path().join("log")).unwrap();
    assert!(log.contains("U0001") && log.contains("42703"), "{log}");
    let line = log.lines().find(|line| line.contains("zq9x"));
    assert_eq!(line, None);
}
