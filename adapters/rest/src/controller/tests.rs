//! The order of refusals, with a store that must not be called.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use mockall::predicate::always;
use rowstamp_domain::caller::{Caller, Proof};
use rowstamp_domain::operation::{Count, Operation, Outcome, Precondition, Representation, Rows, Verdict};
use rowstamp_domain::query::Condition;
use rowstamp_domain::value::{Timestamp, Value};
use rowstamp_ports::exchange::{ApiRequest, Entrance, Evidence, RequestErrorKind, RequestParts};
use rowstamp_ports::{
    Conflict, ConflictKind, FaultKind, FieldFault, IdentityError, MockClock, MockIdentityProvider,
    MockRecordStore, MockUidSource, Secret, StoreError,
};
use uuid::Uuid;

use super::*;
use crate::Api;

const LIBRARY: &str = r#"
    [api]
    title = "Library"
    [resources.books.fields]
    title = { type = "text", required = true, max_length = 5 }
    isbn  = { type = "text", unique = true }
    cost  = { type = "integer", read = "group:staff", write = "group:staff" }
    [resources.books.access]
    read   = "anyone"
    create = "group:staff"
    delete = "nobody"

    [resources.careful]
    require_if_match = true
    [resources.careful.fields]
    text = { type = "text" }
    [resources.careful.access]
    update = "anyone"
    read = "anyone"
"#;

const UID: &str = "018f3a5e-7c1d-7a2b-9e4f-1a2b3c4d5e6f";
const NOW: i64 = 824_774_400_123_456;

fn now() -> Timestamp {
    Timestamp::from_micros_since_2000(NOW).unwrap()
}

/// A controller with fixed time, uid and callers: `token` is a name and its groups, `bad` is refused.
fn controller(store: MockRecordStore) -> Controller {
    let mut identity = MockIdentityProvider::new();
    identity
        .expect_identify()
        .with(always())
        .returning(|evidence| match evidence {
            Evidence::Bearer(token) if token.expose() == "bad" => {
                Err(IdentityError::Invalid("the token has expired".to_owned()))
            }
            Evidence::Bearer(token) if token.expose() == "later" => Err(IdentityError::Unavailable),
            Evidence::Bearer(token) => {
                let mut words = token.expose().split(':');
                Ok(Caller::new(words.next().unwrap(), Proof::Token)
                    .with_groups(words)
                    .into())
            }
            _ => Ok(Caller::anonymous().into()),
        });
    let mut clock = MockClock::new();
    clock.expect_now().returning(now);
    let mut uids = MockUidSource::new();
    uids.expect_next().returning(|| Uuid::parse_str(UID).unwrap());
    let api = Api::from_toml("library.toml", LIBRARY).unwrap().build().unwrap();
    Controller::new(
        api,
        Arc::new(store),
        Arc::new(identity),
        Arc::new(clock),
        Arc::new(uids),
        Settings::default(),
    )
}

/// `METHOD target`, a token, header fields as `name: value`, a body.
struct Sent<'a>(&'a str, Option<&'a str>, &'a [&'a str], &'a str);

fn request(sent: &Sent<'_>, entrance: Entrance) -> ApiRequest {
    let (method, target) = sent.0.split_once(' ').unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: HeaderMap = sent
        .2
        .iter()
        .map(|field| {
            let (name, value) = field.split_once(": ").unwrap();
            (
                name.parse::<HeaderName>().unwrap(),
                HeaderValue::from_str(value).unwrap(),
            )
        })
        .collect();
    let parts = RequestParts {
        method: method.parse().unwrap(),
        base_path: "/prod".to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: Bytes::copy_from_slice(sent.3.as_bytes()),
        request_id: "r-1".to_owned(),
        deadline: None,
    };
    let evidence = sent
        .1
        .map_or(Evidence::None, |token| Evidence::Bearer(Secret::new(token)));
    ApiRequest::from_event(parts, entrance, evidence)
}

async fn answer(store: MockRecordStore, sent: Sent<'_>) -> ApiResponse {
    controller(store)
        .handle(Ok(request(&sent, Entrance::HttpApi)))
        .await
}

fn code(answer: &ApiResponse) -> String {
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    body["code"].as_str().unwrap().to_owned()
}

/// A store that expects one operation, checks it and answers.
fn expecting(check: impl Fn(&Operation) -> Result<Outcome, StoreError> + Send + 'static) -> MockRecordStore {
    let mut store = MockRecordStore::new();
    store
        .expect_execute()
        .times(1)
        .returning(move |operation, _| check(&operation));
    store
}

#[tokio::test]
async fn refusals_come_in_their_order_and_before_the_store() {
    const STAFF: Option<&str> = Some("ann:staff");
    let books = format!("/books/{UID}");
    let item = |method: &str| format!("{method} {books}");
    // Each request is wrong in every way that comes after the one that is told.
    let junk = &[
        "accept: text/csv",
        "content-type: text/csv",
        "prefer: handling=strict, nope",
    ][..];
    for (sent, status, expected) in [
        (Sent("BREW /nope/x/y", Some("bad"), junk, "{"), 404, "PGRST125"),
        (Sent("BREW /nope", Some("bad"), junk, "{"), 404, "PGRST205"),
        (Sent("POST /rpc/f", Some("bad"), junk, "{"), 404, "PGRST202"),
        (Sent("BREW /books", Some("bad"), junk, "{"), 405, "PGRST117"),
        (
            Sent("PATCH /books?title=eq.x", Some("bad"), junk, "{"),
            401,
            "PGRST301",
        ),
        (Sent("DELETE /health", Some("bad"), junk, "{"), 405, "PGRST117"),
        (Sent("GET /books", Some("bad"), junk, ""), 401, "PGRST301"),
        (Sent("POST /books?nope=1", None, junk, "{"), 401, "PGRST302"),
        (Sent("PUT /books/x?nope=1", None, junk, "{"), 401, "PGRST302"),
        (Sent("POST /books?nope=1", Some("bob"), junk, "{"), 403, "42501"),
        (Sent("DELETE /books/x", Some("bob"), junk, ""), 403, "42501"),
        (Sent("GET /books/x?nope=1", None, junk, ""), 400, "RS_INVALID_UID"),
        (
            Sent(
                "GET /books/{018f3a5e-7c1d-7a2b-9e4f-1a2b3c4d5e6f}",
                None,
                junk,
                "",
            ),
            400,
            "RS_INVALID_UID",
        ),
        (Sent("GET /books?nope=eq.1", None, junk, ""), 400, "42703"),
        (Sent("GET /books?title=1", None, junk, ""), 400, "PGRST100"),
        (Sent("GET /books?limit=-1", None, junk, ""), 400, "PGRST100"),
        (
            Sent("GET /books?select=title&select=isbn", None, junk, ""),
            400,
            "PGRST100",
        ),
        (
            Sent("GET /books?cursor=x", None, junk, ""),
            400,
            "RS_INVALID_CURSOR",
        ),
        (Sent("GET /books?columns=x", None, junk, ""), 400, "PGRST100"),
        (Sent("GET /books?cost=eq.1", None, junk, ""), 403, "42501"),
        (Sent("GET /books?select=cost", None, junk, ""), 403, "42501"),
        (Sent("GET /books?order=cost", None, junk, ""), 403, "42501"),
        (Sent("GET /books", None, junk, ""), 400, "PGRST122"),
        (Sent("GET /books/query", None, &[], ""), 405, "PGRST117"),
        (
            Sent(
                "POST /books/query",
                None,
                &["content-type: application/json"],
                "{}",
            ),
            415,
            "RS_UNSUPPORTED_MEDIA_TYPE",
        ),
        (Sent("POST /books/query", None, &[], "cost=eq.1"), 403, "42501"),
        (
            Sent(
                "POST /books",
                STAFF,
                &["idempotency-key: 1", "content-type: text/csv"],
                "{",
            ),
            400,
            "PGRST127",
        ),
        (
            Sent(
                "POST /books",
                STAFF,
                &["prefer: resolution=merge-duplicates"],
                "{",
            ),
            400,
            "PGRST102",
        ),
        (
            Sent("POST /books?columns=titel", STAFF, &[], "{"),
            400,
            "PGRST204",
        ),
        (
            Sent("POST /books", STAFF, &["if-match: \"1-2\""], "{}"),
            400,
            "RS_INVALID_HEADER",
        ),
        (
            Sent(
                "POST /books",
                STAFF,
                &["content-type: text/xml", "accept: text/xml"],
                "{",
            ),
            415,
            "RS_UNSUPPORTED_MEDIA_TYPE",
        ),
        (
            Sent("POST /books", STAFF, &["accept: text/xml"], "{"),
            406,
            "PGRST107",
        ),
        (
            Sent("GET /books", None, &["accept-profile: secret"], ""),
            406,
            "PGRST106",
        ),
        (Sent("POST /books", STAFF, &[], "{\"title\":"), 400, "PGRST102"),
        (Sent("POST /books", STAFF, &[], "[{}]"), 422, "RS_INVALID_BODY"),
        (Sent("POST /books", STAFF, &[], "3"), 400, "PGRST102"),
        (
            Sent("POST /books", STAFF, &[], "{\"isbn\":1}"),
            422,
            "RS_INVALID_BODY",
        ),
        (
            Sent(&item("PATCH"), Some("bob"), &[], "{\"cost\":1,\"title\":1}"),
            403,
            "42501",
        ),
        (
            Sent("GET /books", Some("later"), &[], ""),
            503,
            "RS_IDENTITY_UNAVAILABLE",
        ),
        (
            Sent(&format!("PATCH /careful/{UID}"), None, &[], "{}"),
            428,
            "RS_PRECONDITION_REQUIRED",
        ),
        (
            Sent(&format!("PATCH /careful/{UID}"), None, &["if-match: 1"], "{}"),
            400,
            "RS_INVALID_HEADER",
        ),
    ] {
        let line = format!("{} {:?} {:?}", sent.0, sent.1, sent.2);
        let answer = answer(MockRecordStore::new(), sent).await;
        assert_eq!(
            (answer.status.as_u16(), code(&answer).as_str()),
            (status, expected),
            "{line}"
        );
        assert_eq!(answer.headers.contains_key("allow"), status == 405, "{line}");
        assert_eq!(
            answer.headers.contains_key("www-authenticate"),
            status == 401,
            "{line}"
        );
        assert_eq!(
            answer.headers.contains_key("accept-patch"),
            status == 415 && !line.contains("/query"),
            "{line}"
        );
        assert_eq!(
            answer.headers.contains_key("retry-after"),
            status == 503,
            "{line}"
        );
        assert_eq!(answer.headers["x-request-id"], "r-1");
    }
}

#[tokio::test]
async fn a_created_row_is_stamped_once_and_answered_as_the_store_encoded_it() {
    let store = expecting(|operation| {
        let Operation::Insert(insert) = operation else {
            panic!("{operation:?}")
        };
        let names: Vec<&str> = insert
            .columns
            .iter()
            .map(|id| insert.resource.field(*id).name.as_str())
            .collect();
        assert_eq!(
            names,
            [
                "uid",
                "title",
                "created_at",
                "last_updated_at",
                "creator_uid",
                "last_updater_uid"
            ]
        );
        let ann = Value::Text("ann".to_owned());
        let expected = [
            Value::Uuid(Uuid::parse_str(UID).unwrap()),
            Value::Text("Emma".to_owned()),
            Value::Timestamp(now()),
            Value::Timestamp(now()),
            ann.clone(),
            ann,
        ];
        assert_eq!(insert.rows, [expected]);
        assert_eq!(
            (&insert.permitted, &insert.visible),
            (&Condition::Always, &Condition::Always)
        );
        assert_eq!(insert.representation, Representation::JsonObject);
        Ok(Outcome {
            rows: Rows::Json(b"{\"title\":\"Emma\"}".to_vec()),
            returned: 1,
            affected: 1,
            created: 0,
            version: Some(now()),
            uid: Some(Uuid::parse_str(UID).unwrap()),
            ..Outcome::verdict(Verdict::Created)
        })
    });
    let answer = answer(
        store,
        Sent(
            "POST /books",
            Some("ann:staff"),
            &["origin: https://a"],
            "{\"title\":\"Emma\"}",
        ),
    )
    .await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body[..]),
        (201, &b"{\"title\":\"Emma\"}"[..])
    );
    assert_eq!(answer.headers["location"], format!("/prod/books/{UID}"));
    assert!(
        answer.headers["etag"]
            .to_str()
            .unwrap()
            .starts_with(&format!("\"{NOW}-"))
    );
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
    assert_eq!(answer.headers["content-range"], "*/*");
}

#[tokio::test]
async fn conditions_and_counts_travel_to_the_store() {
    let store = expecting(|operation| {
        let Operation::Update(update) = operation else {
            panic!("{operation:?}")
        };
        assert_eq!(update.precondition, Precondition::VersionIn(vec![now()]));
        assert_eq!(update.stamp.actor, Value::Null);
        Ok(Outcome::verdict(Verdict::PreconditionFailed))
    });
    let tag = format!("if-match: \"{NOW}-00000000\", W/\"1-2\"");
    let refused = answer(
        store,
        Sent(&format!("PATCH /careful/{UID}"), None, &[&tag], "{\"text\":null}"),
    )
    .await;
    assert_eq!(
        (refused.status.as_u16(), code(&refused).as_str()),
        (412, "RS_PRECONDITION_FAILED")
    );

    let store = expecting(|operation| {
        let Operation::List(list) = operation else {
            panic!("{operation:?}")
        };
        assert_eq!(
            (list.count, list.query.limit, list.query.offset),
            (Count::Exact, 2, 4)
        );
        let mut outcome = Outcome::verdict(Verdict::Found);
        (outcome.rows, outcome.returned, outcome.total) = (Rows::Json(b"[{},{}]".to_vec()), 2, Some(9));
        Ok(outcome)
    });
    let page = answer(
        store,
        Sent("GET /books?limit=2&offset=4", None, &["prefer: count=exact"], ""),
    )
    .await;
    assert_eq!(
        (page.status.as_u16(), &page.headers["content-range"]),
        (206, &HeaderValue::from_static("4-5/9"))
    );
}

#[tokio::test]
async fn fields_that_may_not_change_are_told_why_each_by_itself() {
    for (fields, status, expected) in [
        (&["creator_uid"][..], 422, &["read_only"][..]),
        (&["cost"], 403, &["forbidden"]),
        (&["cost", "creator_uid"], 422, &["forbidden", "read_only"]),
    ] {
        let store = expecting(move |operation| {
            let id = |name: &&str| operation.resource().field_id(name).unwrap();
            Ok(Outcome::verdict(Verdict::Mismatch(
                fields.iter().map(id).collect(),
            )))
        });
        let sent = format!("PATCH /books/{UID}");
        let refused = answer(store, Sent(&sent, Some("bob"), &[], "{\"title\":\"Emma\"}")).await;
        assert_eq!(refused.status.as_u16(), status, "{fields:?}");
        let body: serde_json::Value = serde_json::from_slice(&refused.body).unwrap();
        let told: Vec<_> = body["errors"].as_array().unwrap().iter().collect();
        assert_eq!(told.len(), fields.len());
        for (error, (field, code)) in told.iter().zip(fields.iter().zip(expected)) {
            assert_eq!(error["pointer"], format!("/{field}"));
            assert_eq!(error["code"], *code, "{field}");
        }
    }
}

#[tokio::test]
async fn what_a_store_fails_with_has_a_status_and_hides_the_rest() {
    let isbn = |controller: &Controller| controller.api.resources[0].field_id("isbn").unwrap();
    let conflict = |kind, fields| {
        StoreError::Conflict(Conflict {
            kind,
            fields,
            record: None,
        })
    };
    let field = isbn(&controller(MockRecordStore::new()));
    let fault = |kind| {
        StoreError::Invalid(vec![FieldFault {
            field: Some(field),
            kind,
        }])
    };
    for (error, status, expected, pointer) in [
        (
            conflict(ConflictKind::Unique, vec![field]),
            409,
            "23505",
            Some("/isbn"),
        ),
        (conflict(ConflictKind::Unique, vec![]), 409, "23505", None),
        (
            conflict(ConflictKind::MissingReference, vec![field]),
            409,
            "23503",
            Some("/isbn"),
        ),
        (
            conflict(ConflictKind::StillReferenced, vec![]),
            409,
            "23503",
            None,
        ),
        (conflict(ConflictKind::Exclusion, vec![]), 409, "23P01", None),
        (fault(FaultKind::Required), 422, "23502", Some("/isbn")),
        (fault(FaultKind::Check), 422, "23514", Some("/isbn")),
        (fault(FaultKind::OutOfRange), 422, "22000", Some("/isbn")),
        (
            StoreError::Invalid(vec![FieldFault {
                field: None,
                kind: FaultKind::Raised,
            }]),
            422,
            "P0001",
            None,
        ),
        (StoreError::Unavailable, 503, "PGRST000", None),
        (StoreError::DeadlineExceeded, 504, "RS_DEADLINE_EXCEEDED", None),
        (StoreError::OutcomeUnknown, 504, "RS_OUTCOME_UNKNOWN", None),
        (StoreError::Drift, 500, "RS_DRIFT", None),
        (StoreError::Internal, 500, "RS_INTERNAL", None),
    ] {
        let failing = error.clone();
        let store = expecting(move |_| Err(failing.clone()));
        let answer = answer(
            store,
            Sent("POST /books", Some("ann:staff"), &[], "{\"title\":\"Emma\"}"),
        )
        .await;
        assert_eq!(
            (answer.status.as_u16(), code(&answer).as_str()),
            (status, expected),
            "{error:?}"
        );
        assert_eq!(
            answer.headers.contains_key("retry-after"),
            error == StoreError::Unavailable,
            "{error:?}"
        );
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(body["errors"][0]["pointer"].as_str(), pointer, "{error:?}");
    }
}

#[tokio::test]
async fn a_problem_body_is_what_rfc_9457_and_postgrests_clients_read() {
    let sent = Sent(
        "POST /books",
        Some("ann:staff"),
        &[],
        r#"{"title":"too long","nope":1,"isbn":2,"uid":null}"#,
    );
    let refused = answer(MockRecordStore::new(), sent).await;
    assert_eq!(refused.headers["content-type"], "application/problem+json");
    insta::assert_snapshot!(String::from_utf8_lossy(&refused.body).replace("\",\"", "\",\n\""));
}

#[tokio::test]
async fn an_answer_larger_than_the_entrance_carries_is_refused_or_left_out() {
    let quotes = "\\\"".repeat(1_600_000);
    let row = format!("{{\"title\":\"{quotes}\"}}");
    assert!(
        row.len() < 6_000_000,
        "it is the escaping that makes it too large"
    );
    let read = |rows: String, verdict| {
        expecting(move |_| {
            let mut outcome = Outcome::verdict(Verdict::clone(&verdict));
            outcome.rows = Rows::Json(rows.clone().into_bytes());
            (outcome.returned, outcome.version, outcome.uid) =
                (1, Some(now()), Some(Uuid::parse_str(UID).unwrap()));
            Ok(outcome)
        })
    };
    let refused = answer(
        read(row.clone(), Verdict::Found),
        Sent(&format!("GET /books/{UID}"), None, &[], ""),
    )
    .await;
    assert_eq!(
        (refused.status.as_u16(), code(&refused).as_str()),
        (400, "RS_RESPONSE_TOO_LARGE")
    );
    let refused = answer(
        read(format!("[{row}]"), Verdict::Found),
        Sent("GET /books", None, &[], ""),
    )
    .await;
    assert_eq!(refused.status, 400);

    let sent = Sent("POST /books", Some("ann:staff"), &[], "{\"title\":\"Emma\"}");
    let created = answer(read(row.clone(), Verdict::Created), sent).await;
    assert_eq!((created.status.as_u16(), created.body.len()), (201, 0));
    assert_eq!(created.headers["preference-applied"], "return=minimal");

    let sent = Sent(&format!("GET /books/{UID}"), None, &[], "").0.to_owned();
    let over_http = request(&Sent(&sent, None, &[], ""), Entrance::Http);
    let carried = controller(read(row.clone(), Verdict::Found))
        .handle(Ok(over_http))
        .await;
    assert_eq!((carried.status.as_u16(), carried.body.len()), (200, row.len()));
}

#[tokio::test]
async fn rows_that_the_store_found_no_room_for_are_refused_or_left_out() {
    let store = |verdict: Verdict| {
        let mut store = MockRecordStore::new();
        store.expect_execute().returning(move |_, context| {
            assert_eq!(context.room, Some(6_000_000 - 8 * 1024));
            Ok(Outcome {
                rows: Rows::TooLarge,
                returned: 1,
                affected: 1,
                version: Some(now()),
                uid: Some(Uuid::parse_str(UID).unwrap()),
                ..Outcome::verdict(verdict.clone())
            })
        });
        store
    };
    for asked in [format!("GET /books/{UID}"), "GET /books".to_owned()] {
        let refused = answer(store(Verdict::Found), Sent(&asked, None, &[], "")).await;
        assert_eq!(
            (refused.status.as_u16(), code(&refused).as_str()),
            (400, "RS_RESPONSE_TOO_LARGE"),
            "{asked}"
        );
    }
    for (body, prefer) in [
        ("{\"title\":\"Emma\"}", &[][..]),
        ("[{\"title\":\"Emma\"}]", &["prefer: return=representation"]),
    ] {
        let sent = Sent("POST /books", Some("ann:staff"), prefer, body);
        let created = answer(store(Verdict::Created), sent).await;
        assert_eq!((created.status.as_u16(), created.body.len()), (201, 0), "{body}");
        assert_eq!(created.headers["preference-applied"], "return=minimal");
    }
}

#[tokio::test]
async fn a_document_larger_than_the_entrance_carries_is_refused_there() {
    let api = Api::from_toml("library.toml", LIBRARY)
        .unwrap()
        .description("x".repeat(1_000_000));
    let controller = Controller::new(
        api.build().unwrap(),
        Arc::new(MockRecordStore::new()),
        Arc::new(MockIdentityProvider::new()),
        Arc::new(MockClock::new()),
        Arc::new(MockUidSource::new()),
        Settings::default(),
    );
    for (entrance, status) in [
        (Entrance::LoadBalancer, 400),
        (Entrance::HttpApi, 200),
        (Entrance::Http, 200),
    ] {
        let sent = Sent("GET /openapi.json", None, &[], "");
        let answer = controller.handle(Ok(request(&sent, entrance))).await;
        assert_eq!(answer.status, status, "{entrance:?}");
    }
}

#[tokio::test]
async fn what_no_mapper_could_read_is_a_problem_too() {
    for (kind, status, expected) in [
        (
            RequestErrorKind::UnknownEvent("aws.sqs".to_owned()),
            400,
            "RS_UNKNOWN_EVENT",
        ),
        (RequestErrorKind::BadBase64, 400, "RS_MALFORMED_REQUEST"),
        (
            RequestErrorKind::Malformed("no method".to_owned()),
            400,
            "RS_MALFORMED_REQUEST",
        ),
        (
            RequestErrorKind::BodyTooLarge { limit_bytes: 10 },
            413,
            "RS_BODY_TOO_LARGE",
        ),
        (RequestErrorKind::BodyIncomplete, 400, "RS_MALFORMED_REQUEST"),
    ] {
        let error = RequestError {
            kind,
            request_id: "r-2".to_owned(),
            origin: Some("https://a".to_owned()),
        };
        let answer = controller(MockRecordStore::new()).handle(Err(error)).await;
        assert_eq!(
            (answer.status.as_u16(), code(&answer).as_str()),
            (status, expected)
        );
        assert_eq!(answer.headers["x-request-id"], "r-2");
        assert_eq!(answer.headers["access-control-allow-origin"], "*");
    }
}

#[tokio::test]
async fn health_asks_the_store_only_when_told_to() {
    let alive = answer(MockRecordStore::new(), Sent("GET /health", Some("bad"), &[], "")).await;
    assert_eq!(
        (alive.status.as_u16(), &alive.headers["cache-control"]),
        (200, &HeaderValue::from_static("no-store"))
    );
    let mut store = MockRecordStore::new();
    store
        .expect_ready()
        .times(1)
        .returning(|_| Err(StoreError::Unavailable));
    let not_ready = answer(store, Sent("GET /health?ready", None, &[], "")).await;
    assert_eq!(
        (not_ready.status.as_u16(), code(&not_ready).as_str()),
        (503, "PGRST000")
    );
}

#[tokio::test]
async fn options_says_what_is_allowed_and_needs_no_identity() {
    let preflight = [
        "origin: https://a",
        "access-control-request-method: PUT",
        "access-control-request-headers: x-a",
    ];
    let allowed = answer(
        MockRecordStore::new(),
        Sent(&format!("OPTIONS /books/{UID}"), Some("bad"), &preflight, ""),
    )
    .await;
    assert_eq!((allowed.status.as_u16(), allowed.body.len()), (204, 0));
    assert_eq!(allowed.headers["allow"], "GET, HEAD, PUT, PATCH, DELETE, OPTIONS");
    assert_eq!(
        allowed.headers["access-control-allow-methods"],
        allowed.headers["allow"]
    );
    assert_eq!(allowed.headers["access-control-allow-headers"], "x-a");
    let anywhere = answer(
        MockRecordStore::new(),
        Sent("OPTIONS /nope", None, &preflight, ""),
    )
    .await;
    assert_eq!(
        anywhere.status, 204,
        "so that the page sees the 404 of the request itself"
    );
    let plain = answer(MockRecordStore::new(), Sent("OPTIONS /books/", None, &[], "")).await;
    assert_eq!(
        (plain.status.as_u16(), &plain.headers["allow"]),
        (
            204,
            &HeaderValue::from_static("GET, HEAD, POST, PATCH, DELETE, OPTIONS")
        )
    );
    assert_eq!(
        answer(MockRecordStore::new(), Sent("OPTIONS /nope", None, &[], ""))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn the_document_names_the_base_path_it_is_served_under() {
    for path in ["/", "/openapi.json", ""] {
        let sent = format!("GET {path}");
        let document = answer(MockRecordStore::new(), Sent(&sent, Some("bad"), &[], "")).await;
        let body: serde_json::Value = serde_json::from_slice(&document.body).unwrap();
        assert_eq!(body["servers"][0]["url"], "/prod");
    }
}

#[tokio::test]
async fn what_a_request_took_is_told_with_its_answer() {
    let slow = Duration::from_millis(5);
    let store = expecting(move |_| {
        std::thread::sleep(slow);
        Err(StoreError::Unavailable)
    });
    let sent = Sent("GET /books", None, &[], "");
    let answered = controller(store)
        .handle_measured(Ok(request(&sent, Entrance::HttpApi)))
        .await;
    let measured = answered.measurement;
    assert_eq!((measured.operation, measured.resource()), ("list", Some("books")));
    assert_eq!(measured.request_id, "r-1");
    assert_eq!(measured.status, answered.response.status);
    assert_eq!(measured.code, Some(code(&answered.response)));
    assert!(slow <= measured.store.store && measured.store.store <= measured.total);

    let refused = controller(MockRecordStore::new())
        .handle_measured(Err(RequestError {
            kind: RequestErrorKind::BadBase64,
            request_id: "r-2".to_owned(),
            origin: None,
        }))
        .await;
    let measured = refused.measurement;
    assert_eq!((measured.operation, measured.resource()), ("none", None));
    assert_eq!(
        (measured.request_id.as_str(), measured.status.as_u16()),
        ("r-2", 400)
    );
    assert_eq!(measured.store, Readings::default());
}
