//! Which pages of other origins may call, and what they may see (the Fetch standard's CORS protocol).
//!
//! Cookies and other credentials of the browser are never asked for: callers are proved by a header.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderValue, ORIGIN,
};
use rowstamp_ports::{Problems, Vars};

/// Which origins may call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Cors {
    /// All of them.
    #[default]
    Anyone,
    /// These, as browsers spell them: `https://app.example`.
    Origins(Vec<HeaderValue>),
    /// Nothing is said; a gateway in front does it.
    Off,
}

const EXPOSED: HeaderValue = HeaderValue::from_static(
    "Content-Range, ETag, Link, Location, Preference-Applied, Retry-After, X-Request-Id",
);
/// What is allowed where the preflight names no header of its own.
const DEFAULT_HEADERS: HeaderValue =
    HeaderValue::from_static("Authorization, Content-Type, Prefer, If-Match, If-None-Match");
/// Two hours, the longest that Chromium keeps a preflight's answer.
const MAX_AGE_SECONDS: HeaderValue = HeaderValue::from_static("7200");

impl Cors {
    /// `ROWSTAMP_CORS_ORIGINS`: `*` (the default), `off`, or origins separated by commas.
    pub fn read(vars: &Vars, problems: &mut Problems) -> Self {
        const NAME: &str = "ROWSTAMP_CORS_ORIGINS";
        match vars.get(NAME).map(str::trim) {
            None | Some("*") => Self::Anyone,
            Some(word) if word.eq_ignore_ascii_case("off") => Self::Off,
            Some(list) => {
                let mut origins = Vec::new();
                for origin in list.split(',').map(str::trim).filter(|origin| !origin.is_empty()) {
                    let spelled = origin.split_once("://").is_some_and(|(scheme, host)| {
                        !scheme.is_empty() && !host.is_empty() && !host.contains('/')
                    });
                    match HeaderValue::from_str(origin) {
                        Ok(value) if spelled => origins.push(value),
                        _ => problems.report(
                            NAME,
                            format!("`{origin}` is no origin, expected `*`, `off` or a list such as `https://app.example`"),
                        ),
                    }
                }
                Self::Origins(origins)
            }
        }
    }

    /// Whether answers differ by `Origin`, so that `Vary` must name it.
    pub const fn varies(&self) -> bool {
        matches!(self, Self::Origins(_))
    }

    /// Whether this is a browser's preflight.
    pub fn is_preflight(request: &HeaderMap) -> bool {
        request.contains_key(ORIGIN) && request.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
    }

    /// Adds to an answer what the page at `origin` needs to read it.
    pub fn allow(&self, origin: Option<&HeaderValue>, answer: &mut HeaderMap) {
        let Some(allowed) = origin.and_then(|origin| self.allowed(origin)) else {
            return;
        };
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }

    /// Adds to the answer to a preflight what may be sent.
    pub fn allow_preflight(&self, request: &HeaderMap, methods: &HeaderValue, answer: &mut HeaderMap) {
        let Some(allowed) = request.get(ORIGIN).and_then(|origin| self.allowed(origin)) else {
            return;
        };
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        answer.insert(ACCESS_CONTROL_ALLOW_METHODS, methods.clone());
        let requested = request.get(ACCESS_CONTROL_REQUEST_HEADERS).cloned();
        answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, requested.unwrap_or(DEFAULT_HEADERS));
        answer.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE_SECONDS);
    }

    fn allowed(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        match self {
            Self::Anyone => Some(HeaderValue::from_static("*")),
            Self::Origins(origins) => origins.iter().find(|known| *known == origin).cloned(),
            Self::Off => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn read(value: &str) -> (Cors, Problems) {
        let vars = Vars::new([("ROWSTAMP_CORS_ORIGINS".to_owned(), value.to_owned())]);
        let mut problems = Problems::new();
        (Cors::read(&vars, &mut problems), problems)
    }

    #[test]
    fn the_setting_is_a_star_off_or_a_list() {
        assert_eq!(read("*"), (Cors::Anyone, Problems::new()));
        assert_eq!(read("off"), (Cors::Off, Problems::new()));
        let (cors, problems) = read("https://a.example, http://localhost:5173");
        assert!(problems.is_empty());
        assert_eq!(
            cors,
            Cors::Origins(vec![
                HeaderValue::from_static("https://a.example"),
                HeaderValue::from_static("http://localhost:5173"),
            ])
        );
        assert_eq!(read("a.example,https://b.example/path").1.iter().count(), 2);
    }

    #[test]
    fn only_a_listed_origin_is_answered() {
        let (cors, _) = read("https://a.example");
        for (origin, allowed) in [("https://a.example", true), ("https://evil.example", false)] {
            let mut answer = HeaderMap::new();
            cors.allow(Some(&HeaderValue::from_static(origin)), &mut answer);
            assert_eq!(
                answer.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN),
                allowed,
                "{origin}"
            );
        }
        let mut answer = HeaderMap::new();
        Cors::Off.allow(Some(&HeaderValue::from_static("https://a.example")), &mut answer);
        assert!(answer.is_empty());
    }

    #[test]
    fn a_preflight_gets_the_headers_it_asks_for() {
        let request: HeaderMap = [
            (ORIGIN, HeaderValue::from_static("https://a.example")),
            (ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static("PUT")),
            (
                ACCESS_CONTROL_REQUEST_HEADERS,
                HeaderValue::from_static("x-custom"),
            ),
        ]
        .into_iter()
        .collect();
        assert!(Cors::is_preflight(&request));
        let mut answer = HeaderMap::new();
        Cors::Anyone.allow_preflight(&request, &HeaderValue::from_static("GET, PUT"), &mut answer);
        assert_eq!(answer.get(ACCESS_CONTROL_ALLOW_ORIGIN).unwrap(), "*");
        assert_eq!(answer.get(ACCESS_CONTROL_ALLOW_HEADERS).unwrap(), "x-custom");
        assert_eq!(answer.get(ACCESS_CONTROL_ALLOW_METHODS).unwrap(), "GET, PUT");
    }
}
