//! Development tokens open what they should, on this machine only.

use hyper::Method;
use rowstamp_tests::route::Route;
use rowstamp_tests::served::{Directory, run, token};
use serde_json::json;

use super::{LIBRARY, Library};

#[test]
fn the_token_command_prints_the_bare_token() {
    let directory = Directory::new();
    let output = run(
        &directory,
        &["token", "ursula", "--group", "librarians", "--ttl", "1h"],
    );
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed.matches('.').count(), 2);
    assert_eq!(
        (printed.lines().count(), printed.split_whitespace().count()),
        (1, 1)
    );
    assert!(output.stderr.is_empty());
}

pub(crate) async fn rules_follow_the_caller(route: Route) {
    let library = Library::by(route, &[]);
    let anyone = library.served.anonymous();
    let (ursula, owen) = (library.client("ursula", &[]), library.client("owen", &[]));
    let librarian = library.client("vea", &["librarians"]);

    let refused = anyone.json(Method::POST, "/books", &json!({"title": "a"})).await;
    assert_eq!(
        (refused.status, refused.header("www-authenticate")),
        (401, "Bearer")
    );
    let made = ursula.json(Method::POST, "/books", &json!({"title": "a"})).await;
    let path = made.header("location").to_owned();
    assert_eq!(anyone.get(&path).await.status, 200);

    let change = json!({"pages": 7});
    assert_eq!(owen.json(Method::PATCH, &path, &change).await.status, 403);
    assert_eq!(ursula.json(Method::PATCH, &path, &change).await.status, 200);
    assert_eq!(librarian.json(Method::PATCH, &path, &change).await.status, 200);
    assert_eq!(ursula.send(Method::DELETE, &path, &[], "").await.status, 403);

    // Loans are their owner's: to others they are not there.
    let loan = json!({"book_uid": made.json()["uid"], "due_on": "2030-01-31"});
    let loan = owen.json(Method::POST, "/loans", &loan).await;
    assert_eq!(loan.status, 201, "{}", loan.text());
    assert_eq!(owen.get(loan.header("location")).await.status, 200);
    assert_eq!(ursula.get(loan.header("location")).await.status, 404);
    assert_eq!(
        librarian.get("/loans").await.json().as_array().map(Vec::len),
        Some(1)
    );
}

pub(crate) async fn an_invalid_token_is_refused_even_where_anyone_may_enter(route: Route) {
    let library = Library::by(route, &[]);
    let stranger = token(&Directory::new(), "ursula", &[]);
    for invalid in ["", "x", "a.b.c", &stranger] {
        let answer = library.served.anonymous().with_token(invalid).get("/books").await;
        assert_eq!(answer.status, 401, "{invalid}: {}", answer.text());
        assert!(invalid.len() < 2 || !answer.text().contains(invalid));
    }
}

pub(crate) async fn beyond_loopback_no_development_token_counts(route: Route) {
    let library = Library::of(LIBRARY, route, &["--listen", "0.0.0.0:0"], &[]);
    let (served, directory) = (&library.served, &library.directory);
    assert!(!served.greeting().contains("TOKEN"), "{}", served.greeting());
    let here = std::net::SocketAddr::from(([127, 0, 0, 1], served.address().port()));
    let anyone = rowstamp_tests::http_client::Client::new(here);
    assert_eq!(anyone.get("/books").await.status, 200);
    let refused = anyone
        .with_token(token(directory, "ursula", &[]))
        .get("/books")
        .await;
    assert_eq!(refused.status, 401, "{}", refused.text());
}
