//! What is answered when a request is refused or fails: one value, and its body as RFC 9457 and PostgREST's clients read it.
//!
//! A problem holds nothing internal: no SQL, no message of a database, no name that the definition does not have.

mod causes;
pub mod codes;

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use rowstamp_domain::validation::Violation;
use serde::Serialize;

pub use codes::Code;

/// Where the reference of the codes stands; each `type` is this with the code as fragment.
const REFERENCE: &str = "https://github.com/rowstamp/rowstamp/blob/main/docs/errors.md#";

/// A refusal or a failure, ready to be answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone, PartialEq)]
struct Parts {
    status: http::StatusCode,
    code: Cow<'static, str>,
    title: &'static str,
    message: Cow<'static, str>,
    details: Option<Cow<'static, str>>,
    hint: Option<Cow<'static, str>>,
    errors: Vec<Violation>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem of this kind, with words for this occurrence.
    pub fn new(code: &'static Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Parts {
            status: code.status,
            code: Cow::Borrowed(code.code),
            title: code.title,
            message: message.into(),
            details: None,
            hint: None,
            errors: Vec::new(),
            headers: Vec::new(),
        }))
    }

    /// A hook's own problem. A status that is no client error is answered as an internal one.
    pub fn of_hook(status: u16, code: String, message: String) -> Self {
        match http::StatusCode::from_u16(status) {
            Ok(status) if status.is_client_error() => Self(Box::new(Parts {
                status,
                code: Cow::Owned(code),
                title: "Refused",
                message: Cow::Owned(message),
                details: None,
                hint: None,
                errors: Vec::new(),
                headers: Vec::new(),
            })),
            _ => Self::new(codes::INTERNAL, "the request could not be completed"),
        }
    }

    /// The same problem with more about what went wrong.
    #[must_use]
    pub fn details(mut self, details: impl Into<Cow<'static, str>>) -> Self {
        self.0.details = Some(details.into());
        self
    }

    /// The same problem with what can be done about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// The same problem with the places in the body that it is about.
    #[must_use]
    pub fn errors(mut self, errors: Vec<Violation>) -> Self {
        self.0.errors = errors;
        self
    }

    /// The same problem with a header field of its own, such as `Allow`.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// The status it is answered with.
    pub const fn status(&self) -> http::StatusCode {
        self.0.status
    }

    /// The body's `code`.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// The body's `message`.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Header fields that belong to it.
    pub fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.0.headers
    }

    /// The body: `application/problem+json`, in the order people read it. `instance` is the path that was asked for.
    pub fn body(&self, instance: Option<&str>) -> Bytes {
        let parts = &*self.0;
        let body = Body {
            kind: format!("{REFERENCE}{}", parts.code.to_ascii_lowercase()),
            title: parts.title,
            status: parts.status.as_u16(),
            detail: &parts.message,
            instance,
            code: &parts.code,
            message: &parts.message,
            details: parts.details.as_deref(),
            hint: parts.hint.as_deref(),
            errors: parts.errors.iter().map(FieldError::from).collect(),
        };
        // Serialising strings and numbers into memory cannot fail; an empty body would still carry the status.
        Bytes::from(serde_json::to_vec(&body).unwrap_or_default())
    }
}

/// The body, its members in the order people read them.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    instance: Option<&'a str>,
    code: &'a str,
    message: &'a str,
    details: Option<&'a str>,
    hint: Option<&'a str>,
    errors: Vec<FieldError<'a>>,
}

#[derive(Serialize)]
struct FieldError<'a> {
    pointer: &'a str,
    code: &'a str,
    message: &'a str,
}

impl<'a> From<&'a Violation> for FieldError<'a> {
    fn from(violation: &'a Violation) -> Self {
        Self {
            pointer: &violation.pointer,
            code: violation.code,
            message: &violation.message,
        }
    }
}
