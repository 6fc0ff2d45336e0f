//! Callers that gateways vouch for: what they may do, and how they are stamped.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE as BASE64;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use rowstamp_tests::key_server::KeyServer;
use serde_json::{Value, json};

use crate::event::{Entrance, Request};
use crate::library::Library;

fn loan() -> Request {
    Request::new("POST /loans").json(&json!({"book": "The Dispossessed"}))
}

#[tokio::test]
async fn the_caller_of_every_authorizer_is_stamped() {
    let mut library = Library::open().await;
    let arn = "arn:aws:sts::123456789012:assumed-role/editors/alice";
    for (entrance, request, subject) in [
        (
            Entrance::RestApi,
            loan().authorizer(json!({"claims": {"sub": "cognito-1"}})),
            "cognito-1",
        ),
        (
            Entrance::RestApi,
            loan().authorizer(json!({"principalId": "user|1", "tenant": "n"})),
            "user|1",
        ),
        (Entrance::RestApi, loan().user_arn(arn), arn),
        (
            Entrance::HttpApi,
            loan().authorizer(json!({"jwt": {"claims": {"sub": "jwt-1"}, "scopes": null}})),
            "jwt-1",
        ),
        (
            Entrance::HttpApi,
            loan().authorizer(json!({"lambda": {"sub": "lambda-1"}})),
            "lambda-1",
        ),
        (
            Entrance::FunctionUrl,
            loan().authorizer(json!({"iam": {"userArn": arn}})),
            arn,
        ),
    ] {
        let created = library.send(entrance, request).await;
        assert_eq!(created.status, 201, "{subject}: {}", created.body);
        let row = created.json();
        assert_eq!(
            (&row["creator_uid"], &row["last_updater_uid"]),
            (&json!(subject), &json!(subject))
        );
        let columns = library.row("loans", row["uid"].as_str().unwrap()).await;
        assert_eq!(columns["creator_uid"].as_deref(), Some(subject));
    }
}

#[tokio::test]
async fn groups_count_in_the_encoding_of_each_gateway() {
    let mut library = Library::open().await;
    let librarians = [
        (
            Entrance::RestApi,
            json!({"claims": {"sub": "s", "cognito:groups": "staff,librarians"}}),
            204,
        ),
        (
            Entrance::HttpApi,
            json!({"jwt": {"claims": {"sub": "s", "cognito:groups": "[staff librarians]"}}}),
            204,
        ),
        (
            Entrance::HttpApi,
            json!({"lambda": {"sub": "s", "groups": ["librarians"]}}),
            204,
        ),
        (
            Entrance::RestApi,
            json!({"claims": {"sub": "s", "cognito:groups": "librarians-intern"}}),
            403,
        ),
        (
            Entrance::HttpApi,
            json!({"jwt": {"claims": {"sub": "s", "cognito:groups": "[staff]"}}}),
            403,
        ),
    ];
    for (entrance, authorizer, status) in librarians {
        let created = library
            .send(entrance, loan().authorizer(authorizer.clone()))
            .await;
        let uid = created.json()["uid"].as_str().unwrap().to_owned();
        let delete = Request::new(&format!("DELETE /loans/{uid}")).authorizer(authorizer.clone());
        let deleted = library.send(entrance, delete).await;
        assert_eq!(deleted.status, status, "{authorizer}: {}", deleted.body);
    }
}

#[tokio::test]
async fn who_proves_nothing_is_anonymous_and_who_proves_badly_is_refused() {
    let mut library = Library::open().await;
    for entrance in Entrance::ALL {
        let anonymous = library.send(entrance, loan()).await;
        assert_eq!(anonymous.status, 401, "{entrance:?}: {}", anonymous.body);
        assert!(anonymous.header("www-authenticate").starts_with("Bearer"));
        // Nobody has verified this token, and this function has no keys to do it.
        let bearer = loan().header("Authorization", "Bearer head.eyJzdWIiOiJyb290In0.signature");
        assert_eq!(library.send(entrance, bearer).await.status, 401, "{entrance:?}");
        // Anybody can send such headers to a load balancer.
        let forged = loan()
            .header("x-amzn-oidc-identity", "root")
            .header("x-amzn-oidc-data", "a.b.c");
        assert_eq!(library.send(entrance, forged).await.status, 401, "{entrance:?}");
    }
    for authorizer in [
        json!({"claims": {}}),
        json!({"claims": {"sub": ""}}),
        json!({"claims": {"sub": {"a": 1}}}),
    ] {
        let refused = library
            .send(Entrance::RestApi, loan().authorizer(authorizer))
            .await;
        assert_eq!(refused.status, 401, "{}", refused.body);
    }
    let author = Request::new("POST /authors").json(&json!({"name": "n"}));
    let created = library.send(Entrance::LoadBalancer, author).await.json();
    assert_eq!(
        created["creator_uid"],
        Value::Null,
        "an anonymous caller leaves no name"
    );
}

#[tokio::test]
async fn a_row_belongs_to_its_creator_whichever_entrance_it_was_made_through() {
    let mut library = Library::open().await;
    let alice_rest = json!({"claims": {"sub": "alice"}});
    let alice_http = json!({"jwt": {"claims": {"sub": "alice"}, "scopes": ["a"]}});
    let bob = json!({"jwt": {"claims": {"sub": "bob"}, "scopes": null}});
    let created = library
        .send(Entrance::RestApi, loan().authorizer(alice_rest))
        .await
        .json();
    let line = format!("PATCH /loans/{}", created["uid"].as_str().unwrap());
    let patch = |caller: &Value| {
        Request::new(&line)
            .json(&json!({"book": "Solaris"}))
            .authorizer(caller.clone())
    };
    assert_eq!(library.send(Entrance::HttpApi, patch(&bob)).await.status, 403);
    let changed = library.send(Entrance::HttpApi, patch(&alice_http)).await;
    assert_eq!(
        (changed.status, &changed.json()["last_updater_uid"]),
        (200, &json!("alice"))
    );
}

/// A load balancer that signs users in, as far as a function can see.
struct SigningIn {
    key: KeyPair,
    kid: &'static str,
}

impl SigningIn {
    const ARN: &str =
        "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/library/0123456789abcdef";

    fn new(kid: &'static str, region: &KeyServer) -> Self {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        region.put(&format!("/{kid}"), key.public_key_pem());
        Self { key, kid }
    }

    /// What it says about a user: padded base64, signed with ES256.
    fn says(&self, signer: &str, claims: &Value) -> String {
        let header = json!({
            "alg": "ES256", "kid": self.kid, "signer": signer, "client": "app", "iss": "https://idp.example",
            "exp": 4_000_000_000_u64,
        });
        let signed = format!(
            "{}.{}",
            BASE64.encode(header.to_string()),
            BASE64.encode(claims.to_string())
        );
        let key = jsonwebtoken::EncodingKey::from_ec_der(&self.key.serialize_der());
        let algorithm = jsonwebtoken::Algorithm::ES256;
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &key, algorithm).unwrap();
        format!("{signed}.{signature}==")
    }
}

#[tokio::test]
async fn a_user_whom_the_named_load_balancer_signed_in_is_a_caller() {
    let region = KeyServer::start();
    let (balancer, stranger) = (SigningIn::new("own", &region), SigningIn::new("other", &region));
    let mut library = Library::open_with(&[
        ("ROWSTAMP_ALB_SIGNERS", SigningIn::ARN),
        ("ROWSTAMP_ALB_KEYS_URL", &region.url("/{kid}")),
        ("ROWSTAMP_AUTHORIZER_GROUPS", "custom:roles"),
    ])
    .await;
    let ursula = json!({"sub": "ursula", "custom:roles": "librarians"});
    let good = balancer.says(SigningIn::ARN, &ursula);
    for entrance in [Entrance::LoadBalancer, Entrance::LoadBalancerMultiValue] {
        let created = library
            .send(entrance, loan().header("x-amzn-oidc-data", &good))
            .await;
        assert_eq!(created.status, 201, "{}", created.body);
        assert_eq!(created.json()["creator_uid"], "ursula");
        let line = format!("DELETE /loans/{}", created.json()["uid"].as_str().unwrap());
        let delete = Request::new(&line).header("x-amzn-oidc-data", &good);
        assert_eq!(
            library.send(entrance, delete).await.status,
            204,
            "the group that was asked for"
        );
    }
    assert_eq!(region.asked(), 1);
    let other_arn = SigningIn::ARN.replace("library", "stranger");
    for (data, case) in [
        ("a.b.c".to_owned(), "no statement"),
        (
            stranger.says(&other_arn, &ursula),
            "a load balancer of somebody else",
        ),
        (
            SigningIn {
                kid: "own",
                ..stranger
            }
            .says(SigningIn::ARN, &ursula),
            "signed by somebody else",
        ),
        (
            balancer.says(SigningIn::ARN, &json!({"email": "e"})),
            "no subject",
        ),
    ] {
        let refused = library
            .send(Entrance::LoadBalancer, loan().header("x-amzn-oidc-data", &data))
            .await;
        assert_eq!(refused.status, 401, "{case}: {}", refused.body);
    }
    // Anywhere else the header says nothing.
    for entrance in [Entrance::RestApi, Entrance::HttpApi, Entrance::FunctionUrl] {
        let refused = library
            .send(entrance, loan().header("x-amzn-oidc-data", &good))
            .await;
        assert_eq!(refused.status, 401, "{entrance:?}: {}", refused.body);
    }
}
