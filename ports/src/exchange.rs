//! What an entrance hands to the Controller and gets back: one shape for HTTP and every Lambda event.
//!
//! Nothing here reads a definition or decides a status; that is `rest`'s work.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use crate::{Meter, Secret};

/// What a caller brought to prove who it is.
///
/// Only [`ApiRequest::from_event`] can carry authorizer claims: over plain HTTP a claim is attacker input,
/// so [`ApiRequest::over_http`] takes a bearer token or nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Evidence {
    /// Nothing at all: an anonymous caller.
    None,
    /// `Authorization: Bearer …`, not yet verified.
    Bearer(Secret),
    /// What an authorizer in front of the function delivered in the event.
    Authorizer(AuthorizerEvidence),
    /// What a load balancer that signs users in says about one (`x-amzn-oidc-data`), not yet verified. Anybody can send
    /// such a header, so it is no more than a claim until then.
    LoadBalancer {
        /// The signed statement, as it came.
        data: Secret,
        /// The bearer token that came beside it, for where such statements do not count.
        bearer: Option<Secret>,
    },
}

/// The identity part of a Lambda event, as delivered, with its kind; normalising it is the identity port's work.
#[derive(Debug, Clone, PartialEq)]
pub enum AuthorizerEvidence {
    /// REST API with a Cognito authorizer: `requestContext.authorizer.claims`.
    CognitoClaims(serde_json::Map<String, serde_json::Value>),
    /// HTTP API with a JWT authorizer: `requestContext.authorizer.jwt`.
    Jwt {
        /// The claims, each a string.
        claims: serde_json::Map<String, serde_json::Value>,
        /// The granted scopes; the event may say null.
        scopes: Option<Vec<String>>,
    },
    /// A Lambda authorizer: v2 `authorizer.lambda`, v1 the flat context with `principalId`.
    Lambda(serde_json::Map<String, serde_json::Value>),
    /// IAM: the caller, as API Gateway or a Function URL verified it.
    Iam {
        /// `userArn` of the event.
        arn: String,
        /// What else the event says about the caller, such as `accountId`, under the names of payload version 2.
        claims: serde_json::Map<String, serde_json::Value>,
    },
}

/// Which entrance a request came through, and the limits that go with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entrance {
    /// API Gateway REST API, payload version 1.
    RestApi,
    /// API Gateway HTTP API or a Function URL, payload version 2.
    HttpApi,
    /// Application Load Balancer.
    LoadBalancer,
    /// A socket of our own.
    Http,
}

impl Entrance {
    /// The largest request body, in bytes, where no setting says otherwise: 1 MB behind a load balancer, 6 MB elsewhere.
    pub const fn default_body_limit_bytes(self) -> usize {
        match self {
            Self::LoadBalancer => 1_000_000,
            Self::RestApi | Self::HttpApi | Self::Http => 6_000_000,
        }
    }

    /// The largest whole answer, in bytes, that the entrance can carry; `None` where there is no limit.
    pub const fn answer_limit_bytes(self) -> Option<usize> {
        match self {
            Self::LoadBalancer => Some(1_000_000),
            Self::RestApi | Self::HttpApi => Some(6_000_000),
            Self::Http => None,
        }
    }
}

/// One request, taken out of its envelope.
#[derive(Debug)]
pub struct ApiRequest {
    method: Method,
    base_path: String,
    path: String,
    query: String,
    headers: HeaderMap,
    body: Bytes,
    entrance: Entrance,
    evidence: Evidence,
    request_id: String,
    deadline: Option<Instant>,
    meter: Arc<Meter>,
}

/// The parts of a request that every entrance has.
#[derive(Debug)]
pub struct RequestParts {
    /// The HTTP method.
    pub method: Method,
    /// The stage or base path that was taken off the front: empty, or `/prod` without a trailing slash.
    pub base_path: String,
    /// The path after the base path, still percent-encoded, starting with `/`.
    pub path: String,
    /// The query string without `?`, still form-encoded; an event that arrives decoded is encoded again.
    pub query: String,
    /// Header fields; several of one name stay several.
    pub headers: HeaderMap,
    /// The body, base64 of the envelope already taken off.
    pub body: Bytes,
    /// A name for this request in logs and in `X-Request-Id`; letters, digits and `-_.=+/` only, at most 128 bytes.
    pub request_id: String,
    /// When the answer must be on its way.
    pub deadline: Option<Instant>,
}

impl ApiRequest {
    /// A request from a socket, where only a bearer token counts as evidence.
    pub fn over_http(parts: RequestParts, token: Option<Secret>) -> Self {
        Self::assemble(
            parts,
            Entrance::Http,
            token.map_or(Evidence::None, Evidence::Bearer),
        )
    }

    /// A request from a Lambda event, with the evidence that the event carried.
    pub fn from_event(parts: RequestParts, entrance: Entrance, evidence: Evidence) -> Self {
        Self::assemble(parts, entrance, evidence)
    }

    fn assemble(parts: RequestParts, entrance: Entrance, evidence: Evidence) -> Self {
        let RequestParts {
            method,
            base_path,
            path,
            query,
            headers,
            body,
            request_id,
            deadline,
        } = parts;
        Self {
            method,
            base_path,
            path,
            query,
            headers,
            body,
            entrance,
            evidence,
            request_id,
            deadline,
            meter: Arc::default(),
        }
    }

    /// The HTTP method.
    pub const fn method(&self) -> &Method {
        &self.method
    }
    /// The stage or base path that was taken off: empty, or `/prod`.
    pub fn base_path(&self) -> &str {
        &self.base_path
    }
    /// The path after the base path, percent-encoded.
    pub fn path(&self) -> &str {
        &self.path
    }
    /// The query string, form-encoded, without `?`.
    pub fn query(&self) -> &str {
        &self.query
    }
    /// The header fields.
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }
    /// A header's value where it is there once and is visible ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
    /// The body.
    pub const fn body(&self) -> &Bytes {
        &self.body
    }
    /// Its name, by itself.
    pub fn into_request_id(self) -> String {
        self.request_id
    }
    /// The entrance it came through.
    pub const fn entrance(&self) -> Entrance {
        self.entrance
    }
    /// What the caller brought to prove who it is.
    pub const fn evidence(&self) -> &Evidence {
        &self.evidence
    }
    /// The request's name in logs and answers.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }
    /// When the answer must be on its way.
    pub const fn deadline(&self) -> Option<Instant> {
        self.deadline
    }
    /// What it costs, counted while it is worked on.
    pub const fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }
}

/// Why a Request Mapper could not make an [`ApiRequest`]; `rest` turns it into a problem body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestError {
    /// What was wrong.
    pub kind: RequestErrorKind,
    /// The request's name, so that the refusal carries it.
    pub request_id: String,
    /// `Origin` of the request, so that the refusal carries CORS headers.
    pub origin: Option<String>,
}

/// What a Request Mapper can find wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestErrorKind {
    /// The event is none that Rowstamp answers.
    #[error("the event is not an API Gateway, Function URL or load balancer request: {0}")]
    UnknownEvent(String),
    /// `isBase64Encoded` was set and the body is not base64.
    #[error("the body is not valid base64")]
    BadBase64,
    /// A method, path or header that HTTP does not allow.
    #[error("malformed request: {0}")]
    Malformed(String),
    /// The body is over the limit.
    #[error("the body is larger than {limit_bytes} bytes")]
    BodyTooLarge {
        /// The limit that applied.
        limit_bytes: usize,
    },
    /// The body did not arrive whole.
    #[error("the body did not arrive whole")]
    BodyIncomplete,
}

/// The answer to one request, before it is put into its envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiResponse {
    /// The status.
    pub status: StatusCode,
    /// Header fields; several of one name stay several.
    pub headers: HeaderMap,
    /// The body; empty for HEAD, 204 and 304.
    pub body: Bytes,
}
