//! Bodies in base64, bad ones, and those that are too large.

use serde_json::json;

use crate::event::{Entrance, Request};
use crate::library::Library;

#[tokio::test]
async fn a_body_in_base64_is_the_same_body() {
    let mut library = Library::open().await;
    for entrance in Entrance::ALL {
        let created = library
            .send(
                entrance,
                Request::new("POST /authors")
                    .json(&json!({"name": "Jane Ærwyn"}))
                    .in_base64(),
            )
            .await;
        assert_eq!(
            (created.status, &created.json()["name"]),
            (201, &json!("Jane Ærwyn")),
            "{entrance:?}"
        );
    }
}

#[tokio::test]
async fn bad_base64_is_a_clear_answer() {
    let mut library = Library::open().await;
    for entrance in Entrance::ALL {
        for body in ["not base64!", "a", "aGk=aGk="] {
            let refused = library
                .send(
                    entrance,
                    Request::new("POST /authors")
                        .header("Origin", "https://app.example")
                        .body(body)
                        .called_base64(),
                )
                .await;
            assert_eq!(refused.status, 400, "{entrance:?} {body}");
            assert_eq!(refused.header("content-type"), "application/problem+json");
            assert_eq!(refused.header("access-control-allow-origin"), "*");
            assert!(
                refused.json()["detail"].as_str().unwrap().contains("base64"),
                "{}",
                refused.body
            );
        }
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_and_the_function_goes_on() {
    let mut library = Library::open_with(&[("ROWSTAMP_MAX_BODY_BYTES", "2000")]).await;
    for entrance in Entrance::ALL {
        let large = Request::new("POST /authors").json(&json!({"name": "x".repeat(2000)}));
        assert_eq!(
            library.send(entrance, large.clone()).await.status,
            413,
            "{entrance:?}"
        );
        let base64 = Request::new("POST /authors")
            .json(&json!({"name": "x".repeat(1600)}))
            .in_base64();
        assert_eq!(
            library.send(entrance, base64).await.status,
            413,
            "{entrance:?}: base64 counts"
        );
        let fits = Request::new("POST /authors").json(&json!({"name": "x"}));
        assert_eq!(library.send(entrance, fits).await.status, 201, "{entrance:?}");
    }
}

#[tokio::test]
async fn an_answer_that_the_load_balancer_cannot_carry_is_a_clear_refusal() {
    let mut library = Library::open().await;
    // Quotes take twice their room inside the answer's JSON, and that counts.
    let details = json!({"quotes": "\"".repeat(150_000)});
    let create = Request::new("POST /authors").json(&json!({"name": "n", "details": details}));
    for _ in 0..2 {
        assert_eq!(library.send(Entrance::HttpApi, create.clone()).await.status, 201);
    }
    let list = Request::new("GET /authors");
    let carried = library.send(Entrance::HttpApi, list.clone()).await;
    assert_eq!(
        (carried.status, carried.json().as_array().unwrap().len()),
        (200, 2)
    );
    let refused = library.send(Entrance::LoadBalancer, list.clone()).await;
    assert_eq!(
        (refused.status, &refused.json()["code"]),
        (400, &json!("RS_RESPONSE_TOO_LARGE")),
        "{}",
        refused.body
    );
    let one = library
        .send(Entrance::LoadBalancer, list.query("limit", "1"))
        .await;
    assert_eq!(one.status, 200, "{}", one.body);
}
