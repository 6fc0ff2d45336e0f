//! The Request Mapper: the bytes of a Lambda event to an `ApiRequest`.
//!
//! It takes the envelope off and nothing more: no route is known here, no identity verified, no status decided.

use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use bytes::Bytes;
use http::header::{AUTHORIZATION, COOKIE, HeaderName, ORIGIN};
use http::{HeaderMap, HeaderValue, Method};
use rowstamp_ports::exchange::{
    ApiRequest, Entrance, Evidence, RequestError, RequestErrorKind, RequestParts,
};
use rowstamp_ports::{Problems, Vars};
use serde_json::value::RawValue;

use crate::event::{Event, EventKind, Text};
use crate::path::{self, SplitPath};
use crate::{Envelope, evidence, pairs, query, unknown};

/// What people may set about the way events are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventSettings {
    base_path: Option<String>,
    max_body_bytes: Option<usize>,
}

impl EventSettings {
    /// `base_path` is the path that a custom domain or a proxy puts in front; slashes around it do not matter, and an
    /// empty one is none. `max_body_bytes` takes the place of the entrance's own limit.
    pub fn new(base_path: Option<&str>, max_body_bytes: Option<usize>) -> Self {
        Self {
            base_path: base_path
                .map(|path| path.trim_matches('/'))
                .filter(|path| !path.is_empty())
                .map(|path| format!("/{path}")),
            max_body_bytes,
        }
    }

    /// Reads `ROWSTAMP_BASE_PATH` and `ROWSTAMP_MAX_BODY_BYTES`, and reports what is wrong with them.
    pub fn read(vars: &Vars, problems: &mut Problems) -> Self {
        let max_body_bytes = vars.parse("ROWSTAMP_MAX_BODY_BYTES", "a number of bytes", problems);
        let base_path = vars.get("ROWSTAMP_BASE_PATH");
        if base_path.is_some_and(|path| path.contains(['?', '#', '%']) || path.contains(char::is_whitespace))
        {
            problems.report("ROWSTAMP_BASE_PATH", "expected a plain path such as /library");
        }
        Self::new(base_path, max_body_bytes)
    }
}

/// An event out of its envelope, and the envelope that its answer needs.
#[derive(Debug)]
pub struct Mapped {
    /// What the answer must be put into.
    pub envelope: Envelope,
    /// The request, or why there is none.
    pub request: Result<ApiRequest, RequestError>,
}

/// Reads one event.
///
/// `invocation_id` names the request where the event has no usable name of its own; `deadline` is when the answer
/// must be on its way. Whatever the bytes are, the call returns.
///
/// # Errors
/// [`Mapped::request`] holds `UnknownEvent` for a payload that is no HTTP request, `Malformed` for a method or a header
/// that HTTP does not allow, `BodyTooLarge` (base64 counts) and `BadBase64`.
pub fn map_request(
    event: &[u8],
    invocation_id: &str,
    deadline: Option<Instant>,
    settings: &EventSettings,
) -> Mapped {
    // Looked at as a whole, each of its texts need not be.
    let read = std::str::from_utf8(event)
        .ok()
        .and_then(|event| serde_json::from_str::<Event<'_>>(event).ok());
    let Some((event, kind)) = read.and_then(|event| event.kind().map(|kind| (event, kind))) else {
        return Mapped {
            envelope: Envelope::Unknown,
            request: Err(RequestError {
                kind: RequestErrorKind::UnknownEvent(unknown::describe(event)),
                request_id: invocation_id.to_owned(),
                origin: None,
            }),
        };
    };
    let envelope = match kind {
        EventKind::V1 => Envelope::RestApi,
        EventKind::V2 => Envelope::HttpApi,
        EventKind::LoadBalancer if event.multi_value_headers.is_some() => Envelope::LoadBalancerMultiValue,
        EventKind::LoadBalancer => Envelope::LoadBalancer,
    };
    let mut headers = HeaderMap::with_capacity(USUAL_HEADERS);
    let read_headers = read_headers(&event, &mut headers);
    let request_id = request_id(&event, &headers).unwrap_or(invocation_id).to_owned();
    let rest = read_headers.and_then(|()| read_rest(event, kind, &headers, settings));
    // What they prove is in the evidence; nothing later can log them.
    for secret in [
        AUTHORIZATION.as_str(),
        evidence::LOAD_BALANCER_DATA,
        evidence::LOAD_BALANCER_TOKEN,
    ] {
        headers.remove(secret);
    }
    let request = match rest {
        Ok(rest) => Ok(ApiRequest::from_event(
            RequestParts {
                method: rest.method,
                base_path: rest.path.base_path,
                path: rest.path.path,
                query: rest.query,
                headers,
                body: rest.body,
                request_id,
                deadline,
            },
            entrance(kind),
            rest.evidence,
        )),
        Err(kind) => Err(RequestError {
            kind,
            request_id,
            origin: headers
                .get(ORIGIN)
                .and_then(|origin| origin.to_str().ok())
                .map(str::to_owned),
        }),
    };
    Mapped { envelope, request }
}

const fn entrance(kind: EventKind) -> Entrance {
    match kind {
        EventKind::V1 => Entrance::RestApi,
        EventKind::V2 => Entrance::HttpApi,
        EventKind::LoadBalancer => Entrance::LoadBalancer,
    }
}

/// Everything but headers and name, which a refusal needs too.
struct Rest {
    method: Method,
    path: SplitPath,
    query: String,
    body: Bytes,
    evidence: Evidence,
}

fn read_rest(
    event: Event<'_>,
    kind: EventKind,
    headers: &HeaderMap,
    settings: &EventSettings,
) -> Result<Rest, RequestErrorKind> {
    Ok(Rest {
        method: method(&event)?,
        path: split_path(&event, kind, settings.base_path.as_deref()),
        query: query(&event, kind)?,
        evidence: evidence(&event, kind, headers),
        body: {
            let limit_bytes = settings
                .max_body_bytes
                .unwrap_or(entrance(kind).default_body_limit_bytes());
            body(event, limit_bytes)?
        },
    })
}

fn method(event: &Event<'_>) -> Result<Method, RequestErrorKind> {
    let context = event.request_context.as_ref();
    let method = text(event.http_method.as_ref())
        .or_else(|| text(context?.http.as_ref()?.method.as_ref()))
        .unwrap_or_default();
    Method::from_bytes(method.as_bytes())
        .map_err(|_| RequestErrorKind::Malformed("the method is not one that HTTP allows".to_owned()))
}

/// More header fields than any gateway passes on, of more bytes: API Gateway takes 10 kB, a load balancer 64 kB.
const HEADER_COUNT_MAX: usize = 200;
const HEADERS_MAX_BYTES: usize = 128 * 1024;
/// As many as a gateway passes on of a browser's or a program's request, with its own.
const USUAL_HEADERS: usize = 24;

fn read_headers(event: &Event<'_>, headers: &mut HeaderMap) -> Result<(), RequestErrorKind> {
    // Version 1 delivers both maps, and only the second has every value.
    if let Some(map) = event.multi_value_headers.or(event.headers) {
        let mut bytes = 0;
        pairs::for_each_pair(map, &mut |name, value| {
            bytes += name.len() + value.len();
            if headers.len() >= HEADER_COUNT_MAX || bytes > HEADERS_MAX_BYTES {
                return Err(format!(
                    "more than {HEADER_COUNT_MAX} header fields or {HEADERS_MAX_BYTES} bytes of them"
                ));
            }
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| "a header's name is not one that HTTP allows".to_owned())?;
            let value = HeaderValue::from_bytes(value.as_bytes())
                .map_err(|_| format!("the value of the header {name} is not one that HTTP allows"))?;
            headers.append(name, value);
            Ok(())
        })
        .map_err(RequestErrorKind::Malformed)?;
    }
    if let Some(cookies) = event.cookies.as_deref().filter(|cookies| !cookies.is_empty()) {
        let joined = cookies
            .iter()
            .map(|Text(cookie)| &**cookie)
            .collect::<Vec<_>>()
            .join("; ");
        let value = HeaderValue::from_str(&joined)
            .map_err(|_| RequestErrorKind::Malformed("a cookie is not one that HTTP allows".to_owned()))?;
        headers.insert(COOKIE, value);
    }
    Ok(())
}

fn split_path(event: &Event<'_>, kind: EventKind, configured: Option<&str>) -> SplitPath {
    let context = event.request_context.as_ref();
    let stage = context.and_then(|context| text(context.stage.as_ref()));
    let plain = text(event.path.as_ref());
    match kind {
        EventKind::V1 => path::split_v1(
            plain.unwrap_or("/"),
            context.and_then(|context| text(context.path.as_ref())),
            stage,
            text(event.version.as_ref()) == Some("1.0"),
            configured,
        ),
        EventKind::V2 => {
            let raw = text(event.raw_path.as_ref())
                .or_else(|| text(context?.http.as_ref()?.path.as_ref()))
                .unwrap_or("/");
            path::split_v2(raw, stage, configured)
        }
        EventKind::LoadBalancer => path::split_plain(plain.unwrap_or("/"), configured),
    }
}

fn query(event: &Event<'_>, kind: EventKind) -> Result<String, RequestErrorKind> {
    if let (EventKind::V2, Some(raw)) = (kind, text(event.raw_query_string.as_ref())) {
        return Ok(raw.to_owned());
    }
    let write: fn(&RawValue) -> Result<String, String> = match kind {
        EventKind::LoadBalancer => query::joined,
        EventKind::V1 | EventKind::V2 => query::encoded,
    };
    event
        .multi_value_query_string_parameters
        .or(event.query_string_parameters)
        .map_or(Ok(String::new()), write)
        .map_err(|message| RequestErrorKind::Malformed(format!("the query parameters: {message}")))
}

fn evidence(event: &Event<'_>, kind: EventKind, headers: &HeaderMap) -> Evidence {
    let context = event.request_context.as_ref();
    let authorizer = context.and_then(|context| context.authorizer);
    match kind {
        EventKind::V1 => {
            let identity = context.and_then(|context| context.identity);
            evidence::of_v1(authorizer, identity, headers)
        }
        EventKind::V2 => evidence::of_v2(authorizer, headers),
        EventKind::LoadBalancer => evidence::of_load_balancer(headers),
    }
}

/// Padding is taken as it comes: clients of the invoke API write their own base64.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn body(event: Event<'_>, limit_bytes: usize) -> Result<Bytes, RequestErrorKind> {
    let Some(Text(body)) = event.body else {
        return Ok(Bytes::new());
    };
    if body.len() > limit_bytes {
        return Err(RequestErrorKind::BodyTooLarge { limit_bytes });
    }
    if event.is_base64_encoded == Some(true) {
        return BASE64
            .decode(body.as_bytes())
            .map(Bytes::from)
            .map_err(|_| RequestErrorKind::BadBase64);
    }
    Ok(Bytes::from(body.into_owned()))
}

/// The gateway's name for the request, or the root of the load balancer's trace.
fn request_id<'a>(event: &'a Event<'_>, headers: &'a HeaderMap) -> Option<&'a str> {
    let context = event.request_context.as_ref()?;
    text(context.request_id.as_ref())
        .or_else(|| {
            let trace = headers.get("x-amzn-trace-id")?.to_str().ok()?;
            trace
                .split(';')
                .find_map(|part| part.trim().strip_prefix("Root="))
        })
        .filter(|id| is_usable_request_id(id))
}

/// Names go into logs and headers: only what neither can misread.
fn is_usable_request_id(id: &str) -> bool {
    (1..=128).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.=+/".contains(&byte))
}

fn text<'e>(text: Option<&'e Text<'_>>) -> Option<&'e str> {
    text.map(|Text(text)| &**text)
}
