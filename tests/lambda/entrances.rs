//! The same request through every entrance, and over HTTP: the same row, the same answer.

use rowstamp_tests::route::Route;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::event::{Entrance, Request};
use crate::library::Library;

/// What differs between two rows made of the same values, and what names the entrance.
fn comparable(answer: Answer) -> (u64, Vec<String>, Value) {
    let mut row = answer.json();
    for stamp in ["uid", "created_at", "last_updated_at"] {
        assert!(
            row[stamp].take().is_string(),
            "{stamp} is missing in {}",
            answer.body
        );
    }
    (answer.status, answer.headers.into_keys().collect(), row)
}

pub(crate) async fn a_row_made_through_any_entrance_is_the_same_row_and_the_same_answer(route: Route) {
    let mut library = Library::open_by(route).await;
    let http = library.over_http().await;
    let values = json!({
        "name": "Stanisław \"Staś\" Lem\n\u{1F680}", "born_on": "1921-09-12", "tags": ["a,b", "", "ñ"], "price": 0.10,
        "details": {"nested": [1, 2.50, null, "\u{2028}"]},
    });
    let create = Request::new("POST /authors").json(&values);

    let made = http.send(create.clone()).await;
    let mut uids = vec![made.json()["uid"].as_str().unwrap().to_owned()];
    let expected = comparable(made);
    let mut expected_columns = library.row("authors", &uids[0]).await;
    for entrance in Entrance::ALL {
        let made = library.send(entrance, create.clone()).await;
        let uid = made.json()["uid"].as_str().unwrap().to_owned();
        assert_eq!(comparable(made), expected, "{entrance:?}");
        let columns = library.row("authors", &uid).await;
        for stamp in ["uid", "created_at", "last_updated_at"] {
            expected_columns.insert(stamp.to_owned(), columns[stamp].clone());
        }
        assert_eq!(columns, expected_columns, "{entrance:?}");
        uids.push(uid);
    }

    // Each of those rows looks the same from everywhere, to the byte and with every header.
    for uid in uids {
        let read = Request::new(&format!("GET /authors/{uid}"));
        let expected = http.send(read.clone()).await.without_request_id();
        for entrance in Entrance::ALL {
            let read = library.send(entrance, read.clone()).await.without_request_id();
            assert_eq!(read, expected, "{entrance:?}");
        }
    }

    let list = Request::new("GET /authors")
        .query("name", "eq.Stanisław \"Staś\" Lem\n\u{1F680}")
        .query("order", "uid.desc")
        .query("limit", "3")
        .header("Prefer", "count=exact");
    let expected = http.send(list.clone()).await.without_request_id();
    assert_eq!(
        (expected.status, expected.json().as_array().unwrap().len()),
        (206, 3),
        "{}",
        expected.body
    );
    for entrance in Entrance::ALL {
        let list = library.send(entrance, list.clone()).await.without_request_id();
        assert_eq!(list, expected, "{entrance:?}");
    }
}

pub(crate) async fn a_refusal_is_the_same_through_any_entrance(route: Route) {
    let mut library = Library::open_by(route).await;
    let http = library.over_http().await;
    for request in [
        Request::new("POST /authors").json(&json!({"name": "", "unknown": 1})),
        Request::new("POST /authors")
            .body("{\"name\": ")
            .header("Content-Type", "application/json"),
        Request::new("GET /authors/not-a-uid"),
        Request::new("GET /nothing"),
        Request::new("DELETE /authors/01976f6c-8d2e-7c31-9f5a-2b6d1c3e4f50"),
        Request::new("GET /authors").query("no_such_field", "eq.1"),
        Request::new("PUT /authors"),
    ] {
        let mut expected = http.send(request.clone()).await.without_request_id();
        assert!(
            (400..500).contains(&expected.status),
            "{request:?}: {}",
            expected.body
        );
        let mut expected_problem = expected.json();
        let instance = expected_problem["instance"].take();
        expected.body.clear();
        for entrance in Entrance::ALL {
            let mut found = library.send(entrance, request.clone()).await.without_request_id();
            let mut problem = found.json();
            let found_instance = problem["instance"].take();
            assert!(
                found_instance
                    .as_str()
                    .unwrap_or_default()
                    .ends_with(instance.as_str().unwrap_or_default()),
                "{found_instance}"
            );
            found.body.clear();
            assert_eq!(problem, expected_problem, "{entrance:?} {request:?}");
            assert_eq!(found, expected, "{entrance:?} {request:?}");
        }
    }
}
