//! The span of a request: what was asked for, how it ended, what it took (OpenTelemetry's semantic conventions for HTTP servers and for
//! functions).
//!
//! `url.path`, `url.query` and what says who called are left out, although the conventions know them: they are somebody's data.
//! In the path's place stands the route, `/books/{uid}`.

use std::time::SystemTime;

use http::{HeaderMap, Method, StatusCode};
use opentelemetry::context::{FutureExt as _, WithContext};
use opentelemetry::trace::{SpanKind, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SdkTracer;

use crate::parent::Propagators;

/// What is known of a request when it begins.
#[derive(Debug, Clone, Copy)]
pub struct Started<'a> {
    /// When it came.
    pub at: SystemTime,
    /// Its method, where it is an HTTP request at all.
    pub method: Option<&'a Method>,
    /// Its header fields, which may name a trace.
    pub headers: Option<&'a HeaderMap>,
    /// The invocation that brought it, on Lambda.
    pub invocation: Option<Invocation<'a>>,
}

/// What Lambda says of an invocation.
#[derive(Debug, Clone, Copy)]
pub struct Invocation<'a> {
    /// Its id.
    pub id: &'a str,
    /// The ARN that was invoked; it may end with an alias.
    pub arn: &'a str,
    /// The function's version, which an alias stands for.
    pub version: &'a str,
    /// Whether the environment was initialised for it.
    pub is_cold_start: bool,
    /// X-Ray's tracing header.
    pub xray: Option<&'a str>,
}

/// What is told of a request when it is answered.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// What it asked for, in the Controller's word.
    pub operation: &'a str,
    /// The first segment of its path, where that is a resource's.
    pub resource_path: Option<&'a str>,
    /// How it was answered.
    pub status: StatusCode,
    /// The code of the problem body, where it was one.
    pub code: Option<&'a str>,
}

/// The span of a request that is under way.
#[derive(Debug)]
pub struct RequestSpan {
    context: Context,
    method: &'static str,
}

impl RequestSpan {
    pub(crate) fn begin(tracer: &SdkTracer, propagators: Propagators, request: Started<'_>) -> Self {
        let Started {
            at,
            method,
            headers,
            invocation,
        } = request;
        let parent = propagators.extract(headers, invocation.and_then(|invocation| invocation.xray));
        let method = method.map_or("_OTHER", well_known);
        let mut attributes = vec![KeyValue::new("http.request.method", method)];
        if let Some(invocation) = invocation {
            attributes.extend(of_invocation(&invocation));
        }
        let span = tracer
            // "HTTP" where the method is none that is well known, as the conventions have it.
            .span_builder(if method == "_OTHER" { "HTTP" } else { method })
            .with_kind(SpanKind::Server)
            .with_start_time(at)
            .with_attributes(attributes)
            .start_with_context(tracer, &parent);
        Self {
            context: parent.with_span(span),
            method,
        }
    }

    /// The future with this span as the current one, whoever polls it.
    pub fn around<F: Future>(&self, work: F) -> WithContext<F> {
        work.with_context(self.context.clone())
    }

    /// Whether it will be sent.
    pub fn is_sampled(&self) -> bool {
        self.context.span().span_context().is_sampled()
    }

    /// The id of the trace, where the span will be sent.
    pub fn trace_id(&self) -> Option<String> {
        self.is_sampled()
            .then(|| self.context.span().span_context().trace_id().to_string())
    }

    /// Ends it, with what became of the request.
    pub fn end(self, told: Told<'_>) {
        let span = self.context.span();
        if !span.is_recording() {
            return;
        }
        if let Some(route) = route(told.operation, told.resource_path, self.method) {
            span.update_name(format!("{} {route}", self.method));
            span.set_attribute(KeyValue::new("http.route", route));
        }
        span.set_attribute(KeyValue::new(
            "http.response.status_code",
            i64::from(told.status.as_u16()),
        ));
        // What a client did wrong is no error of the server's.
        if told.status.is_server_error() {
            let code = told.code.unwrap_or(told.status.as_str());
            span.set_attribute(KeyValue::new("error.type", code.to_owned()));
            span.set_status(Status::error(""));
        }
        span.end();
    }
}

fn of_invocation(invocation: &Invocation<'_>) -> [KeyValue; 5] {
    [
        KeyValue::new("faas.trigger", "http"),
        KeyValue::new("faas.invocation_id", invocation.id.to_owned()),
        KeyValue::new("faas.coldstart", invocation.is_cold_start),
        KeyValue::new("aws.lambda.invoked_arn", invocation.arn.to_owned()),
        KeyValue::new("cloud.resource_id", function_arn(invocation)),
    ]
}

/// The ARN of the function, with the version in an alias's place.
fn function_arn(invocation: &Invocation<'_>) -> String {
    // arn:aws:lambda:region:account:function:name:qualifier
    match invocation.arn.match_indices(':').nth(6) {
        Some((end, _)) => format!("{}:{}", &invocation.arn[..end], invocation.version),
        None => invocation.arn.to_owned(),
    }
}

/// The methods that the conventions know; any other is a client's own text.
fn well_known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::CONNECT => "CONNECT",
        Method::TRACE => "TRACE",
        _ => "_OTHER",
    }
}

/// The route of an operation; none where the path led nowhere, or was not looked at.
fn route(operation: &str, resource_path: Option<&str>, method: &str) -> Option<String> {
    match (operation, resource_path) {
        ("document", _) => Some("/openapi.json".to_owned()),
        ("health", _) => Some("/health".to_owned()),
        // A list by POST is a query that travels in a body.
        ("list", Some(path)) if method == "POST" => Some(format!("/{path}/query")),
        ("list" | "create" | "update_many" | "delete_many", Some(path)) => Some(format!("/{path}")),
        ("read" | "replace" | "update" | "delete", Some(path)) => Some(format!("/{path}/{{uid}}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_hold_templates_and_no_paths() {
        for (operation, path, method, expected) in [
            ("list", Some("books"), "GET", Some("/books")),
            ("list", Some("books"), "POST", Some("/books/query")),
            ("create", Some("books"), "POST", Some("/books")),
            ("update_many", Some("books"), "PATCH", Some("/books")),
            ("read", Some("books"), "GET", Some("/books/{uid}")),
            ("replace", Some("books"), "PUT", Some("/books/{uid}")),
            ("update", Some("books"), "PATCH", Some("/books/{uid}")),
            ("delete", Some("books"), "DELETE", Some("/books/{uid}")),
            ("document", None, "GET", Some("/openapi.json")),
            ("health", None, "GET", Some("/health")),
            ("options", None, "OPTIONS", None),
            ("none", None, "GET", None),
        ] {
            assert_eq!(route(operation, path, method).as_deref(), expected, "{operation}");
        }
    }

    #[test]
    fn an_alias_gives_way_to_the_version_it_stands_for() {
        const ARN: &str = "arn:aws:lambda:eu-west-1:123456789012:function:library";
        for (arn, expected) in [
            (ARN.to_owned(), ARN.to_owned()),
            (format!("{ARN}:live"), format!("{ARN}:7")),
            (format!("{ARN}:7"), format!("{ARN}:7")),
            (String::new(), String::new()),
        ] {
            let invocation = Invocation {
                id: "i-1",
                arn: &arn,
                version: "7",
                is_cold_start: false,
                xray: None,
            };
            assert_eq!(function_arn(&invocation), expected);
        }
    }

    #[test]
    fn a_method_of_a_clients_own_is_not_repeated() {
        let own = Method::from_bytes(b"SECRET-OF-ANA").unwrap_or_default();
        assert_eq!(well_known(&own), "_OTHER");
        assert_eq!(well_known(&Method::PATCH), "PATCH");
    }
}
