//! `Link: rel="next"`: the query that reads the next page.
//!
//! It is a query alone (`<?…>`), so that it holds under whatever path the service is reached.

use http::header::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The longest that is sent, in bytes: servers and gateways cut header fields off somewhere beyond.
const MAX_BYTES: usize = 7 * 1024;
/// What stays as it is: what cannot end the reference in its angle brackets, or a parameter in the query.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'*')
    .remove(b'(')
    .remove(b')')
    .remove(b',')
    .remove(b':')
    .remove(b'!');

/// The link to the page after this one: the parameters of this page's query with another `cursor`, and with `limit` where a header field
/// said it. `None` where it would be too long.
pub(crate) fn next<'p>(
    parameters: impl IntoIterator<Item = (&'p str, &'p str)>,
    cursor: &str,
    limit: Option<u32>,
) -> Option<HeaderValue> {
    let replaced = |name: &str| name == "cursor" || name == "offset" || (name == "limit" && limit.is_some());
    let mut link = String::from("<?");
    let mut add = |name: &str, value: &str| {
        link.extend(utf8_percent_encode(name, KEPT));
        link.push('=');
        link.extend(utf8_percent_encode(value, KEPT));
        link.push('&');
    };
    for (name, value) in parameters {
        if !replaced(name) {
            add(name, value);
        }
    }
    if let Some(limit) = limit {
        add("limit", &limit.to_string());
    }
    link.push_str("cursor=");
    link.push_str(cursor);
    link.push_str(">; rel=\"next\"");
    if link.len() > MAX_BYTES {
        return None;
    }
    HeaderValue::try_from(link).ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn the_next_page_is_asked_for_like_this_one() {
        let parameters = [
            ("select", "title,a:authors(name)"),
            ("title", "like.*a&b>é "),
            ("offset", "5"),
            ("limit", "2"),
            ("cursor", "old"),
        ];
        assert_eq!(
            next(parameters, "new_-", None).unwrap(),
            "<?select=title,a:authors(name)&title=like.*a%26b%3E%C3%A9%20&limit=2&cursor=new_->; rel=\"next\""
        );
        assert_eq!(
            next([("limit", "2")], "new", Some(7)).unwrap(),
            "<?limit=7&cursor=new>; rel=\"next\""
        );
        assert_eq!(next([("a", "x".repeat(8000).as_str())], "new", None), None);
    }
}
