//! The parts of an event that Rowstamp reads, borrowed from its bytes, and which kind of event they make.
//!
//! One set of fields serves every kind, so that an event is read in one pass. What only some kinds need stays raw
//! JSON until the kind is known.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// Text that is borrowed where the JSON string held no escape. A type of its own, since serde borrows a `Cow` only
/// where it is the whole field.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// What the kinds of event have in common, and what tells them apart.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event<'a> {
    #[serde(borrow, default)]
    pub(crate) version: Option<Text<'a>>,
    /// Set on requests to a Lambda authorizer, which otherwise look like the requests that they guard.
    #[serde(borrow, default, rename = "type")]
    pub(crate) authorizer_type: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) http_method: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) path: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) raw_path: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) raw_query_string: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) cookies: Option<Vec<Text<'a>>>,
    #[serde(borrow, default)]
    pub(crate) headers: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) multi_value_headers: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) query_string_parameters: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) multi_value_query_string_parameters: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) request_context: Option<RequestContext<'a>>,
    #[serde(borrow, default)]
    pub(crate) body: Option<Text<'a>>,
    #[serde(default)]
    pub(crate) is_base64_encoded: Option<bool>,
}

/// The `requestContext` of any kind of event.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RequestContext<'a> {
    #[serde(borrow, default)]
    pub(crate) request_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) stage: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) path: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) authorizer: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) identity: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) http: Option<Http<'a>>,
    #[serde(borrow, default)]
    pub(crate) elb: Option<&'a RawValue>,
    /// Only WebSocket messages have one.
    #[serde(borrow, default)]
    pub(crate) connection_id: Option<&'a RawValue>,
}

/// `requestContext.http` of payload version 2.
#[derive(Debug, Deserialize)]
pub(crate) struct Http<'a> {
    #[serde(borrow, default)]
    pub(crate) method: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) path: Option<Text<'a>>,
}

/// The kinds of event that carry an HTTP request for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventKind {
    /// Payload version 1: a REST API, or an HTTP API that was told to use it.
    V1,
    /// Payload version 2: an HTTP API or a Function URL.
    V2,
    /// A load balancer's target group; its header mode shows in which fields are there.
    LoadBalancer,
}

impl Event<'_> {
    /// What kind of event this is; `None` when it is no request for us.
    pub(crate) fn kind(&self) -> Option<EventKind> {
        let context = self.request_context.as_ref()?;
        if self.authorizer_type.is_some() || context.connection_id.is_some() {
            None
        } else if context.elb.is_some() {
            self.http_method.as_ref().map(|_| EventKind::LoadBalancer)
        } else if let Some(http) = &context.http {
            http.method.as_ref().map(|_| EventKind::V2)
        } else {
            self.http_method.as_ref().map(|_| EventKind::V1)
        }
    }
}
