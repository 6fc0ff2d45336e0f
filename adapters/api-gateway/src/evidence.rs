//! What an event says about its caller: an authorizer's words, or a bearer token that nobody has verified yet.
//!
//! Nothing is normalised and nobody is believed here; that is the identity port's work. Of the headers that a load
//! balancer adds about a user only the signed one is handed on, since anybody can send the others.

use http::HeaderMap;
use rowstamp_ports::Secret;
use rowstamp_ports::exchange::{AuthorizerEvidence, Evidence};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// The schemes of Signature Version 4 and 4A.
const AWS_SIGNATURES: [&str; 2] = ["AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"];

/// What a load balancer that signs users in says about one, signed by it.
pub(crate) const LOAD_BALANCER_DATA: &str = "x-amzn-oidc-data";
/// The same user's token for the provider's own services, which is none of ours.
pub(crate) const LOAD_BALANCER_TOKEN: &str = "x-amzn-oidc-accesstoken";

/// What payload version 2 says about an IAM caller and version 1 under the second name. The access key is left out:
/// it says nothing about who it is.
const IAM_CLAIMS: [(&str, &str); 7] = [
    ("userArn", "userArn"),
    ("accountId", "accountId"),
    ("userId", "user"),
    ("callerId", "caller"),
    ("principalOrgId", "principalOrgId"),
    ("cognitoIdentityId", "cognitoIdentityId"),
    ("cognitoIdentityPoolId", "cognitoIdentityPoolId"),
];

/// The evidence of payload version 1. An HTTP API that speaks version 1 says `scopes` beside `claims`.
pub(crate) fn of_v1(
    authorizer: Option<&RawValue>,
    identity: Option<&RawValue>,
    headers: &HeaderMap,
) -> Evidence {
    let mut context = object(authorizer);
    // What the gateway itself adds says nothing about the caller.
    context.retain(|name, value| {
        !value.is_null() && name != "integrationLatency" && name != "integrationStatus"
    });
    let speaks_of_scopes = context.contains_key("scopes");
    if let Some(Value::Object(claims)) = context.get_mut("claims") {
        let claims = std::mem::take(claims);
        return Evidence::Authorizer(if speaks_of_scopes {
            AuthorizerEvidence::Jwt {
                claims,
                scopes: context.get("scopes").and_then(scopes),
            }
        } else {
            AuthorizerEvidence::CognitoClaims(claims)
        });
    }
    if !context.is_empty() {
        return Evidence::Authorizer(AuthorizerEvidence::Lambda(context));
    }
    let mut identity = object(identity);
    let claims = IAM_CLAIMS.iter().filter_map(|&(name, found_as)| {
        let value = identity.remove(found_as).filter(Value::is_string)?;
        Some((name.to_owned(), value))
    });
    iam(claims.collect()).unwrap_or_else(|| of_headers(headers))
}

/// The evidence of payload version 2.
pub(crate) fn of_v2(authorizer: Option<&RawValue>, headers: &HeaderMap) -> Evidence {
    let mut context = object(authorizer);
    if let Some(Value::Object(jwt)) = context.get_mut("jwt")
        && let Some(Value::Object(claims)) = jwt.get_mut("claims")
    {
        return Evidence::Authorizer(AuthorizerEvidence::Jwt {
            claims: std::mem::take(claims),
            scopes: jwt.get("scopes").and_then(scopes),
        });
    }
    if let Some(Value::Object(lambda)) = context.get_mut("lambda")
        && !lambda.is_empty()
    {
        return Evidence::Authorizer(AuthorizerEvidence::Lambda(std::mem::take(lambda)));
    }
    if let Some(Value::Object(caller)) = context.get_mut("iam") {
        // An identity pool's part in it is an object of its own.
        if let Some(Value::Object(pool)) = caller.remove("cognitoIdentity") {
            let names = [
                ("identityId", "cognitoIdentityId"),
                ("identityPoolId", "cognitoIdentityPoolId"),
            ];
            for (found_as, name) in names {
                if let Some(value) = pool.get(found_as) {
                    caller.insert(name.to_owned(), value.clone());
                }
            }
        }
        caller.retain(|name, value| value.is_string() && IAM_CLAIMS.iter().any(|(known, _)| *known == name));
        if let Some(evidence) = iam(std::mem::take(caller)) {
            return evidence;
        }
    }
    of_headers(headers)
}

/// The evidence of a load balancer's event. Whether its own statement counts is not known here.
pub(crate) fn of_load_balancer(headers: &HeaderMap) -> Evidence {
    let mut given = headers.get_all(LOAD_BALANCER_DATA).iter();
    let Some(data) = given.next() else {
        return of_headers(headers);
    };
    // Two of them, or one that is no text, prove nothing, and must not read as if there were none.
    let data = data.to_str().ok().filter(|_| given.next().is_none());
    Evidence::LoadBalancer {
        data: Secret::new(data.unwrap_or_default()),
        bearer: match of_headers(headers) {
            Evidence::Bearer(token) => Some(token),
            _ => None,
        },
    }
}

fn iam(claims: Map<String, Value>) -> Option<Evidence> {
    let arn = claims.get("userArn")?.as_str()?.to_owned();
    Some(Evidence::Authorizer(AuthorizerEvidence::Iam { arn, claims }))
}

/// A bearer token, where no authorizer spoke.
///
/// A caller who tried to prove itself in another way, or in two, gets an empty token: that proves nothing and is
/// refused, where none at all would quietly make it anonymous. A signature of AWS (Signature Version 4) is no such
/// attempt: it is meant for what is in front of the function.
pub(crate) fn of_headers(headers: &HeaderMap) -> Evidence {
    let mut given = headers.get_all(http::header::AUTHORIZATION).iter();
    let Some(value) = given.next() else {
        return Evidence::None;
    };
    let alone = given.next().is_none();
    let (scheme, token) = value
        .to_str()
        .ok()
        .filter(|_| alone)
        .and_then(|value| value.split_once(' '))
        .unwrap_or_default();
    if AWS_SIGNATURES
        .iter()
        .any(|name| scheme.eq_ignore_ascii_case(name))
    {
        return Evidence::None;
    }
    let token = if scheme.eq_ignore_ascii_case("bearer") {
        token.trim_ascii()
    } else {
        ""
    };
    Evidence::Bearer(Secret::new(token))
}

/// The object, or an empty one for anything else: an authorizer that says nothing readable proves nothing.
fn object(authorizer: Option<&RawValue>) -> Map<String, Value> {
    authorizer
        .and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default()
}

fn scopes(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(values) => Some(
            values
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
        ),
        Value::String(text) => Some(text.split_whitespace().map(str::to_owned).collect()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map,
            other => panic!("{other} is no object"),
        }
    }

    fn raw(json: &str) -> Option<&RawValue> {
        serde_json::from_str(json).unwrap()
    }

    fn bearer_headers() -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", "Bearer a.b.c".parse().unwrap());
        headers
    }

    #[test]
    fn version_1_tells_its_authorizers_apart() {
        let lambda = json!({"principalId": "user|a1b2", "tenant": "north"});
        let caller = r#"{"userArn":"arn:aws:iam::1:user/x","accountId":"1","user":"AIDA","caller":null,"accessKey":"AKIA"}"#;
        for (authorizer, identity, expected) in [
            (
                r#"{"claims":{"sub":"s"}}"#,
                None,
                AuthorizerEvidence::CognitoClaims(map(json!({"sub": "s"}))),
            ),
            (
                r#"{"claims":{"sub":"s"},"scopes":["a","b"]}"#,
                None,
                AuthorizerEvidence::Jwt {
                    claims: map(json!({"sub": "s"})),
                    scopes: Some(vec!["a".to_owned(), "b".to_owned()]),
                },
            ),
            (
                r#"{"principalId":"user|a1b2","tenant":"north","integrationLatency":12}"#,
                Some(caller),
                AuthorizerEvidence::Lambda(map(lambda)),
            ),
            (
                r#"{"claims":"text","principalId":"p"}"#,
                None,
                AuthorizerEvidence::Lambda(map(json!({"claims": "text", "principalId": "p"}))),
            ),
            (
                r#"{"claims":null,"scopes":null}"#,
                Some(caller),
                AuthorizerEvidence::Iam {
                    arn: "arn:aws:iam::1:user/x".to_owned(),
                    claims: map(
                        json!({"userArn": "arn:aws:iam::1:user/x", "accountId": "1", "userId": "AIDA"}),
                    ),
                },
            ),
        ] {
            assert_eq!(
                of_v1(raw(authorizer), identity.and_then(raw), &bearer_headers()),
                Evidence::Authorizer(expected),
                "{authorizer}"
            );
        }
    }

    #[test]
    fn version_2_tells_its_authorizers_apart() {
        for (authorizer, expected) in [
            (
                r#"{"jwt":{"claims":{"sub":"s"},"scopes":null}}"#,
                AuthorizerEvidence::Jwt {
                    claims: map(json!({"sub": "s"})),
                    scopes: None,
                },
            ),
            (
                r#"{"jwt":{"claims":{},"scopes":["a"]}}"#,
                AuthorizerEvidence::Jwt {
                    claims: Map::new(),
                    scopes: Some(vec!["a".to_owned()]),
                },
            ),
            (
                r#"{"lambda":{"sub":"s"}}"#,
                AuthorizerEvidence::Lambda(map(json!({"sub": "s"}))),
            ),
            (
                r#"{"iam":{"userArn":"arn:aws:sts::1:assumed-role/r/s","userId":"AIDA","accessKey":"AKIA","callerId":7,
                    "cognitoIdentity":{"identityId":"eu-west-1:1","amr":["a"]}}}"#,
                AuthorizerEvidence::Iam {
                    arn: "arn:aws:sts::1:assumed-role/r/s".to_owned(),
                    claims: map(
                        json!({"userArn": "arn:aws:sts::1:assumed-role/r/s", "userId": "AIDA", "cognitoIdentityId": "eu-west-1:1"}),
                    ),
                },
            ),
        ] {
            assert_eq!(
                of_v2(raw(authorizer), &bearer_headers()),
                Evidence::Authorizer(expected),
                "{authorizer}"
            );
        }
    }

    #[test]
    fn an_authorizer_that_says_nothing_leaves_the_bearer_token() {
        let token = Evidence::Bearer(Secret::new("a.b.c"));
        for authorizer in [
            "null",
            "{}",
            "[]",
            "7",
            r#""text""#,
            r#"{"lambda":{}}"#,
            r#"{"lambda":null}"#,
            r#"{"jwt":{}}"#,
            r#"{"jwt":{"claims":"x"}}"#,
            r#"{"iam":{}}"#,
            r#"{"iam":{"userArn":null}}"#,
        ] {
            assert_eq!(of_v2(raw(authorizer), &bearer_headers()), token, "{authorizer}");
        }
        for authorizer in [
            "null",
            "{}",
            "[]",
            r#"{"integrationLatency":3}"#,
            r#"{"claims":null,"scopes":null}"#,
        ] {
            assert_eq!(
                of_v1(raw(authorizer), None, &bearer_headers()),
                token,
                "{authorizer}"
            );
        }
    }

    fn authorizations(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(http::header::AUTHORIZATION, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn only_a_bearer_token_is_evidence_and_another_attempt_is_an_invalid_one() {
        let signed = "AWS4-HMAC-SHA256 Credential=AKIA/20261122/eu-west-1/execute-api/aws4_request";
        for (values, expected) in [
            (&[][..], None),
            (&["Bearer t"], Some("t")),
            (&["bearer  t "], Some("t")),
            (&["Bearer "], Some("")),
            (&["Bearer"], Some("")),
            (&[""], Some("")),
            (&["Basic dTpw"], Some("")),
            (&["Bearer\u{fc} t"], Some("")),
            (&["Bearer a", "Bearer b"], Some("")),
            (&["Bearer a", "Bearer a"], Some("")),
            (&["Bearer a", signed], Some("")),
            (&[signed, "Bearer a"], Some("")),
            (&[signed], None),
            (&["AWS4-ECDSA-P256-SHA256 Credential=AKIA"], None),
        ] {
            let expected = expected.map_or(Evidence::None, |token| Evidence::Bearer(Secret::new(token)));
            let headers = authorizations(values);
            assert_eq!(of_headers(&headers), expected, "{values:?}");
            assert_eq!(of_v1(None, None, &headers), expected, "{values:?}");
            assert_eq!(of_v2(None, &headers), expected, "{values:?}");
        }
    }

    #[test]
    fn where_an_authorizer_spoke_the_header_says_nothing() {
        let iam = || {
            Evidence::Authorizer(AuthorizerEvidence::Iam {
                arn: "arn:aws:iam::1:user/x".to_owned(),
                claims: map(json!({"userArn": "arn:aws:iam::1:user/x"})),
            })
        };
        for values in [
            &["Basic dTpw"][..],
            &["Bearer"],
            &["Bearer a", "Bearer b"],
            &["AWS4-HMAC-SHA256 Credential=AKIA"],
        ] {
            let headers = authorizations(values);
            assert_eq!(
                of_v1(None, raw(r#"{"userArn":"arn:aws:iam::1:user/x"}"#), &headers),
                iam(),
                "{values:?}"
            );
            let authorizer = raw(r#"{"iam":{"userArn":"arn:aws:iam::1:user/x"}}"#);
            assert_eq!(of_v2(authorizer, &headers), iam(), "{values:?}");
        }
    }
    #[test]
    fn a_load_balancers_statement_is_handed_on_unjudged() {
        let statement = |data: &str, bearer: Option<&str>| Evidence::LoadBalancer {
            data: Secret::new(data),
            bearer: bearer.map(Secret::new),
        };
        for (data, authorization, expected) in [
            (&["a.b.c"][..], &[][..], statement("a.b.c", None)),
            (&["a.b.c"], &["Bearer t"], statement("a.b.c", Some("t"))),
            (&["a.b.c"], &["Basic dTpw"], statement("a.b.c", Some(""))),
            (&["a.b.c", "a.b.c"], &[], statement("", None)),
            (&["\u{fc}"], &[], statement("", None)),
            (&[], &["Bearer t"], Evidence::Bearer(Secret::new("t"))),
            (&[], &[], Evidence::None),
        ] {
            let mut headers = authorizations(authorization);
            for value in data {
                headers.append(LOAD_BALANCER_DATA, value.parse().unwrap());
            }
            assert_eq!(of_load_balancer(&headers), expected, "{data:?} {authorization:?}");
        }
    }
}
