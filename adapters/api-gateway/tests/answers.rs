//! Responses through the Response Mapper: their shapes, their limits, and bodies that must survive.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use aws_lambda_events::alb::AlbTargetGroupResponse;
use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayV2httpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use proptest::prelude::*;
use rowstamp_api_gateway::{Envelope, map_response};
use rowstamp_ports::exchange::ApiResponse;
use serde_json::{Value, json};

const ENVELOPES: [Envelope; 5] = [
    Envelope::RestApi,
    Envelope::HttpApi,
    Envelope::LoadBalancer,
    Envelope::LoadBalancerMultiValue,
    Envelope::Unknown,
];

fn response(status: u16, headers: &[(&'static str, &'static str)], body: impl Into<Bytes>) -> ApiResponse {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    ApiResponse {
        status: StatusCode::from_u16(status).unwrap(),
        headers: map,
        body: body.into(),
    }
}

fn written(envelope: Envelope, response: ApiResponse) -> Value {
    serde_json::from_slice(&map_response(envelope, response).unwrap()).unwrap()
}

#[test]
fn each_entrance_gets_its_own_shape() {
    let headers = &[
        ("content-type", "application/json"),
        ("vary", "Authorization"),
        ("vary", "Accept"),
        ("set-cookie", "a=1; Path=/"),
        ("set-cookie", "b=2"),
    ];
    let body = r#"{"title":"A \"quoted\" title"}"#;
    let common = |mut shape: Value| {
        shape["statusCode"] = json!(200);
        shape["body"] = json!(body);
        shape["isBase64Encoded"] = json!(false);
        shape
    };
    let joined = json!({"content-type": "application/json", "vary": "Authorization, Accept"});
    for (envelope, expected) in [
        (
            Envelope::RestApi,
            json!({
                "headers": {"content-type": "application/json"},
                "multiValueHeaders": {"vary": ["Authorization", "Accept"], "set-cookie": ["a=1; Path=/", "b=2"]},
            }),
        ),
        (
            Envelope::HttpApi,
            json!({"headers": joined, "cookies": ["a=1; Path=/", "b=2"]}),
        ),
        (
            Envelope::LoadBalancer,
            json!({
                "statusDescription": "200 OK",
                "headers": {"content-type": "application/json", "vary": "Authorization, Accept", "set-cookie": "b=2"},
            }),
        ),
        (
            Envelope::LoadBalancerMultiValue,
            json!({
                "statusDescription": "200 OK",
                "multiValueHeaders": {
                    "content-type": ["application/json"],
                    "vary": ["Authorization", "Accept"],
                    "set-cookie": ["a=1; Path=/", "b=2"],
                },
            }),
        ),
    ] {
        assert_eq!(
            written(envelope, response(200, headers, body)),
            common(expected),
            "{envelope:?}"
        );
    }
}

#[test]
fn an_answer_without_a_body_has_an_empty_one() {
    for envelope in ENVELOPES {
        let answer = written(envelope, response(204, &[], ""));
        assert_eq!(answer["statusCode"], 204, "{envelope:?}");
        assert_eq!(answer["body"], "", "{envelope:?}");
        assert_eq!(answer["isBase64Encoded"], false, "{envelope:?}");
        let has_multi = answer.get("multiValueHeaders").is_some();
        assert_eq!(
            has_multi,
            envelope == Envelope::LoadBalancerMultiValue,
            "{envelope:?}"
        );
    }
}

#[test]
fn the_typed_answers_of_aws_read_what_was_written() {
    let headers = &[
        ("etag", "\"1\""),
        ("link", "<?a>; rel=next"),
        ("link", "<?b>; rel=last"),
        ("set-cookie", "a=1"),
    ];
    let write = |envelope| map_response(envelope, response(412, headers, "x")).unwrap();

    let v1: ApiGatewayProxyResponse = serde_json::from_slice(&write(Envelope::RestApi)).unwrap();
    assert_eq!((v1.status_code, v1.is_base64_encoded), (412, false));
    assert_eq!(v1.headers["etag"], "\"1\"");
    assert_eq!(v1.multi_value_headers.get_all("link").iter().count(), 2);

    let v2: ApiGatewayV2httpResponse = serde_json::from_slice(&write(Envelope::HttpApi)).unwrap();
    assert_eq!(v2.status_code, 412);
    assert_eq!(v2.headers["link"], "<?a>; rel=next, <?b>; rel=last");
    let plain = map_response(Envelope::HttpApi, response(200, &[], "x")).unwrap();
    let v2: ApiGatewayV2httpResponse = serde_json::from_slice(&plain).unwrap();
    assert_eq!(v2.cookies, Vec::<String>::new());

    let alb: AlbTargetGroupResponse =
        serde_json::from_slice(&write(Envelope::LoadBalancerMultiValue)).unwrap();
    assert_eq!(alb.status_description.as_deref(), Some("412 Precondition Failed"));
    assert_eq!(alb.multi_value_headers.get_all("link").iter().count(), 2);
}

#[test]
fn an_answer_over_the_limit_is_handed_back() {
    // A quote takes two bytes inside a JSON string, a control character six.
    for (envelope, text, count, fits) in [
        (Envelope::LoadBalancer, "a", 999_000, true),
        (Envelope::LoadBalancer, "a", 1_000_001, false),
        (Envelope::LoadBalancer, "\"", 499_000, true),
        (Envelope::LoadBalancerMultiValue, "\"", 500_000, false),
        (Envelope::LoadBalancer, "\u{1}", 166_000, true),
        (Envelope::LoadBalancer, "\u{1}", 167_000, false),
        (Envelope::RestApi, "a", 5_990_000, true),
        (Envelope::RestApi, "\"", 3_000_000, false),
        (Envelope::HttpApi, "\"", 3_000_000, false),
        (Envelope::HttpApi, "a", 5_990_000, true),
    ] {
        let offered = response(200, &[("content-type", "application/json")], text.repeat(count));
        match map_response(envelope, offered.clone()) {
            Ok(answer) => {
                assert!(fits, "{envelope:?} {count} × {text:?}");
                assert!(
                    answer.len() <= envelope.limit_bytes().unwrap(),
                    "{}",
                    answer.len()
                );
            }
            Err(refused) => {
                assert!(!fits, "{envelope:?} {count} × {text:?}");
                assert_eq!(refused, offered);
            }
        }
    }
    let binary = response(200, &[], vec![0xff_u8; 800_000]);
    assert!(
        map_response(Envelope::LoadBalancer, binary).is_err(),
        "base64 counts"
    );
}

proptest! {
    #[test]
    fn any_text_survives(body in any::<String>(), which in 0..ENVELOPES.len()) {
        let answer = written(ENVELOPES[which], response(200, &[], body.clone()));
        prop_assert_eq!(answer["body"].as_str().unwrap(), body);
        prop_assert_eq!(&answer["isBase64Encoded"], false);
    }

    #[test]
    fn any_bytes_survive(body in any::<Vec<u8>>(), which in 0..ENVELOPES.len()) {
        let answer = written(ENVELOPES[which], response(200, &[], body.clone()));
        let text = answer["body"].as_str().unwrap();
        let found = if answer["isBase64Encoded"] == true { STANDARD.decode(text).unwrap() } else { text.as_bytes().to_vec() };
        prop_assert_eq!(found, body);
    }

    #[test]
    fn any_header_value_can_be_written(value in proptest::collection::vec(0x20_u8..=0xff, 0..40)) {
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            let mut offered = response(200, &[], "");
            offered.headers.insert("x-any", value);
            for envelope in ENVELOPES {
                prop_assert!(serde_json::from_slice::<Value>(&map_response(envelope, offered.clone()).unwrap()).is_ok());
            }
        }
    }
}
