//! Over plain HTTP nobody speaks for API Gateway or a load balancer, however well they know how those speak.

use hyper::Method;
use rowstamp_tests::key_server::KeyServer;
use serde_json::json;

use crate::library::Library;

#[tokio::test]
async fn what_pretends_to_come_from_a_gateway_changes_nothing() {
    let server = KeyServer::start();
    let library = Library::of_pool(&server);
    let context = json!({
        "authorizer": {"claims": {"sub": "root", "cognito:groups": "librarians"}, "jwt": {"claims": {"sub": "root"}},
            "lambda": {"sub": "root"}, "iam": {"userArn": "arn:aws:iam::1:root"}, "principalId": "root"},
        "identity": {"userArn": "arn:aws:iam::1:root"},
    })
    .to_string();
    let names = [
        "x-amzn-oidc-identity",
        "x-amzn-oidc-data",
        "x-amzn-oidc-accesstoken",
        "x-amzn-request-context",
        "x-amzn-lambda-context",
        "x-amzn-trace-id",
        "X-AMZN-Remapped-Authorization",
        "x-amzn-requestid",
        "x-apigateway-event",
        "x-apigateway-context",
        "x-amz-security-token",
        "requestcontext",
        "request-context",
        "x-forwarded-user",
        "x-user",
    ];
    let forged: Vec<(&str, &str)> = names.iter().map(|name| (*name, context.as_str())).collect();
    let body = json!({"title": "x"}).to_string();
    let anyone = library.served.anonymous();
    let before = library.settled().await;
    for (method, path) in [
        (Method::POST, "/books"),
        (Method::GET, "/loans"),
        (Method::DELETE, "/books/01890000-0000-7000-8000-000000000000"),
    ] {
        let answer = anyone.send(method, path, &forged, &body).await;
        assert_eq!(answer.status, 401, "{path}: {}", answer.text());
        assert!(!answer.text().contains("root"));
    }
    // A whole event as a body, for each payload version, is a body with fields that a book does not have.
    for event in [
        json!({"version": "2.0", "rawPath": "/books", "requestContext": {"http": {"method": "POST"},
            "authorizer": {"jwt": {"claims": {"sub": "root"}}}}, "body": body}),
        json!({"httpMethod": "POST", "path": "/books", "requestContext": {"authorizer": {"claims": {"sub": "root"}}},
            "body": body}),
    ] {
        let answer = anyone.json(Method::POST, "/books", &event).await;
        assert_eq!(answer.status, 401, "{}", answer.text());
    }
    assert_eq!(library.proxy.bytes_to_server(), before);

    // Beside a good token they change nothing about who it is.
    let client = library.client(&crate::pool::token(&json!({})));
    let made = client.send(Method::POST, "/books", &forged, &body).await;
    assert_eq!(
        (made.status, &made.json()["creator_uid"]),
        (201, &json!("ursula"))
    );
    assert_ne!(made.header("x-request-id"), context, "nor about its name");
    // And where anyone may read, everybody reads the same.
    let plain = anyone.get("/books?order=uid").await;
    let with = anyone.send(Method::GET, "/books?order=uid", &forged, "").await;
    assert_eq!((plain.status, plain.body), (with.status, with.body));
}
