//! Which media type a body is in, and in which one the answer is wanted (RFC 9110, section 12.5.1).
//!
//! Nothing here encodes; it only names what will be encoded.

use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use crate::problem::{Problem, codes};

static ACCEPT_PROFILE: HeaderName = HeaderName::from_static("accept-profile");
static CONTENT_PROFILE: HeaderName = HeaderName::from_static("content-profile");

/// PostgREST's type for one object.
const OBJECT: &str = "application/vnd.pgrst.object+json";
/// PostgREST's type for an array.
const ARRAY: &str = "application/vnd.pgrst.array+json";

/// PostgREST's types without a suffix, which mean the same.
const BARE_OBJECT: &str = "application/vnd.pgrst.object";
const BARE_ARRAY: &str = "application/vnd.pgrst.array";

/// The media type of an answer with rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Media {
    /// `application/json`
    Json,
    /// `application/vnd.pgrst.object+json`: exactly one object.
    Object,
    /// `application/vnd.pgrst.array+json`
    Array,
    /// `application/vnd.pgrst.object+json;nulls=stripped`: without the members that are null.
    StrippedObject,
    /// `application/vnd.pgrst.array+json;nulls=stripped`
    StrippedArray,
    /// `text/csv`
    Csv,
}

impl Media {
    /// All of them, in the order of their positions.
    pub(crate) const ALL: [Self; 6] = [
        Self::Json,
        Self::Object,
        Self::Array,
        Self::StrippedObject,
        Self::StrippedArray,
        Self::Csv,
    ];

    /// The `Content-Type` it is answered with.
    pub(crate) const fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json; charset=utf-8",
            Self::Object => "application/vnd.pgrst.object+json; charset=utf-8",
            Self::Array => "application/vnd.pgrst.array+json; charset=utf-8",
            Self::StrippedObject => "application/vnd.pgrst.object+json; nulls=stripped; charset=utf-8",
            Self::StrippedArray => "application/vnd.pgrst.array+json; nulls=stripped; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8",
        })
    }

    /// Whether exactly one row is wanted.
    pub(crate) const fn is_singular(self) -> bool {
        matches!(self, Self::Object | Self::StrippedObject)
    }

    /// Whether members that are null are left out.
    pub(crate) const fn is_stripped(self) -> bool {
        matches!(self, Self::StrippedObject | Self::StrippedArray)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Object => OBJECT,
            Self::Array => ARRAY,
            Self::StrippedObject => "application/vnd.pgrst.object+json;nulls=stripped",
            Self::StrippedArray => "application/vnd.pgrst.array+json;nulls=stripped",
            Self::Csv => "text/csv",
        }
    }

    /// Whether a range of `Accept` names it, parameters aside.
    fn is_named(self, name: &str) -> bool {
        let names: &[&str] = match self {
            Self::Json => &["application/json"],
            Self::Object | Self::StrippedObject => &[OBJECT, BARE_OBJECT],
            Self::Array | Self::StrippedArray => &[ARRAY, BARE_ARRAY],
            Self::Csv => &["text/csv"],
        };
        names.iter().any(|known| name.eq_ignore_ascii_case(known))
    }
}

/// What a collection can answer with, best first.
pub(crate) const COLLECTION: &[Media] = &[
    Media::Json,
    Media::Array,
    Media::Object,
    Media::StrippedArray,
    Media::StrippedObject,
    Media::Csv,
];
/// What one row can be answered with, best first.
pub(crate) const ITEM: &[Media] = &[Media::Json, Media::Object];
/// What one row can be read as, best first.
pub(crate) const READ_ITEM: &[Media] = &[Media::Json, Media::Object, Media::StrippedObject];

/// Chooses among `available`, which is ordered and never empty, by `Accept`.
///
/// # Errors
/// 406 when nothing available is acceptable, or a schema profile other than `public` is asked for.
pub(crate) fn answer_media(headers: &HeaderMap, available: &'static [Media]) -> Result<Media, Problem> {
    profile(headers, &ACCEPT_PROFILE)?;
    let default = available.first().copied().unwrap_or(Media::Json);
    // An empty field asks for nothing in particular, as an absent one does; and `*/*` for whatever is best.
    let asks_nothing = |field: &HeaderValue| field.is_empty() || field == "*/*";
    if headers.get_all(ACCEPT).iter().all(asks_nothing) {
        return Ok(default);
    }
    let mut best: Option<(Media, u16, u8)> = None;
    for media in available {
        let (quality, precision) = quality_of(*media, headers);
        let better = match best {
            None => quality > 0,
            Some((_, best_quality, best_precision)) => {
                quality > best_quality || (quality == best_quality && precision > best_precision)
            }
        };
        if better {
            best = Some((*media, quality, precision));
        }
    }
    best.map(|(media, ..)| media).ok_or_else(|| {
        let names: Vec<&str> = available.iter().map(|media| media.name()).collect();
        Problem::new(
            codes::NOT_ACCEPTABLE,
            format!("None of these media types are available: {}", accepted(headers)),
        )
        .hint(format!("available here: {}", names.join(", ")))
    })
}

/// How much `media` is wanted, in thousandths, by the most precise range that covers it; and how precise that is.
fn quality_of(media: Media, headers: &HeaderMap) -> (u16, u8) {
    let mut found = (0, 0);
    for field in headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|field| field.to_str().ok())
    {
        for range in field.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let is_text = media == Media::Csv;
            let precision = if media.is_named(name) {
                3
            } else if name.eq_ignore_ascii_case(if is_text { "text/*" } else { "application/*" }) {
                2
            } else if name == "*/*" {
                1
            } else {
                continue;
            };
            // `for=` and `options=` change what an answer holds; neither is served.
            let mut quality = 1000;
            let mut strips = false;
            let mut other = false;
            for parameter in parts.filter(|parameter| !parameter.is_empty()) {
                match parameter.split_once('=') {
                    Some((key, value)) if key.trim().eq_ignore_ascii_case("q") => {
                        quality = thousandths(value.trim());
                    }
                    Some((key, _)) if key.trim().eq_ignore_ascii_case("charset") => {}
                    Some((key, value)) if key.trim().eq_ignore_ascii_case("nulls") => {
                        strips = true;
                        other |= value.trim().trim_matches('"') != "stripped";
                    }
                    _ => other = true,
                }
            }
            // What is stripped is so only where that was asked for.
            other |= strips != media.is_stripped();
            if !other && precision > found.1 {
                found = (quality, precision);
            }
        }
    }
    found
}

/// A weight such as `0.75` as 750; what is no weight counts as 0.
fn thousandths(text: &str) -> u16 {
    let value: f32 = text.parse().unwrap_or(0.0);
    if !(0.0..=1.0).contains(&value) {
        return 0;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 1000 after the check above"
    )]
    let thousandths = (value * 1000.0).round() as u16;
    thousandths
}

fn accepted(headers: &HeaderMap) -> String {
    let fields: Vec<&str> = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|field| field.to_str().ok())
        .collect();
    fields.join(", ")
}

/// Checks that a request's body is JSON, as far as its header fields tell; absent means JSON.
///
/// # Errors
/// 415, with `Accept-Patch` or `Accept` naming what is taken; 406 for a schema profile other than `public`.
pub(crate) fn body_is_json(headers: &HeaderMap) -> Result<(), Problem> {
    body_is_one_of(headers, &["application/json"]).map(drop)
}

/// How a body holds rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowsFormat {
    /// An object or an array of objects.
    Json,
    /// A line of names, then a line for each row.
    Csv,
}

/// How a request's body holds rows, as far as its header fields tell; absent means JSON.
///
/// # Errors
/// As [`body_is_json`].
pub(crate) fn body_of_rows(headers: &HeaderMap) -> Result<RowsFormat, Problem> {
    Ok(
        match body_is_one_of(headers, &["application/json", "text/csv"])? {
            0 => RowsFormat::Json,
            _ => RowsFormat::Csv,
        },
    )
}

/// Which of `names` the media type of the body is, the first where there is none.
fn body_is_one_of(headers: &HeaderMap, names: &[&str]) -> Result<usize, Problem> {
    profile(headers, &CONTENT_PROFILE)?;
    let encoded = headers
        .get(CONTENT_ENCODING)
        .is_some_and(|value| value != "identity");
    if encoded {
        return Err(unsupported("bodies are taken without `Content-Encoding`"));
    }
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return Ok(0);
    };
    let text = value.to_str().unwrap_or_default();
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let Some(found) = names.iter().position(|known| name.eq_ignore_ascii_case(known)) else {
        let named = if name.len() > 100 { "this media type" } else { name };
        return Err(unsupported(format!("a body in `{named}` is not taken")));
    };
    let charset_is_utf8 = parts
        .filter_map(|parameter| parameter.split_once('='))
        .all(|(key, value)| {
            !key.trim().eq_ignore_ascii_case("charset") || {
                let charset = value.trim().trim_matches('"');
                charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
            }
        });
    if charset_is_utf8 {
        Ok(found)
    } else {
        Err(unsupported("bodies are UTF-8, whatever `charset` says"))
    }
}

/// Checks that a request's body is a query in the form that browsers send forms in, as far as its header fields tell; absent means that it is.
///
/// # Errors
/// 415 with `Accept`; 406 for a schema profile other than `public`.
pub(crate) fn body_is_form(headers: &HeaderMap) -> Result<(), Problem> {
    const FORM: &str = "application/x-www-form-urlencoded";
    profile(headers, &CONTENT_PROFILE)?;
    let encoded = headers
        .get(CONTENT_ENCODING)
        .is_some_and(|value| value != "identity");
    let is_form = headers.get(CONTENT_TYPE).is_none_or(|value| {
        let text = value.to_str().unwrap_or_default();
        let name = text.split(';').next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case(FORM)
    });
    if is_form && !encoded {
        return Ok(());
    }
    Err(Problem::new(
        codes::UNSUPPORTED_MEDIA_TYPE,
        "a query in a body is form-encoded text",
    )
    .hint(format!("send `Content-Type: {FORM}`"))
    .header(ACCEPT, HeaderValue::from_static(FORM)))
}

fn unsupported(message: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    Problem::new(codes::UNSUPPORTED_MEDIA_TYPE, message)
        .hint("send `Content-Type: application/json`")
        .header(ACCEPT, JSON)
        .header(HeaderName::from_static("accept-patch"), JSON)
}

/// Schemas are not chosen by clients; PostgREST's default name is let pass.
fn profile(headers: &HeaderMap, name: &HeaderName) -> Result<(), Problem> {
    match headers.get(name) {
        None => Ok(()),
        Some(value) if value == "public" => Ok(()),
        Some(value) => Err(Problem::new(
            codes::UNACCEPTABLE_PROFILE,
            format!("Invalid schema: {}", value.to_str().unwrap_or("?")),
        )
        .hint("Only the following schemas are exposed: public")),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn headers(name: &str, value: &str) -> HeaderMap {
        [(name.parse::<HeaderName>().unwrap(), value.parse().unwrap())]
            .into_iter()
            .collect()
    }

    #[test]
    fn accept_chooses_by_weight_then_by_precision() {
        for (accept, expected) in [
            ("*/*", Some(Media::Json)),
            ("", Some(Media::Json)),
            ("application/json", Some(Media::Json)),
            ("text/html, application/xhtml+xml, */*;q=0.8", Some(Media::Json)),
            ("application/vnd.pgrst.object+json", Some(Media::Object)),
            (
                "application/vnd.pgrst.object+json, application/json;q=0.5",
                Some(Media::Object),
            ),
            ("application/vnd.pgrst.object+json, */*", Some(Media::Object)),
            ("application/json;q=0, application/*", Some(Media::Object)),
            ("application/geo+json", None),
            ("text/csv", None),
            ("application/vnd.pgrst.plan+json; for=\"application/json\"", None),
            ("application/vnd.pgrst.array+json;nulls=stripped", None),
            ("application/vnd.pgrst.object", Some(Media::Object)),
            ("application/json;nulls=stripped", None),
            ("application/json;q=0", None),
            ("nonsense", None),
        ] {
            assert_eq!(
                answer_media(&headers("accept", accept), ITEM).ok(),
                expected,
                "{accept}"
            );
        }
    }

    #[test]
    fn lists_can_be_had_as_csv_and_without_nulls() {
        for (accept, expected) in [
            ("*/*", Some(Media::Json)),
            ("text/csv", Some(Media::Csv)),
            ("text/*", Some(Media::Csv)),
            ("text/csv, application/json;q=0.9", Some(Media::Csv)),
            ("application/vnd.pgrst.array+json", Some(Media::Array)),
            (
                "application/vnd.pgrst.array+json;nulls=stripped",
                Some(Media::StrippedArray),
            ),
            (
                "application/vnd.pgrst.object+json; nulls=stripped; q=0.5",
                Some(Media::StrippedObject),
            ),
            ("application/vnd.pgrst.array+json;nulls=kept", None),
            ("text/csv;nulls=stripped", None),
            ("application/*", Some(Media::Json)),
        ] {
            assert_eq!(
                answer_media(&headers("accept", accept), COLLECTION).ok(),
                expected,
                "{accept}"
            );
        }
    }

    #[test]
    fn bodies_are_json_or_refused_with_what_is_taken() {
        for (content_type, taken) in [
            ("application/json", true),
            ("Application/JSON; Charset=\"UTF-8\"", true),
            ("application/json; charset=latin1", false),
            ("application/merge-patch+json", false),
            ("text/csv", false),
            ("", false),
        ] {
            let checked = body_is_json(&headers("content-type", content_type));
            assert_eq!(checked.is_ok(), taken, "{content_type}");
            if let Err(problem) = checked {
                assert!(problem.headers().iter().any(|(name, _)| name == "accept-patch"));
            }
        }
        assert!(body_is_json(&headers("content-encoding", "gzip")).is_err());
        assert!(body_is_json(&HeaderMap::new()).is_ok());
    }

    #[test]
    fn only_the_public_profile_is_served() {
        assert!(answer_media(&headers("accept-profile", "public"), ITEM).is_ok());
        let refused = answer_media(&headers("accept-profile", "secret"), ITEM).unwrap_err();
        assert_eq!(refused.code(), "PGRST106");
    }
}
