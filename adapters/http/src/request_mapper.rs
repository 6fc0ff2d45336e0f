//! The Request Mapper of the socket: a request's head and body become an [`ApiRequest`], or the reason why not.
//!
//! It finds no route and verifies no token. Nothing that pretends to come from API Gateway gets past it.

use std::time::Instant;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, ORIGIN};
use http::request::Parts;
use rowstamp_ports::Secret;
use rowstamp_ports::exchange::{ApiRequest, RequestError, RequestErrorKind, RequestParts};
use uuid::{NoContext, Timestamp, Uuid};

/// More header fields than any honest client sends; below hyper's own limit, so that the refusal has a body.
const HEADER_COUNT_MAX: usize = 80;
/// As `RequestParts::request_id` demands.
const REQUEST_ID_MAX_BYTES: usize = 128;

static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Puts a request together from its head and its body, which was read before, or was not.
///
/// `base_path` is taken off the front where the path starts with it; a proxy may have done so already. A path below
/// no base path is not refused here: whether it is a route is not known here.
///
/// # Errors
/// The body's own error, or [`RequestErrorKind::Malformed`].
pub fn map(
    head: Parts,
    body: Result<Bytes, RequestErrorKind>,
    base_path: &str,
    deadline: Option<Instant>,
) -> Result<ApiRequest, RequestError> {
    let Parts {
        method,
        uri,
        mut headers,
        ..
    } = head;
    let request_id = request_id(&headers);
    let refused = |kind, headers: &HeaderMap, request_id| RequestError {
        kind,
        request_id,
        origin: headers
            .get(ORIGIN)
            .and_then(|origin| origin.to_str().ok())
            .map(str::to_owned),
    };
    let body = match body {
        Ok(body) => body,
        Err(kind) => return Err(refused(kind, &headers, request_id)),
    };
    if headers.len() > HEADER_COUNT_MAX {
        let kind = RequestErrorKind::Malformed(format!("more than {HEADER_COUNT_MAX} header fields"));
        return Err(refused(kind, &headers, request_id));
    }
    let path = match uri.path() {
        // `OPTIONS *` asks about the server as a whole (RFC 9110, 9.3.7).
        "*" => "/",
        path if path.starts_with('/') => path,
        _ => {
            let kind = RequestErrorKind::Malformed("the request target is no path".to_owned());
            return Err(refused(kind, &headers, request_id));
        }
    };
    let token = bearer_token(&mut headers);
    drop_gateway_headers(&mut headers);
    let parts = RequestParts {
        method,
        base_path: base_path.to_owned(),
        path: without_base_path(path, base_path).to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        headers,
        body,
        request_id,
        deadline,
    };
    Ok(ApiRequest::over_http(parts, token))
}

fn without_base_path<'a>(path: &'a str, base_path: &str) -> &'a str {
    match path.strip_prefix(base_path) {
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    }
}

/// The caller's name for its request where it can be repeated safely, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let mut given = headers.get_all(&X_REQUEST_ID).iter();
    if let (Some(id), None) = (given.next(), given.next())
        && let Ok(id) = id.to_str()
        && (1..=REQUEST_ID_MAX_BYTES).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.=+/".contains(&byte))
    {
        return id.to_owned();
    }
    let mut buffer = Uuid::encode_buffer();
    // In order by the millisecond, which for names is enough: closer than that they would have to agree on it between threads.
    let id = Uuid::new_v7(Timestamp::now(NoContext));
    id.hyphenated().encode_lower(&mut buffer).to_owned()
}

/// Takes `Authorization` out of the headers, so that nothing later can log it.
///
/// A caller who tried to prove itself in another way, or in two, gets an empty token: that proves nothing and is
/// refused, where an absent one would quietly make it anonymous.
fn bearer_token(headers: &mut HeaderMap) -> Option<Secret> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    given.next()?;
    let several = given.next().is_some();
    let value = headers.remove(AUTHORIZATION)?;
    let token = value.to_str().ok().filter(|_| !several).and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_ascii())
    });
    Some(Secret::new(token.unwrap_or_default()))
}

/// Over a socket of our own these are a stranger's words.
fn drop_gateway_headers(headers: &mut HeaderMap) {
    let gateway = |name: &HeaderName| {
        name.as_str().starts_with("x-amzn-") || name.as_str().starts_with("x-apigateway-")
    };
    while let Some(name) = headers.keys().find(|name| gateway(name)).cloned() {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]
    use std::fmt::Write;

    use http::Request;
    use rowstamp_ports::exchange::Evidence;

    use super::*;

    fn head(target: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().method("PATCH").uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn mapped(target: &str, headers: &[(&str, &str)]) -> ApiRequest {
        map(head(target, headers), Ok(Bytes::new()), "/api", None).unwrap()
    }

    #[test]
    fn a_whole_request_is_taken_apart() {
        let headers = [
            ("Host", "localhost:8080"),
            ("Authorization", "Bearer a.b.c"),
            ("Content-Type", "application/json"),
            ("X-Amzn-Trace-Id", "Root=1"),
            ("X-Amzn-Trace-Id", "Root=2"),
            ("x-apigateway-event", "{\"requestContext\":{}}"),
            ("Prefer", "return=minimal"),
            ("Prefer", "count=exact"),
            ("X-Request-Id", "order-17"),
        ];
        let target = "/api/books/0190?select=title%2Cisbn&x=a+b";
        let request = map(
            head(target, &headers),
            Ok(Bytes::from_static(b"{}")),
            "/api",
            None,
        )
        .unwrap();
        let mut seen = String::new();
        writeln!(
            seen,
            "{} {}|{}?{}",
            request.method(),
            request.base_path(),
            request.path(),
            request.query()
        )
        .unwrap();
        for (name, value) in request.headers() {
            writeln!(seen, "{name}: {}", value.to_str().unwrap()).unwrap();
        }
        writeln!(
            seen,
            "{:?} {:?} {}",
            request.entrance(),
            request.body(),
            request.request_id()
        )
        .unwrap();
        insta::assert_snapshot!(seen, @r#"
        PATCH /api|/books/0190?select=title%2Cisbn&x=a+b
        host: localhost:8080
        x-request-id: order-17
        content-type: application/json
        prefer: return=minimal
        prefer: count=exact
        Http b"{}" order-17
        "#);
        assert_eq!(request.evidence(), &Evidence::Bearer(Secret::new("a.b.c")));
    }

    #[test]
    fn the_base_path_is_taken_off_once_and_only_whole() {
        for (target, expected) in [
            ("/api/books", "/books"),
            ("/api", "/"),
            ("/api/", "/"),
            ("/api/api/x", "/api/x"),
            ("/apis/books", "/apis/books"),
            ("/books", "/books"),
            ("http://localhost:8080/api/books", "/books"),
            ("*", "/"),
        ] {
            assert_eq!(mapped(target, &[]).path(), expected, "{target}");
        }
    }

    #[test]
    fn only_a_bearer_token_is_evidence_and_another_attempt_is_an_invalid_one() {
        for (headers, expected) in [
            (&[][..], None),
            (&[("authorization", "bearer t")], Some("t")),
            (&[("authorization", "BEARER  t ")], Some("t")),
            (&[("authorization", "Basic dTpw")], Some("")),
            (&[("authorization", "Bearer")], Some("")),
            (
                &[("authorization", "Bearer a"), ("authorization", "Bearer b")],
                Some(""),
            ),
        ] {
            let expected = expected.map_or(Evidence::None, |token| Evidence::Bearer(Secret::new(token)));
            let request = mapped("/", headers);
            assert_eq!(request.evidence(), &expected, "{headers:?}");
            assert_eq!(request.header("authorization"), None);
        }
    }

    #[test]
    fn a_request_keeps_a_name_that_is_safe_to_repeat_and_gets_one_otherwise() {
        assert_eq!(
            mapped("/", &[("x-request-id", "a-Z_0.=+/")]).request_id(),
            "a-Z_0.=+/"
        );
        let long = "x".repeat(129);
        for given in [
            &[][..],
            &["", "a b"],
            &["a b"],
            &["ü"],
            &["<script>"],
            &[&long],
            &["one", "two"],
        ] {
            let headers: Vec<_> = given.iter().map(|id| ("x-request-id", *id)).collect();
            let id = mapped("/", &headers).request_id().to_owned();
            assert_eq!(Uuid::parse_str(&id).unwrap().get_version_num(), 7, "{given:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_name_and_origin() {
        let headers = [("x-request-id", "r1"), ("origin", "http://localhost:3000")];
        let kind = RequestErrorKind::BodyTooLarge { limit_bytes: 5 };
        let error = map(head("/", &headers), Err(kind.clone()), "", None).unwrap_err();
        let origin = Some("http://localhost:3000".to_owned());
        assert_eq!(
            error,
            RequestError {
                kind,
                request_id: "r1".to_owned(),
                origin
            }
        );

        let many: Vec<_> = (0..=HEADER_COUNT_MAX).map(|_| ("x", "y")).collect();
        for parts in [head("/", &many), head("localhost:80", &[])] {
            let error = map(parts, Ok(Bytes::new()), "", None).unwrap_err();
            assert!(matches!(error.kind, RequestErrorKind::Malformed(_)), "{error:?}");
        }
    }
}
