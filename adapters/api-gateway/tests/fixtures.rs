//! Every fixture through the Request Mapper, against its snapshot and against the typed events of AWS.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use aws_lambda_events::alb::AlbTargetGroupRequest;
use aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayV2httpRequest};
use aws_lambda_events::lambda_function_urls::LambdaFunctionUrlRequest;
use http::HeaderMap;
use proptest::prelude::*;
use rowstamp_api_gateway::{Envelope, EventSettings, Mapped, map_request};
use rowstamp_ports::exchange::ApiRequest;
use rowstamp_ports::{Problems, Vars};
use serde_json::{Value, json};

const INVOCATION_ID: &str = "8476a536-e9f4-11e8-9739-2dfe598c3fcd";

fn fixtures() -> Vec<(String, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut fixtures: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read(path).unwrap())
        })
        .collect();
    fixtures.sort();
    assert!(fixtures.len() > 20, "the fixtures are there");
    fixtures
}

fn map(event: &[u8]) -> Mapped {
    map_request(event, INVOCATION_ID, None, &EventSettings::default())
}

fn show(mapped: &Mapped) -> String {
    let mut text = format!("{:?}\n", mapped.envelope);
    match &mapped.request {
        Err(refused) => {
            let _ = writeln!(text, "refused: {}", refused.kind);
            let _ = writeln!(text, "id {}, origin {:?}", refused.request_id, refused.origin);
        }
        Ok(request) => {
            let _ = writeln!(
                text,
                "{} {} ? {}",
                request.method(),
                request.path(),
                request.query()
            );
            let _ = writeln!(
                text,
                "base {:?}, id {}, {:?}",
                request.base_path(),
                request.request_id(),
                request.entrance()
            );
            for (name, value) in request.headers() {
                let _ = writeln!(text, "{name}: {}", String::from_utf8_lossy(value.as_bytes()));
            }
            let _ = writeln!(text, "evidence: {:?}", request.evidence());
            let _ = writeln!(text, "body: {}", String::from_utf8_lossy(request.body()));
        }
    }
    text
}

#[test]
fn every_fixture_is_read_as_its_snapshot_says() {
    for (name, event) in fixtures() {
        insta::assert_snapshot!(name.as_str(), show(&map(&event)));
    }
}

/// The body as the typed events give it, decoded by a second implementation.
fn decoded(body: Option<&str>, is_base64: bool) -> Vec<u8> {
    use base64::Engine as _;
    let body = body.unwrap_or_default();
    if is_base64 {
        base64::engine::general_purpose::STANDARD.decode(body).unwrap()
    } else {
        body.as_bytes().to_vec()
    }
}

fn same_headers(name: &str, request: &ApiRequest, typed: &HeaderMap) {
    let mut ours = request.headers().clone();
    ours.remove("cookie");
    let secret = ["authorization", "x-amzn-oidc-data", "x-amzn-oidc-accesstoken"];
    for header in typed.keys() {
        if secret.contains(&header.as_str()) {
            assert!(
                !ours.contains_key(header),
                "{name}: {header} is left for logs to find"
            );
            continue;
        }
        let typed: Vec<_> = typed.get_all(header).iter().collect();
        let found: Vec<_> = ours.get_all(header).iter().collect();
        assert_eq!(found, typed, "{name}: {header}");
        ours.remove(header);
    }
    assert!(ours.is_empty(), "{name}: {ours:?} is not in the event");
}

fn same_parameters(name: &str, request: &ApiRequest, typed: &[(&str, &str)]) {
    let mut ours: Vec<_> = request
        .query()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap();
            (key.to_owned(), percent_decoded(value))
        })
        .collect();
    let mut typed: Vec<_> = typed
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    ours.sort();
    typed.sort();
    assert_eq!(ours, typed, "{name}");
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let hex = [bytes.next().unwrap(), bytes.next().unwrap()];
            decoded.push(u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap());
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).unwrap()
}

#[test]
fn the_typed_events_of_aws_read_the_same() {
    let mut compared = 0;
    for (name, event) in fixtures() {
        let mapped = map(&event);
        let Ok(request) = &mapped.request else { continue };
        // The typed events refuse claims that are no strings; what we do with them is in the snapshot.
        if name.ends_with("of_unexpected_shape") {
            continue;
        }
        compared += 1;
        match mapped.envelope {
            Envelope::RestApi => {
                let typed: ApiGatewayProxyRequest = serde_json::from_slice(&event).unwrap();
                assert_eq!(*request.method(), typed.http_method, "{name}");
                assert!(typed.path.unwrap().ends_with(request.path()), "{name}");
                assert_eq!(
                    *request.body(),
                    decoded(typed.body.as_deref(), typed.is_base64_encoded),
                    "{name}"
                );
                let multi = typed.multi_value_headers;
                same_headers(
                    &name,
                    request,
                    if multi.is_empty() { &typed.headers } else { &multi },
                );
                let multi = typed.multi_value_query_string_parameters;
                let parameters: Vec<_> = if multi.is_empty() {
                    typed.query_string_parameters.iter().collect()
                } else {
                    multi.iter().collect()
                };
                same_parameters(&name, request, &parameters);
            }
            Envelope::HttpApi => {
                let typed: ApiGatewayV2httpRequest = serde_json::from_slice(&event).unwrap();
                assert_eq!(*request.method(), typed.request_context.http.method, "{name}");
                assert_eq!(
                    request.query(),
                    typed.raw_query_string.unwrap_or_default(),
                    "{name}"
                );
                assert_eq!(
                    *request.body(),
                    decoded(typed.body.as_deref(), typed.is_base64_encoded),
                    "{name}"
                );
                same_headers(&name, request, &typed.headers);
                if name.starts_with("function_url") {
                    let typed: LambdaFunctionUrlRequest = serde_json::from_slice(&event).unwrap();
                    assert_eq!(request.path(), typed.raw_path.unwrap(), "{name}");
                }
            }
            Envelope::LoadBalancer | Envelope::LoadBalancerMultiValue => {
                let typed: AlbTargetGroupRequest = serde_json::from_slice(&event).unwrap();
                assert_eq!(*request.method(), typed.http_method, "{name}");
                assert_eq!(request.path(), typed.path.unwrap(), "{name}");
                assert_eq!(
                    *request.body(),
                    decoded(typed.body.as_deref(), typed.is_base64_encoded),
                    "{name}"
                );
                let multi = typed.multi_value_headers;
                same_headers(
                    &name,
                    request,
                    if multi.is_empty() { &typed.headers } else { &multi },
                );
            }
            Envelope::Unknown => panic!("{name} is a request, yet unknown"),
        }
    }
    assert!(compared > 15, "only {compared} fixtures were compared");
}

#[test]
fn a_configured_base_path_is_taken_off_and_named() {
    let event = fixtures()
        .into_iter()
        .find_map(|(name, event)| (name == "v1_custom_domain_base_path").then_some(event))
        .unwrap();
    for configured in ["/library", "library", "/library/"] {
        let settings = EventSettings::new(Some(configured), None);
        let request = map_request(&event, INVOCATION_ID, None, &settings)
            .request
            .unwrap();
        assert_eq!(
            (request.base_path(), request.path()),
            ("/library", "/authors"),
            "{configured}"
        );
    }
    assert_eq!(EventSettings::new(Some("/"), None), EventSettings::default());
}

#[test]
fn the_limit_of_the_body_counts_base64_and_can_be_set() {
    let event = |body: &str, base64: bool| {
        format!(
            r#"{{"requestContext":{{"elb":{{}}}},"httpMethod":"POST","path":"/","headers":{{}},"body":"{body}","isBase64Encoded":{base64}}}"#
        )
    };
    for (length, base64, limit, expected) in [
        (1_000_000, false, None, Ok(1_000_000)),
        (1_000_001, false, None, Err(1_000_000)),
        (1_000_004, true, None, Err(1_000_000)),
        (16, false, Some(16), Ok(16)),
        (16, true, Some(16), Ok(12)),
        (17, false, Some(16), Err(16)),
        (2_000_000, false, Some(2_000_000), Ok(2_000_000)),
    ] {
        let event = event(&"A".repeat(length), base64);
        let settings = EventSettings::new(None, limit);
        let request = map_request(event.as_bytes(), INVOCATION_ID, None, &settings).request;
        let found = match request {
            Ok(request) => Ok(request.body().len()),
            Err(error) => match error.kind {
                rowstamp_ports::exchange::RequestErrorKind::BodyTooLarge { limit_bytes } => Err(limit_bytes),
                other => panic!("{other}"),
            },
        };
        assert_eq!(found, expected, "{length} {base64} {limit:?}");
    }
}

#[test]
fn a_name_that_logs_could_misread_is_replaced_by_the_invocation() {
    for (id, expected) in [
        ("JKJaXmPLvHcESHA=", "JKJaXmPLvHcESHA="),
        ("", INVOCATION_ID),
        ("two words", INVOCATION_ID),
        ("line\\nbreak", INVOCATION_ID),
    ] {
        let event = format!(
            r#"{{"version":"2.0","rawPath":"/","requestContext":{{"requestId":"{id}","http":{{"method":"GET"}}}}}}"#
        );
        let request = map(event.as_bytes()).request.unwrap();
        assert_eq!(request.request_id(), expected, "{id}");
    }
}

#[test]
fn a_method_that_http_does_not_allow_is_refused_and_an_unusual_one_is_not() {
    for (method, allowed) in [("PROPFIND", true), ("GE T", false), ("", false)] {
        let event = format!(r#"{{"httpMethod":"{method}","path":"/","requestContext":{{}}}}"#);
        assert_eq!(map(event.as_bytes()).request.is_ok(), allowed, "{method}");
    }
}

#[test]
fn settings_are_read_and_every_problem_is_told() {
    let vars = |pairs: &[(&str, &str)]| {
        Vars::new(
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        )
    };
    let mut problems = Problems::new();
    let good = vars(&[
        ("ROWSTAMP_BASE_PATH", "library/"),
        ("ROWSTAMP_MAX_BODY_BYTES", "4096"),
    ]);
    assert_eq!(
        EventSettings::read(&good, &mut problems),
        EventSettings::new(Some("/library"), Some(4096))
    );
    assert!(problems.is_empty());
    let bad = vars(&[
        ("ROWSTAMP_BASE_PATH", "/a b"),
        ("ROWSTAMP_MAX_BODY_BYTES", "6 MB"),
    ]);
    EventSettings::read(&bad, &mut problems);
    assert_eq!(
        problems.to_string(),
        "ROWSTAMP_MAX_BODY_BYTES: expected a number of bytes\nROWSTAMP_BASE_PATH: expected a plain path such as /library"
    );
}

#[test]
fn heads_are_bounded_in_fields_and_bytes() {
    let event = |headers: &str| {
        format!(
            r#"{{"version":"2.0","rawPath":"/","headers":{{{headers}}},"requestContext":{{"http":{{"method":"GET"}}}}}}"#
        )
    };
    let fields = |count: usize| {
        let fields: Vec<_> = (0..count).map(|number| format!(r#""x-{number}":"y""#)).collect();
        fields.join(",")
    };
    for (headers, accepted) in [
        (fields(200), true),
        (fields(201), false),
        // More than the map of header fields can hold at all.
        (fields(40_000), false),
        (format!(r#""x":"{}""#, "y".repeat(100_000)), true),
        (format!(r#""x":"{}""#, "y".repeat(200_000)), false),
    ] {
        let mapped = map(event(&headers).as_bytes());
        assert_eq!(mapped.request.is_ok(), accepted, "{} bytes", headers.len());
    }
}

/// Any JSON in the places of an event that say who is calling.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[\\[\\]\", a-c\u{0}\n\u{e9}]{0,8}".prop_map(Value::from),
    ];
    let name = prop::sample::select(vec![
        "claims",
        "jwt",
        "scopes",
        "lambda",
        "iam",
        "userArn",
        "cognitoIdentity",
        "principalId",
        "sub",
        "identity",
    ]);
    leaf.prop_recursive(4, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name.clone().prop_map(str::to_owned), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_an_authorizer_says_the_event_is_read(
        authorizer in any_json(), identity in any_json(), data in any_json(),
    ) {
        let context = |kind: Value| {
            let mut context = json!({"authorizer": authorizer, "identity": identity});
            for (name, value) in kind.as_object().unwrap() {
                context[name] = value.clone();
            }
            context
        };
        for event in [
            json!({"httpMethod": "GET", "path": "/", "requestContext": context(json!({}))}),
            json!({"version": "2.0", "rawPath": "/", "requestContext": context(json!({"http": {"method": "GET"}}))}),
            json!({"httpMethod": "GET", "path": "/", "headers": {"x-amzn-oidc-data": data},
                "requestContext": context(json!({"elb": {}}))}),
        ] {
            let mapped = map(event.to_string().as_bytes());
            if let Err(refused) = mapped.request {
                prop_assert!(data != Value::Null && !matches!(refused.kind, rowstamp_ports::exchange::RequestErrorKind::UnknownEvent(_)), "{refused:?}");
            }
        }
    }
}
