//! The Response Mapper: an `ApiResponse` into the envelope that its entrance expects.
//!
//! The answer is serialised once, straight from the response, body included; no tree of JSON values is built. The
//! status and the headers are as `rest` made them.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{HeaderName, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use rowstamp_ports::exchange::{ApiResponse, Entrance};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

/// The shape of answer that an event asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Envelope {
    /// Payload version 1: several values of one header stand in `multiValueHeaders`.
    RestApi,
    /// Payload version 2: several values of one header are joined, cookies stand apart.
    HttpApi,
    /// A load balancer whose target group has multi-value headers off.
    LoadBalancer,
    /// A load balancer whose target group has multi-value headers on.
    LoadBalancerMultiValue,
    /// The event was none of ours. An answer still has a shape, that of version 1, but a caller does better to report a
    /// failed invocation: a queue takes any answer for success.
    Unknown,
}

impl Envelope {
    /// The largest whole answer, in bytes.
    pub const fn limit_bytes(self) -> Option<usize> {
        match self {
            Self::RestApi | Self::Unknown => Entrance::RestApi.answer_limit_bytes(),
            Self::HttpApi => Entrance::HttpApi.answer_limit_bytes(),
            Self::LoadBalancer | Self::LoadBalancerMultiValue => Entrance::LoadBalancer.answer_limit_bytes(),
        }
    }
}

/// Puts a response into its envelope.
///
/// # Errors
/// The response itself, unchanged, when the whole answer would be over [`Envelope::limit_bytes`]; the gateway would
/// drop it and tell the client nothing.
#[expect(
    clippy::result_large_err,
    reason = "the refused response is handed back for its status and headers"
)]
pub fn map_response(envelope: Envelope, response: ApiResponse) -> Result<EventAnswer, ApiResponse> {
    let answer = EventAnswer { envelope, response };
    match envelope.limit_bytes() {
        Some(limit_bytes) if answer.is_over(limit_bytes) => Err(answer.response),
        _ => Ok(answer),
    }
}

/// An answer in its envelope; it serialises as the JSON that the Lambda Runtime API takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventAnswer {
    envelope: Envelope,
    response: ApiResponse,
}

impl EventAnswer {
    /// The response in the envelope.
    pub const fn response(&self) -> &ApiResponse {
        &self.response
    }

    /// Most answers are far from the limit, and their length need not be known exactly: a byte of JSON text takes six
    /// at most.
    fn is_over(&self, limit_bytes: usize) -> bool {
        let body_len = self.response.body.len();
        let headers_len: usize = self
            .response
            .headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + 8)
            .sum();
        if body_len > limit_bytes {
            return true;
        }
        let at_most = (body_len + headers_len).saturating_mul(6) + 256;
        at_most > limit_bytes && self.len_bytes() > limit_bytes
    }

    fn len_bytes(&self) -> usize {
        let mut counter = Counter(0);
        serde_json::to_writer(&mut counter, self)
            .expect("an answer has string keys, and counting does not fail");
        counter.0
    }
}

/// Counts what is written to it.
struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Serialize for EventAnswer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ApiResponse {
            status,
            headers,
            body,
        } = &self.response;
        let mut answer = serializer.serialize_map(None)?;
        answer.serialize_entry("statusCode", &status.as_u16())?;
        match self.envelope {
            Envelope::RestApi | Envelope::Unknown => {
                answer.serialize_entry("headers", &SingleHeaders(headers))?;
                if has_repeated(headers) {
                    answer.serialize_entry("multiValueHeaders", &RepeatedHeaders(headers))?;
                }
            }
            Envelope::HttpApi => {
                answer.serialize_entry("headers", &JoinedHeaders(headers, Cookies::Apart))?;
                // Emulators of API Gateway want the list also when it is empty.
                answer.serialize_entry("cookies", &Values(headers, &SET_COOKIE))?;
            }
            Envelope::LoadBalancer => {
                answer.serialize_entry("statusDescription", &status_description(*status))?;
                answer.serialize_entry("headers", &JoinedHeaders(headers, Cookies::Last))?;
            }
            Envelope::LoadBalancerMultiValue => {
                answer.serialize_entry("statusDescription", &status_description(*status))?;
                answer.serialize_entry("multiValueHeaders", &AllHeaders(headers))?;
            }
        }
        serialize_body(&mut answer, body)?;
        answer.end()
    }
}

fn serialize_body<M: SerializeMap>(answer: &mut M, body: &Bytes) -> Result<(), M::Error> {
    if let Ok(text) = std::str::from_utf8(body) {
        answer.serialize_entry("body", text)?;
        answer.serialize_entry("isBase64Encoded", &false)
    } else {
        answer.serialize_entry("body", &STANDARD.encode(body))?;
        answer.serialize_entry("isBase64Encoded", &true)
    }
}

/// `200 OK`, which load balancers want beside the number.
fn status_description(status: http::StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{} {reason}", status.as_str()),
        None => status.as_str().to_owned(),
    }
}

fn has_repeated(headers: &HeaderMap) -> bool {
    headers.len() != headers.keys_len()
}

/// A header's value as text; what is not UTF-8 cannot stand in JSON and is replaced.
fn text(value: &HeaderValue) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(value.as_bytes())
}

/// The headers that have one value.
struct SingleHeaders<'a>(&'a HeaderMap);

impl Serialize for SingleHeaders<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for name in self.0.keys() {
            let mut values = self.0.get_all(name).iter();
            if let (Some(value), None) = (values.next(), values.next()) {
                map.serialize_entry(name.as_str(), &text(value))?;
            }
        }
        map.end()
    }
}

/// The headers that have several values, each with all of them.
struct RepeatedHeaders<'a>(&'a HeaderMap);

impl Serialize for RepeatedHeaders<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for name in self.0.keys() {
            if self.0.get_all(name).iter().nth(1).is_some() {
                map.serialize_entry(name.as_str(), &Values(self.0, name))?;
            }
        }
        map.end()
    }
}

/// Every header with all of its values.
struct AllHeaders<'a>(&'a HeaderMap);

impl Serialize for AllHeaders<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.keys().map(|name| (name.as_str(), Values(self.0, name))))
    }
}

/// What becomes of `Set-Cookie`, whose values must not be joined.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cookies {
    /// They have a place of their own.
    Apart,
    /// There is room for one.
    Last,
}

/// Every header with its values joined by commas, as RFC 9110 §5.3 allows.
struct JoinedHeaders<'a>(&'a HeaderMap, Cookies);

impl Serialize for JoinedHeaders<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(headers, cookies) = *self;
        let mut map = serializer.serialize_map(None)?;
        for name in headers.keys() {
            let mut values = headers.get_all(name).iter();
            let value = if *name != SET_COOKIE {
                let first = values.next().map(text).unwrap_or_default();
                values.fold(first, |mut joined, value| {
                    let all = joined.to_mut();
                    all.push_str(", ");
                    all.push_str(&text(value));
                    joined
                })
            } else if cookies == Cookies::Last {
                values.next_back().map(text).unwrap_or_default()
            } else {
                continue;
            };
            map.serialize_entry(name.as_str(), &value)?;
        }
        map.end()
    }
}

/// All values of one header.
struct Values<'a>(&'a HeaderMap, &'a HeaderName);

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut values = serializer.serialize_seq(None)?;
        for value in self.0.get_all(self.1) {
            values.serialize_element(&text(value))?;
        }
        values.end()
    }
}
