//! Who may do what, and what it stamps: every resource with every method, or the test fails.

use serde_json::{Value as Json, json};

use crate::app::{App, Store};

/// Everything that can be done to a resource, in the order of its life.
const ACTIONS: [&str; 6] = ["create", "list", "read", "replace", "change", "delete"];

/// Anonymous, a stranger, the owner, a librarian.
const CALLERS: [Option<&str>; 4] = [None, Some("stranger"), Some("owner"), Some("lib:librarians")];

/// The statuses that each caller gets, by resource and action.
#[rustfmt::skip]
const EXPECTED: &[(&str, &str, [u16; 4])] = &[
    ("authors", "create",  [401, 201, 201, 201]),
    ("authors", "list",    [200, 200, 200, 200]),
    ("authors", "read",    [200, 200, 200, 200]),
    ("authors", "replace", [401, 200, 200, 200]),
    ("authors", "change",  [401, 200, 200, 200]),
    ("authors", "delete",  [401, 204, 204, 204]),
    ("books",   "create",  [401, 201, 201, 201]),
    ("books",   "list",    [200, 200, 200, 200]),
    ("books",   "read",    [200, 200, 200, 200]),
    ("books",   "replace", [401, 403, 200, 200]),
    ("books",   "change",  [401, 403, 200, 200]),
    ("books",   "delete",  [401, 403, 403, 204]),
    ("notes",   "create",  [401, 201, 201, 201]),
    ("notes",   "list",    [401, 200, 200, 200]),
    ("notes",   "read",    [401, 404, 200, 404]),
    ("notes",   "replace", [401, 404, 200, 404]),
    ("notes",   "change",  [401, 404, 200, 404]),
    ("notes",   "delete",  [401, 404, 204, 404]),
    ("letters", "create",  [201, 201, 201, 201]),
    ("letters", "list",    [401, 403, 403, 200]),
    ("letters", "read",    [401, 403, 403, 200]),
    // Who may create may PUT; a row that is there is out of sight, or out of reach.
    ("letters", "replace", [404, 404, 404, 403]),
    ("letters", "change",  [403, 403, 403, 403]),
    ("letters", "delete",  [403, 403, 403, 403]),
    ("careful", "create",  [201, 201, 201, 201]),
    ("careful", "list",    [200, 200, 200, 200]),
    ("careful", "read",    [200, 200, 200, 200]),
    ("careful", "replace", [200, 200, 200, 200]),
    ("careful", "change",  [200, 200, 200, 200]),
    ("careful", "delete",  [204, 204, 204, 204]),
];

fn body(resource: &str, text: &str) -> Json {
    match resource {
        "authors" => json!({"name": text}),
        "books" => json!({"title": text}),
        "notes" | "letters" | "careful" => json!({"text": text}),
        other => panic!("say here what a row of {other} needs"),
    }
}

pub(crate) async fn every_resource_answers_every_caller_as_agreed_on(store: Store) {
    let app = App::library(store).await;
    let resources: Vec<String> = app
        .definition()
        .resources
        .iter()
        .map(|resource| resource.name.clone())
        .collect();
    for resource in &resources {
        for action in ACTIONS {
            let row = EXPECTED
                .iter()
                .find(|(name, of, _)| name == resource && *of == action);
            let (_, _, statuses) =
                row.unwrap_or_else(|| panic!("who may {action} {resource}? Say so in this table"));
            for (caller, expected) in CALLERS.iter().zip(statuses) {
                let found = attempt(&app, resource, action, *caller).await;
                assert_eq!(found, *expected, "{caller:?} {action} {resource}");
            }
        }
    }
    assert_eq!(
        EXPECTED.len(),
        resources.len() * ACTIONS.len(),
        "the table has rows for nothing"
    );
}

/// Does it once, with a row of the owner's that is there, and checks the stamps of whatever was written.
async fn attempt(app: &App, resource: &str, action: &str, caller: Option<&str>) -> u16 {
    app.clear(resource).await;
    let created = app
        .request(&format!("POST /{resource}"))
        .by("owner")
        .json(body(resource, "old"))
        .send()
        .await;
    assert_eq!(created.status, 201, "{}", created.text());
    let item = created.header("location").strip_prefix("/v1").unwrap().to_owned();
    let before = only_row(app, resource).await;

    let line = match action {
        "create" => format!("POST /{resource}"),
        "list" => format!("GET /{resource}"),
        "read" => format!("GET {item}"),
        "replace" => format!("PUT {item}"),
        "change" => format!("PATCH {item}"),
        "delete" => format!("DELETE {item}"),
        other => panic!("say here how to {other}"),
    };
    let mut request = app.request(&line).header("if-match", "*");
    if action == "create" {
        request = app.request(&line);
    }
    if let Some(caller) = caller {
        request = request.by(caller);
    }
    if matches!(action, "create" | "replace" | "change") {
        request = request.json(body(resource, "new"));
    }
    let answer = request.send().await;

    let subject = caller.map_or(json!(null), |caller| json!(caller.split(':').next().unwrap()));
    let rows = app.rows(resource).await;
    match (action, answer.status) {
        ("create", 201) => {
            let new = rows
                .iter()
                .map(plain)
                .find(|row| row["uid"] != before["uid"])
                .unwrap();
            assert_eq!(new["creator_uid"], subject);
            assert_eq!(new["last_updater_uid"], subject);
            assert_eq!(new["created_at"], new["last_updated_at"]);
            assert_eq!(&new["uid"].as_str().unwrap()[14..15], "7", "UUIDv7");
        }
        ("replace" | "change", 200) => {
            let after = only_row(app, resource).await;
            assert_eq!(after["creator_uid"], before["creator_uid"]);
            assert_eq!(after["created_at"], before["created_at"]);
            assert_eq!(after["last_updater_uid"], subject);
            assert!(after["last_updated_at"].as_str() > before["last_updated_at"].as_str());
        }
        ("delete", 204) => assert!(rows.is_empty()),
        _ => assert_eq!(only_row(app, resource).await, before, "a refusal writes nothing"),
    }
    answer.status
}

async fn only_row(app: &App, resource: &str) -> Json {
    let rows = app.rows(resource).await;
    assert_eq!(rows.len(), 1);
    plain(&rows[0])
}

fn plain(record: &rowstamp_domain::record::Record) -> Json {
    record
        .iter()
        .map(|(id, value)| {
            let name = record.definition().field(id).name.clone();
            (name, serde_json::from_str(&value.to_json()).unwrap())
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}
