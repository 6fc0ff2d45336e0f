//! Rows come, change and go.

use hyper::Method;
use rowstamp_tests::route::Route;
use serde_json::json;

use super::Library;

pub(crate) async fn a_row_is_created_read_replaced_patched_listed_and_deleted(route: Route) {
    let library = Library::by(route, &[]);
    let ursula = library.client("ursula", &["librarians"]);

    let given = json!({"title": "Rocannon's World", "pages": 122, "price": 7.5, "tags": ["hainish"]});
    let made = ursula.json(Method::POST, "/books", &given).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let row = made.json();
    let uid = row["uid"].as_str().unwrap().to_owned();
    let path = format!("/books/{uid}");
    assert_eq!(made.header("location"), path);
    assert_eq!(
        (&row["creator_uid"], &row["last_updater_uid"]),
        (&json!("ursula"), &json!("ursula"))
    );
    assert_eq!(
        (&row["status"], &row["lendable"], &row["price"]),
        (&json!("draft"), &json!(true), &json!(7.5))
    );
    assert_eq!(row["created_at"], row["last_updated_at"]);

    let read = library.served.anonymous().get(&path).await;
    assert_eq!((read.status, &read.json()), (200, &row));
    assert_eq!(read.header("etag"), made.header("etag"));
    let etag = [("if-none-match", read.header("etag"))];
    let unchanged = library
        .served
        .anonymous()
        .send(Method::GET, &path, &etag, "")
        .await;
    assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));

    let replacement = json!({"title": "Planet of Exile", "status": "published"});
    let replaced = ursula.json(Method::PUT, &path, &replacement).await;
    assert_eq!(replaced.status, 200, "{}", replaced.text());
    let replaced = replaced.json();
    assert_eq!(
        (&replaced["title"], &replaced["pages"]),
        (&json!("Planet of Exile"), &json!(null))
    );
    assert_eq!(replaced["created_at"], row["created_at"]);
    assert!(replaced["last_updated_at"].as_str() > row["last_updated_at"].as_str());

    let reader = library.client("owen", &["librarians"]);
    let patched = reader
        .json(Method::PATCH, &path, &json!({"pages": 126}))
        .await
        .json();
    assert_eq!(
        (&patched["pages"], &patched["title"]),
        (&json!(126), &json!("Planet of Exile"))
    );
    assert_eq!(
        (&patched["creator_uid"], &patched["last_updater_uid"]),
        (&json!("ursula"), &json!("owen"))
    );

    let stale = [("if-match", made.header("etag"))];
    let refused = ursula.send(Method::PATCH, &path, &stale, r#"{"pages": 1}"#).await;
    assert_eq!(refused.status, 412, "{}", refused.text());

    let list = library
        .served
        .anonymous()
        .get("/books?status=eq.published&select=title,pages&order=title")
        .await;
    assert_eq!(
        (list.status, list.json()),
        (200, json!([{"title": "Planet of Exile", "pages": 126}]))
    );

    assert_eq!(ursula.send(Method::DELETE, &path, &[], "").await.status, 204);
    assert_eq!(ursula.get(&path).await.status, 404);
}

pub(crate) async fn head_says_what_get_would_and_options_says_what_goes(route: Route) {
    let library = Library::by(route, &[]);
    let client = library.client("ursula", &[]);
    let made = client
        .json(Method::POST, "/authors", &json!({"name": "Ursula K. Le Guin"}))
        .await;
    let path = made.header("location").to_owned();
    for target in [path.as_str(), "/authors", "/health", "/openapi.json"] {
        let get = client.get(target).await;
        let head = client.send(Method::HEAD, target, &[], "").await;
        assert_eq!((head.status, head.body.len()), (get.status, 0), "{target}");
        for name in ["content-type", "content-length", "etag", "content-range"] {
            assert_eq!(head.header(name), get.header(name), "{name} of {target}");
        }
    }
    let options = client.send(Method::OPTIONS, &path, &[], "").await;
    for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        assert!(
            options.header("allow").contains(method),
            "{}",
            options.header("allow")
        );
    }
    let preflight = [
        ("origin", "http://localhost:3000"),
        ("access-control-request-method", "PATCH"),
    ];
    let preflight = library
        .served
        .anonymous()
        .send(Method::OPTIONS, &path, &preflight, "")
        .await;
    assert!(preflight.status < 300 && preflight.header("access-control-allow-origin") == "*");
}

pub(crate) async fn health_and_the_contract_are_there_for_everybody(route: Route) {
    let library = Library::by(route, &[]);
    let anyone = library.served.anonymous();
    assert_eq!(anyone.get("/health").await.status, 200);
    assert_eq!(anyone.get("/health?ready").await.status, 200);
    let contract = anyone.get("/openapi.json").await;
    assert_eq!(
        (contract.status, &contract.json()["info"]["title"]),
        (200, &json!("Library"))
    );
}

pub(crate) async fn every_answer_carries_the_name_of_its_request(route: Route) {
    let library = Library::by(route, &[]);
    for target in ["/books", "/nothing", "/books/x"] {
        let named = library
            .served
            .anonymous()
            .send(Method::GET, target, &[("x-request-id", "r-17")], "")
            .await;
        assert_eq!(named.header("x-request-id"), "r-17", "{target}");
        assert_eq!(
            library
                .served
                .anonymous()
                .get(target)
                .await
                .header("x-request-id")
                .len(),
            36,
            "{target}"
        );
    }
}

pub(crate) async fn a_base_path_is_part_of_every_address(route: Route) {
    let library = Library::by(route, &[("ROWSTAMP_BASE_PATH", "/api/v1")]);
    assert!(library.served.greeting().contains("/api/v1/books"));
    let client = library.client("ursula", &[]);
    let made = client
        .json(
            Method::POST,
            "/api/v1/authors",
            &json!({"name": "Ursula K. Le Guin"}),
        )
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert!(made.header("location").starts_with("/api/v1/authors/"));
    assert_eq!(client.get(made.header("location")).await.status, 200);
}
