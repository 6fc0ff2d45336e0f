//! The Response Mapper: an `ApiResponse` into the envelope that its entrance expects.
//!
//! The answer is written once, straight from the response, body included; no tree of JSON values is built. The status and the headers are as
//! `rest` made them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{HeaderName, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};
use rowstamp_domain::json_text::{Buffer, write_bytes, write_string};
use rowstamp_ports::exchange::{ApiResponse, Entrance};

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

/// Puts a response into its envelope: the JSON that the Lambda Runtime API takes.
///
/// # Errors
/// The response itself, unchanged, when the whole answer would be over [`Envelope::limit_bytes`]; the gateway would
/// drop it and tell the client nothing.
#[expect(
    clippy::result_large_err,
    reason = "the refused response is handed back for its status and headers"
)]
pub fn map_response(envelope: Envelope, response: ApiResponse) -> Result<Bytes, ApiResponse> {
    let limit_bytes = envelope.limit_bytes().unwrap_or(usize::MAX);
    if response.body.len() > limit_bytes {
        return Err(response);
    }
    let answer = write(envelope, &response);
    if answer.len() > limit_bytes {
        return Err(response);
    }
    Ok(Bytes::from(answer.into_vec()))
}

fn write(envelope: Envelope, response: &ApiResponse) -> Buffer {
    let ApiResponse {
        status,
        headers,
        body,
    } = response;
    let mut out = Buffer::new();
    // Of JSON about every eighth byte is a quote, which takes another one.
    out.reserve(body.len() + body.len() / 6 + 1024);
    out.extend_from_slice(b"{\"statusCode\":");
    out.extend_from_slice(status.as_str().as_bytes());
    match envelope {
        Envelope::RestApi | Envelope::Unknown => {
            let single = headers.keys().filter(|name| !is_repeated(headers, name));
            write_headers(b",\"headers\":", headers, single, write_joined, &mut out);
            if headers.len() != headers.keys_len() {
                let repeated = headers.keys().filter(|name| is_repeated(headers, name));
                write_headers(
                    b",\"multiValueHeaders\":",
                    headers,
                    repeated,
                    write_list,
                    &mut out,
                );
            }
        }
        Envelope::HttpApi => {
            let but_cookies = headers.keys().filter(|name| **name != SET_COOKIE);
            write_headers(b",\"headers\":", headers, but_cookies, write_joined, &mut out);
            // Emulators of API Gateway want the list also when it is empty.
            out.extend_from_slice(b",\"cookies\":");
            write_list(headers, &SET_COOKIE, &mut out);
        }
        Envelope::LoadBalancer => {
            write_description(*status, &mut out);
            write_headers(b",\"headers\":", headers, headers.keys(), write_joined, &mut out);
        }
        Envelope::LoadBalancerMultiValue => {
            write_description(*status, &mut out);
            write_headers(
                b",\"multiValueHeaders\":",
                headers,
                headers.keys(),
                write_list,
                &mut out,
            );
        }
    }
    write_body(body, &mut out);
    out.push(b'}');
    out
}

/// Appends these header fields, each as `write` has it.
fn write_headers<'h>(
    key: &[u8],
    headers: &HeaderMap,
    names: impl Iterator<Item = &'h HeaderName>,
    write: impl Fn(&HeaderMap, &HeaderName, &mut Buffer),
    out: &mut Buffer,
) {
    out.extend_from_slice(key);
    let mut before = b'{';
    for name in names {
        out.push(before);
        before = b',';
        write_string(name.as_str(), out);
        out.push(b':');
        write(headers, name, out);
    }
    if before == b'{' {
        out.push(before);
    }
    out.push(b'}');
}

fn is_repeated(headers: &HeaderMap, name: &HeaderName) -> bool {
    headers.get_all(name).iter().nth(1).is_some()
}

/// Appends the value of a header field, several joined by commas, as RFC 9110 §5.3 allows. Cookies must not be joined; there is room for the
/// last.
fn write_joined(headers: &HeaderMap, name: &HeaderName, out: &mut Buffer) {
    let mut values = headers.get_all(name).iter();
    let first = if *name == SET_COOKIE {
        values.next_back()
    } else {
        values.next()
    };
    let Some(first) = first else { return };
    match values.next() {
        Some(second) if *name != SET_COOKIE => {
            let joined = text(first).into_owned() + ", " + &text(second);
            let joined = values.fold(joined, |joined, value| joined + ", " + &text(value));
            write_string(&joined, out);
        }
        _ => write_value(first, out),
    }
}

/// Appends the values of a header field as a list.
fn write_list(headers: &HeaderMap, name: &HeaderName, out: &mut Buffer) {
    out.push(b'[');
    for (index, value) in headers.get_all(name).iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_value(value, out);
    }
    out.push(b']');
}

fn write_value(value: &HeaderValue, out: &mut Buffer) {
    if write_bytes(value.as_bytes(), out).is_err() {
        write_string(&text(value), out);
    }
}

/// A header's value as text; what is not UTF-8 cannot stand in JSON and is replaced.
fn text(value: &HeaderValue) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(value.as_bytes())
}

/// `200 OK`, which load balancers want beside the number.
fn write_description(status: StatusCode, out: &mut Buffer) {
    out.extend_from_slice(b",\"statusDescription\":\"");
    out.extend_from_slice(status.as_str().as_bytes());
    if let Some(reason) = status.canonical_reason() {
        out.push(b' ');
        out.extend_from_slice(reason.as_bytes());
    }
    out.push(b'"');
}

fn write_body(body: &[u8], out: &mut Buffer) {
    out.extend_from_slice(b",\"body\":");
    let is_text = write_bytes(body, out).is_ok();
    if !is_text {
        write_string(&STANDARD.encode(body), out);
    }
    out.extend_from_slice(if is_text {
        b",\"isBase64Encoded\":false"
    } else {
        b",\"isBase64Encoded\":true"
    });
}
