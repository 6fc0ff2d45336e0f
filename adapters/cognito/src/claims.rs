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

use crate::AuthorizerKeys;

/// Cognito's claim for groups.
const GROUPS: &str = "cognito:groups";
/// The identity of an IAM caller that has its role from an identity pool.
const IDENTITY_OF_POOL: &str = "cognitoIdentityId";
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
/// The subject is the claim `sub`, and an IAM caller's is its ARN, or its
/// identity where an identity pool gave it the role; groups are those of `cognito:groups`, scopes those of
/// `scope`. A Lambda authorizer may say otherwise, as `keys` has it, and so may the token of an HTTP API's JWT authorizer where
/// `keys` were set. Claims of unexpected shape are left out of groups and scopes, and stay readable as claims.
///
/// # Errors
/// [`IdentityError::Invalid`] when there is no usable subject.
pub fn caller_of_authorizer(
    evidence: &AuthorizerEvidence,
    keys: &AuthorizerKeys,
) -> Result<Caller, IdentityError> {
    match evidence {
        AuthorizerEvidence::CognitoClaims(claims) => {
            Source::of_token(claims, ListForm::Commas, Proof::Authorizer).caller()
        }
        AuthorizerEvidence::Jwt { claims, scopes } => Source {
            granted: scopes.as_deref().unwrap_or_default(),
            ..Source::of_token(claims, ListForm::Brackets, Proof::Authorizer).with(keys)
        }
        .caller(),
        AuthorizerEvidence::Lambda(context) => Source {
            subject: keys.subject_of_context(),
            groups: keys.groups_of_context(),
            scopes: keys.scopes_of_context(),
            ..Source::of_token(context, ListForm::Any, Proof::Authorizer)
        }
        .caller(),
        AuthorizerEvidence::Iam { arn, claims } => {
            // All users of an identity pool have one role and one ARN; what tells them apart is their identity.
            let identity = claims.get(IDENTITY_OF_POOL).and_then(Value::as_str);
            let subject = usable_subject(identity.unwrap_or(arn))?;
            Ok(Caller::new(subject, Proof::Iam).with_claims(restored(claims, ListForm::Array)))
        }
    }
}

/// The caller of a token whose claims were verified here.
///
/// # Errors
/// [`IdentityError::Invalid`] when there is no usable subject.
pub fn caller_of_token(claims: &Map<String, Value>) -> Result<Caller, IdentityError> {
    Source::of_token(claims, ListForm::Array, Proof::Token).caller()
}

/// The caller of a load balancer's statement whose signature was verified here. Its claims are those of the provider that it
/// signed the user in with, in whatever form that has them.
///
/// # Errors
/// [`IdentityError::Invalid`] when there is no usable subject.
#[cfg(feature = "jwt")]
pub(crate) fn caller_of_load_balancer(
    claims: &Map<String, Value>,
    keys: &AuthorizerKeys,
) -> Result<Caller, IdentityError> {
    Source::of_token(claims, ListForm::Any, Proof::LoadBalancer)
        .with(keys)
        .caller()
}

/// Where in some claims the parts of a caller stand.
struct Source<'a> {
    claims: &'a Map<String, Value>,
    form: ListForm,
    proof: Proof,
    /// The first of them that is there counts.
    subject: Vec<&'a str>,
    /// The first of them that is there counts.
    groups: Vec<&'a str>,
    /// All of them count.
    scopes: Vec<&'a str>,
    /// Scopes that were told beside the claims.
    granted: &'a [String],
}

impl<'a> Source<'a> {
    /// As Cognito's tokens have it.
    fn of_token(claims: &'a Map<String, Value>, form: ListForm, proof: Proof) -> Self {
        Self {
            claims,
            form,
            proof,
            subject: vec!["sub"],
            groups: vec![GROUPS],
            scopes: vec!["scope"],
            granted: &[],
        }
    }

    /// As somebody has set it, where somebody has.
    fn with(self, keys: &'a AuthorizerKeys) -> Self {
        Self {
            subject: keys.subject().unwrap_or(self.subject),
            groups: keys.groups().unwrap_or(self.groups),
            scopes: keys.scopes().unwrap_or(self.scopes),
            ..self
        }
    }

    fn caller(&self) -> Result<Caller, IdentityError> {
        let first = |names: &[&str]| {
            names
                .iter()
                .filter_map(|&name| self.claims.get(name))
                .find(|value| !value.is_null())
        };
        let subject = match first(&self.subject) {
            Some(Value::String(subject)) => usable_subject(subject)?,
            Some(_) => return Err(invalid("the subject of the identity is not text")),
            None => return Err(invalid("the identity has no subject")),
        };
        let groups = first(&self.groups)
            .map(|value| list(value, self.form))
            .unwrap_or_default();
        let mut scopes = Vec::new();
        let named = self.scopes.iter().filter_map(|&name| self.claims.get(name));
        for scope in named.flat_map(scope_list).chain(self.granted.iter().cloned()) {
            let is_usable = !scope.trim().is_empty() && !scope.contains(char::is_control);
            if is_usable && !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        Ok(Caller::new(subject, self.proof)
            .with_groups(groups)
            .with_scopes(scopes)
            .with_claims(restored(self.claims, self.form)))
    }
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
            .filter(|name| !name.is_empty() && !name.contains(char::is_control))
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

/// The claims as the token had them, as far as their names tell; the others stay as they came, but those that hold NUL are
/// left out.
fn restored(claims: &Map<String, Value>, form: ListForm) -> BTreeMap<String, Value> {
    claims
        .iter()
        .filter(|(name, value)| !value.is_null() && !name.contains('\0') && !holds_nul(value))
        .map(|(name, value)| (name.clone(), restored_value(name, value, form)))
        .collect()
}

/// An HTTP API writes large numbers as `1.7e+09`.
fn whole_number(text: &str) -> Option<i64> {
    let exact = text.parse().ok();
    #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and in range")]
    let rounded = || {
        let number: f64 = text.parse().ok()?;
        (number.fract() == 0.0 && number.abs() < 1e15).then_some(number as i64)
    };
    exact.or_else(rounded)
}

/// No text of PostgreSQL can hold it, and no honest claim does.
fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(holds_nul),
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| name.contains('\0') || holds_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn restored_value(name: &str, value: &Value, form: ListForm) -> Value {
    match value {
        Value::String(text) if form != ListForm::Array => {
            if name == GROUPS {
                list(value, form).into()
            } else if NUMERIC.contains(&name) {
                // A REST API writes a date in words here, which stays text.
                whole_number(text).map_or_else(|| value.clone(), Value::from)
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
mod tests;
