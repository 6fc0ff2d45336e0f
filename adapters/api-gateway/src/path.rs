//! Paths: made fit for a URL, and parted from the stage or base path in front of them.
//!
//! What a path means is the Resource Mapper's business.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What cannot stand in a URL's path (RFC 3986: everything but unreserved characters, sub-delimiters, `:`, `@` and `/`), but for `%`.
const UNFIT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@')
    .remove(b'/')
    .remove(b'%');

/// A path and what was taken off its front, as [`RequestParts`](rowstamp_ports::exchange::RequestParts) wants them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SplitPath {
    pub(crate) base_path: String,
    pub(crate) path: String,
}

/// Payload version 1: the path that the gateway saw ends in the path that it handed on; what is in front is the stage
/// or the base path of a custom domain. An HTTP API that speaks version 1 (`stage_in_path`) leaves the stage in both.
pub(crate) fn split_v1(
    path: &str,
    gateway_path: Option<&str>,
    stage: Option<&str>,
    stage_in_path: bool,
    configured: Option<&str>,
) -> SplitPath {
    if stage_in_path && gateway_path.is_none_or(|seen| seen == path) {
        return split_v2(path, stage, configured);
    }
    let seen = gateway_path.unwrap_or(path);
    let front = seen
        .strip_suffix(path)
        .or_else(|| (path == "/").then_some(seen))
        // The two differ by more than their front where one of them is decoded; then the stage is what can be told.
        .or_else(|| {
            stage.and_then(|stage| {
                let after = strip_segment(seen, stage)?;
                (strip_segment(path, stage).is_none()).then(|| &seen[..seen.len() - after.len()])
            })
        })
        .unwrap_or("");
    finish(front.trim_end_matches('/'), path, configured)
}

/// Payload version 2: the path starts with the stage, unless that is `$default`.
pub(crate) fn split_v2(path: &str, stage: Option<&str>, configured: Option<&str>) -> SplitPath {
    let rest = stage
        .filter(|stage| *stage != "$default")
        .and_then(|stage| strip_segment(path, stage));
    match rest {
        Some(rest) => finish(&path[..path.len() - rest.len()], rest, configured),
        None => finish("", path, configured),
    }
}

/// A load balancer has no stages.
pub(crate) fn split_plain(path: &str, configured: Option<&str>) -> SplitPath {
    finish("", path, configured)
}

/// Takes the configured base path off as well. Where the path does not start with it, something in front has
/// already taken it off, and it still belongs into the links of an answer, unless the event named a base itself.
fn finish(base: &str, path: &str, configured: Option<&str>) -> SplitPath {
    let stripped = configured.and_then(|configured| strip_segment(path, configured.trim_start_matches('/')));
    let (base_path, path) = match (configured, stripped) {
        (Some(configured), Some(rest)) => (format!("{base}{configured}"), rest),
        (Some(configured), None) if base.is_empty() => (configured.to_owned(), path),
        _ => (base.to_owned(), path),
    };
    SplitPath {
        base_path: fit_for_url(&base_path),
        path: if path.starts_with('/') {
            fit_for_url(path)
        } else {
            fit_for_url(&format!("/{path}"))
        },
    }
}

/// What follows `/segment` in `path`: empty, or starting with `/`.
fn strip_segment<'p>(path: &'p str, segment: &str) -> Option<&'p str> {
    if segment.is_empty() {
        return None;
    }
    path.strip_prefix('/')?
        .strip_prefix(segment)
        .filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Gateways deliver some paths decoded: whatever cannot stand in a URL's path is encoded again. An existing `%`
/// stays, since it mostly is an encoding already.
fn fit_for_url(path: &str) -> String {
    Cow::from(utf8_percent_encode(path, UNFIT)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(base_path: &str, path: &str) -> SplitPath {
        SplitPath {
            base_path: base_path.to_owned(),
            path: path.to_owned(),
        }
    }

    #[test]
    fn the_base_of_version_1_is_what_the_gateway_saw_in_front_of_the_path() {
        for (path, seen, stage, configured, expected) in [
            (
                "/authors",
                Some("/prod/authors"),
                Some("prod"),
                None,
                split("/prod", "/authors"),
            ),
            ("/", Some("/prod/"), Some("prod"), None, split("/prod", "/")),
            ("/", Some("/prod"), Some("prod"), None, split("/prod", "/")),
            (
                "/authors",
                Some("/authors"),
                Some("prod"),
                None,
                split("", "/authors"),
            ),
            (
                "/authors",
                Some("/{proxy+}"),
                Some("Prod"),
                None,
                split("", "/authors"),
            ),
            ("/authors", None, Some("prod"), None, split("", "/authors")),
            (
                "/a b",
                Some("/prod/a%20b"),
                Some("prod"),
                None,
                split("/prod", "/a%20b"),
            ),
            (
                "/api/authors",
                Some("/prod/api/authors"),
                Some("prod"),
                Some("/api"),
                split("/prod/api", "/authors"),
            ),
            (
                "/api/authors",
                Some("/api/authors"),
                Some("prod"),
                Some("/api"),
                split("/api", "/authors"),
            ),
            (
                "/authors",
                Some("/authors"),
                Some("prod"),
                Some("/api"),
                split("/api", "/authors"),
            ),
            (
                "/apiary",
                Some("/apiary"),
                Some("prod"),
                Some("/api"),
                split("/api", "/apiary"),
            ),
            (
                "/authors",
                Some("/v1/library/authors"),
                Some("prod"),
                None,
                split("/v1/library", "/authors"),
            ),
        ] {
            assert_eq!(
                split_v1(path, seen, stage, false, configured),
                expected,
                "{path} {seen:?} {configured:?}"
            );
        }
    }

    #[test]
    fn an_http_api_that_speaks_version_1_leaves_its_stage_in_the_path() {
        for (path, seen, stage, expected) in [
            (
                "/prod/authors",
                Some("/prod/authors"),
                Some("prod"),
                split("/prod", "/authors"),
            ),
            (
                "/authors",
                Some("/authors"),
                Some("$default"),
                split("", "/authors"),
            ),
        ] {
            assert_eq!(split_v1(path, seen, stage, true, None), expected, "{path}");
        }
    }

    #[test]
    fn the_base_of_version_2_is_the_stage_unless_it_is_the_default_one() {
        for (path, stage, configured, expected) in [
            ("/dev/authors", Some("dev"), None, split("/dev", "/authors")),
            ("/dev", Some("dev"), None, split("/dev", "/")),
            ("/devices", Some("dev"), None, split("", "/devices")),
            ("/authors", Some("dev"), None, split("", "/authors")),
            ("/authors", Some("$default"), None, split("", "/authors")),
            ("", None, None, split("", "/")),
            (
                "/dev/api/authors",
                Some("dev"),
                Some("/api"),
                split("/dev/api", "/authors"),
            ),
            ("/api", Some("$default"), Some("/api"), split("/api", "/")),
        ] {
            assert_eq!(
                split_v2(path, stage, configured),
                expected,
                "{path} {stage:?} {configured:?}"
            );
        }
    }

    #[test]
    fn decoded_paths_are_made_fit_for_a_url() {
        for (path, expected) in [
            ("/authors/é", "/authors/%C3%A9"),
            ("/a?b#c", "/a%3Fb%23c"),
            ("/a%20b", "/a%20b"),
            ("authors", "/authors"),
            ("/a\u{0}\"<>\u{7f}", "/a%00%22%3C%3E%7F"),
            ("/azAZ09-._~!$&'()*+,;=:@/%", "/azAZ09-._~!$&'()*+,;=:@/%"),
        ] {
            assert_eq!(split_plain(path, None), split("", expected), "{path}");
        }
    }
}
