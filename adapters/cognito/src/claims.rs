//! Claims to a caller, whatever the gateway in front has done to them.
//!
//! API Gateway passes claims on in encodings of its own: a REST API makes every value a string and joins groups with
//! commas, an HTTP API writes arrays as `[a b]` and leaves nulls out. This is where they become what the token said.
//! Nothing is verified here: whoever calls has verified a token, or trusts the authorizer that has.

use std::collections::BTreeMap;

use rowstamp_domain::caller::{Caller, Proof};
use rowstamp_ports::IdentityError;
use rowstamp_ports::exchange::AuthorizerEvidence;
use serde_json::{Map, Value};

/// Cognito's claim for groups.
const GROUPS: &str = "cognito:groups";
/// The claims that are numbers in a token (RFC 7519 §4.1, OpenID Connect Core §2).
const NUMERIC: [&str; 4] = ["exp", "iat", "nbf", "auth_time"];
/// The claims that are booleans in a token (OpenID Connect Core §5.1).
const BOOLEAN: [&str; 2] = ["email_verified", "phone_number_verified"];
/// No subject of Cognito and no ARN is longer.
const LONGEST_SUBJECT_BYTES: usize = 2048;

/// How a list stands in a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ListForm {
    /// An array of strings, as in a token.
    Array,
    /// `a,b`: REST API. A comma within a name cannot be told from one between names.
    Commas,
    /// `[a b]`: HTTP API. Names of Cognito groups hold no spaces.
    Brackets,
    /// Whatever the author of a Lambda authorizer wrote: an array, one as JSON text, `[a b]` or `a,b`.
    Any,
}

/// The caller that an authorizer in front of us vouches for.
///
/// The subject is the claim `sub`; a Lambda authorizer may say `principalId` instead, and an IAM caller's is its ARN.
/// Groups are those of `cognito:groups` (a Lambda authorizer may say `groups`), scopes those of `scope` and `scopes`. Claims of
/// unexpected shape are left out of both and stay readable as claims.
///
/// # Errors
/// [`IdentityError::Invalid`] when there is no usable subject.
pub fn caller_of_authorizer(evidence: &AuthorizerEvidence) -> Result<Caller, IdentityError> {
    match evidence {
        AuthorizerEvidence::CognitoClaims(claims) => assemble(
            claims,
            claims.get("sub"),
            &[],
            ListForm::Commas,
            Proof::Authorizer,
        ),
        AuthorizerEvidence::Jwt { claims, scopes } => {
            let scopes = scopes.as_deref().unwrap_or_default();
            assemble(
                claims,
                claims.get("sub"),
                scopes,
                ListForm::Brackets,
                Proof::Authorizer,
            )
        }
        AuthorizerEvidence::Lambda(context) => {
            let subject = context.get("sub").or_else(|| context.get("principalId"));
            assemble(context, subject, &[], ListForm::Any, Proof::Authorizer)
        }
        AuthorizerEvidence::Iam { arn } => Ok(Caller::new(usable_subject(arn)?, Proof::Iam)),
    }
}

/// The caller of a token whose claims were verified here.
///
/// # Errors
/// [`IdentityError::Invalid`] when there is no usable subject.
pub fn caller_of_token(claims: &Map<String, Value>) -> Result<Caller, IdentityError> {
    assemble(claims, claims.get("sub"), &[], ListForm::Array, Proof::Token)
}

fn assemble(
    claims: &Map<String, Value>,
    subject: Option<&Value>,
    granted: &[String],
    form: ListForm,
    proof: Proof,
) -> Result<Caller, IdentityError> {
    let subject = match subject {
        Some(Value::String(subject)) => usable_subject(subject)?,
        Some(_) => return Err(invalid("the subject of the identity is not text")),
        None => return Err(invalid("the identity has no subject")),
    };
    let groups = claims
        .get(GROUPS)
        .or_else(|| claims.get("groups").filter(|_| form == ListForm::Any))
        .map(|value| list(value, form))
        .unwrap_or_default();
    let mut scopes = Vec::new();
    let named = claims
        .get("scope")
        .into_iter()
        .chain(claims.get("scopes").filter(|_| form == ListForm::Any))
        .flat_map(scope_list);
    for scope in named.chain(granted.iter().cloned()) {
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    Ok(Caller::new(subject, proof)
        .with_groups(groups)
        .with_scopes(scopes)
        .with_claims(restored(claims, form)))
}

/// The audit columns keep the subject as text, which cannot hold every character.
fn usable_subject(subject: &str) -> Result<&str, IdentityError> {
    if subject.trim().is_empty() {
        Err(invalid("the subject of the identity is empty"))
    } else if subject.len() > LONGEST_SUBJECT_BYTES || subject.chars().any(char::is_control) {
        Err(invalid("the subject of the identity is not usable"))
    } else {
        Ok(subject)
    }
}

fn invalid(words: &str) -> IdentityError {
    IdentityError::Invalid(words.to_owned())
}

/// The names in a list; values that are no names are left out.
fn list(value: &Value, form: ListForm) -> Vec<String> {
    let names = |parts: &mut dyn Iterator<Item = &str>| {
        parts
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect()
    };
    match (value, form) {
        (Value::Array(values), _) => names(&mut values.iter().filter_map(Value::as_str)),
        (Value::String(text), ListForm::Commas) => names(&mut text.split(',')),
        (Value::String(text), ListForm::Brackets) => match in_brackets(text) {
            Some(inner) => names(&mut inner.split_whitespace()),
            None => names(&mut std::iter::once(text.as_str())),
        },
        (Value::String(text), ListForm::Any) => match (serde_json::from_str(text), in_brackets(text)) {
            (Ok(array @ Value::Array(_)), _) => list(&array, ListForm::Array),
            (_, Some(inner)) => names(&mut inner.split([' ', ','])),
            (_, None) => names(&mut text.split(',')),
        },
        _ => Vec::new(),
    }
}

fn in_brackets(text: &str) -> Option<&str> {
    text.trim().strip_prefix('[')?.strip_suffix(']')
}

/// Scopes are words with spaces between (RFC 6749 §3.3), or already a list.
fn scope_list(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => in_brackets(text)
            .unwrap_or(text)
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
        other => list(other, ListForm::Array),
    }
}

/// The claims as the token had them, as far as their names tell; the others stay as they came.
fn restored(claims: &Map<String, Value>, form: ListForm) -> BTreeMap<String, Value> {
    claims
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.clone(), restored_value(name, value, form)))
        .collect()
}

fn restored_value(name: &str, value: &Value, form: ListForm) -> Value {
    match value {
        Value::String(text) if form != ListForm::Array => {
            if name == GROUPS {
                list(value, form).into()
            } else if NUMERIC.contains(&name) {
                // A REST API writes a date in words here, which stays text.
                text.parse::<i64>().map_or_else(|_| value.clone(), Value::from)
            } else if BOOLEAN.contains(&name) {
                text.parse::<bool>().map_or_else(|_| value.clone(), Value::from)
            } else {
                value.clone()
            }
        }
        _ => value.clone(),
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

    fn cognito(claims: Value) -> AuthorizerEvidence {
        AuthorizerEvidence::CognitoClaims(map(claims))
    }

    fn jwt(claims: Value, scopes: Option<&[&str]>) -> AuthorizerEvidence {
        AuthorizerEvidence::Jwt {
            claims: map(claims),
            scopes: scopes.map(|scopes| scopes.iter().map(|&scope| scope.to_owned()).collect()),
        }
    }

    fn lambda(context: Value) -> AuthorizerEvidence {
        AuthorizerEvidence::Lambda(map(context))
    }

    #[test]
    fn subject_groups_and_scopes_are_found_in_every_form() {
        #[rustfmt::skip]
        let cases: [(AuthorizerEvidence, &str, &[&str], &[&str]); 22] = [
            (cognito(json!({"sub": "s"})), "s", &[], &[]),
            (cognito(json!({"sub": "s", "cognito:groups": "staff"})), "s", &["staff"], &[]),
            (cognito(json!({"sub": "s", "cognito:groups": "staff,librarians"})), "s", &["staff", "librarians"], &[]),
            (cognito(json!({"sub": "s", "cognito:groups": " staff , ,librarians,"})), "s", &["staff", "librarians"], &[]),
            (cognito(json!({"sub": "s", "cognito:groups": ""})), "s", &[], &[]),
            (cognito(json!({"sub": "s", "cognito:groups": 7})), "s", &[], &[]),
            (cognito(json!({"sub": "s", "groups": "staff"})), "s", &[], &[]),
            (cognito(json!({"sub": "s", "scope": "a b"})), "s", &[], &["a", "b"]),
            (jwt(json!({"sub": "s", "cognito:groups": "[staff librarians]"}), None), "s", &["staff", "librarians"], &[]),
            (jwt(json!({"sub": "s", "cognito:groups": "[staff]"}), None), "s", &["staff"], &[]),
            (jwt(json!({"sub": "s", "cognito:groups": "[]"}), None), "s", &[], &[]),
            (jwt(json!({"sub": "s", "cognito:groups": "staff,librarians"}), None), "s", &["staff,librarians"], &[]),
            (jwt(json!({"sub": "s", "cognito:groups": "[unclosed"}), None), "s", &["[unclosed"], &[]),
            (jwt(json!({"sub": "s"}), Some(&["a", "b"])), "s", &[], &["a", "b"]),
            (jwt(json!({"sub": "s", "scope": "b c"}), Some(&["a", "b"])), "s", &[], &["b", "c", "a"]),
            (jwt(json!({"sub": "s", "scope": null}), None), "s", &[], &[]),
            (lambda(json!({"principalId": "p"})), "p", &[], &[]),
            (lambda(json!({"principalId": "p", "sub": "s", "groups": ["a", 1, "b"]})), "s", &["a", "b"], &[]),
            (lambda(json!({"sub": "s", "groups": "[\"a b\",\"c\"]"})), "s", &["a b", "c"], &[]),
            (lambda(json!({"sub": "s", "groups": "[a b]", "scope": "x", "scopes": ["x", "y"]})), "s", &["a", "b"], &["x", "y"]),
            (lambda(json!({"sub": "s", "groups": "a, b"})), "s", &["a", "b"], &[]),
            (AuthorizerEvidence::Iam { arn: "arn:aws:iam::1:user/a".to_owned() }, "arn:aws:iam::1:user/a", &[], &[]),
        ];
        for (evidence, subject, groups, scopes) in cases {
            let caller = caller_of_authorizer(&evidence).unwrap();
            assert_eq!(caller.subject(), Some(subject), "{evidence:?}");
            assert_eq!(caller.groups(), groups, "{evidence:?}");
            assert_eq!(caller.scopes(), scopes, "{evidence:?}");
        }
    }

    #[test]
    fn who_has_no_usable_subject_is_refused() {
        let long = "s".repeat(LONGEST_SUBJECT_BYTES + 1);
        for evidence in [
            cognito(json!({})),
            cognito(json!({"sub": null})),
            cognito(json!({"sub": ""})),
            cognito(json!({"sub": "  "})),
            cognito(json!({"sub": 7})),
            cognito(json!({"sub": ["s"]})),
            cognito(json!({"sub": "nul\u{0}"})),
            cognito(json!({"sub": "line\nbreak"})),
            cognito(json!({"sub": long})),
            cognito(json!({"principalId": "p"})),
            jwt(json!({"username": "u"}), Some(&["a"])),
            lambda(json!({"tenant": "north"})),
            AuthorizerEvidence::Iam { arn: String::new() },
        ] {
            let refused = caller_of_authorizer(&evidence).unwrap_err();
            assert!(matches!(refused, IdentityError::Invalid(_)), "{evidence:?}");
        }
    }

    #[test]
    fn claims_are_given_back_their_types_where_the_name_tells() {
        let given = json!({
            "sub": "s", "exp": "1795354496", "iat": "Tue Apr 04 18:39:39 UTC 2023", "email_verified": "true",
            "phone_number_verified": "maybe", "cognito:groups": "[a b]", "custom:level": "3", "nothing": null,
        });
        let caller = caller_of_authorizer(&jwt(given, None)).unwrap();
        let expected = json!({
            "sub": "s", "exp": 1_795_354_496, "iat": "Tue Apr 04 18:39:39 UTC 2023", "email_verified": true,
            "phone_number_verified": "maybe", "cognito:groups": ["a", "b"], "custom:level": "3",
        });
        assert_eq!(json!(caller.claims()), expected);
        assert_eq!(caller.proof(), Proof::Authorizer);
    }

    #[test]
    fn a_verified_token_is_taken_as_it_is() {
        let claims = json!({
            "sub": "s", "exp": 1, "cognito:groups": ["a b", "c,d"], "scope": "x y", "groups": ["other"],
        });
        let caller = caller_of_token(&map(claims.clone())).unwrap();
        assert_eq!(caller.groups(), ["a b", "c,d"]);
        assert_eq!(caller.scopes(), ["x", "y"]);
        assert_eq!(json!(caller.claims()), claims);
        assert_eq!(caller.proof(), Proof::Token);
        let text_groups = map(json!({"sub": "s", "cognito:groups": "admin,root"}));
        assert!(caller_of_token(&text_groups).unwrap().groups().is_empty());
    }

    #[test]
    fn a_group_is_matched_as_a_whole() {
        let caller = caller_of_authorizer(&cognito(
            json!({"sub": "s", "cognito:groups": "librarians-intern,staff"}),
        ))
        .unwrap();
        assert!(caller.in_group("staff"));
        assert!(!caller.in_group("librarians"));
    }
}
