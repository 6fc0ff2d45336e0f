//! Entity tags and the conditions that clients put on them (RFC 9110, sections 8.8.3 and 13).
//!
//! A tag is `"<version>-<hash>"`: the version is the row's `last_updated_at`, the hash stands for everything else that the
//! representation depends on. Whether a row's version is the one demanded is judged by the store, under its lock.

use http::header::{HeaderMap, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH};
use rowstamp_domain::operation::Precondition;
use rowstamp_domain::value::Timestamp;

use crate::problem::{Problem, codes};

/// What stands for definition, media type, columns and what of them is readable, in a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Fingerprint(u32);

impl Fingerprint {
    /// The start of every fingerprint.
    pub(crate) const fn start() -> Self {
        Self(0x811c_9dc5)
    }

    /// This fingerprint and `bytes` after it (FNV-1a), the same in every process.
    #[must_use]
    pub(crate) fn with(self, bytes: &[u8]) -> Self {
        let mut hash = self.0;
        for byte in bytes {
            hash = (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
        // A separator keeps `ab`, `c` from being `a`, `bc`.
        Self((hash ^ 0xff).wrapping_mul(0x0100_0193))
    }
}

/// The tag of a representation.
pub(crate) fn entity_tag(version: Timestamp, fingerprint: Fingerprint) -> Option<HeaderValue> {
    let mut buffer = itoa::Buffer::new();
    let version = buffer.format(version.micros_since_2000()).as_bytes();
    // A sign, 19 digits, a dash, 8 digits and two quotes are at most 31 bytes.
    let mut tag = [b'"'; 31];
    tag[1..][..version.len()].copy_from_slice(version);
    let mut end = 1 + version.len();
    tag[end] = b'-';
    for shift in (0..8).rev() {
        end += 1;
        tag[end] = b"0123456789abcdef"[(fingerprint.0 >> (4 * shift)) as usize & 15];
    }
    // The quote behind it stands there already.
    HeaderValue::from_bytes(&tag[..end + 2]).ok()
}

/// The conditions of one request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Conditions {
    /// `If-Match`
    pub(crate) if_match: Option<Tags>,
    /// `If-None-Match`
    pub(crate) if_none_match: Option<Tags>,
}

/// What a condition lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tags {
    /// `*`
    Any,
    /// Tags, in order.
    Listed(Vec<Tag>),
}

/// One entity tag as sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag {
    /// `W/` stood before it.
    pub(crate) weak: bool,
    /// What stood between the quotes.
    pub(crate) opaque: String,
}

impl Conditions {
    /// Reads both fields.
    ///
    /// # Errors
    /// 400 when one of them is no list of tags.
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        Ok(Self {
            if_match: tags(headers, &IF_MATCH)?,
            if_none_match: tags(headers, &IF_NONE_MATCH)?,
        })
    }

    /// What they demand of a row before it is written.
    ///
    /// # Errors
    /// 400 when both are given, or `If-None-Match` lists tags: what that would mean for a write nobody needs.
    pub(crate) fn of_write(&self) -> Result<Precondition, Problem> {
        match (&self.if_match, &self.if_none_match) {
            (None, None) => Ok(Precondition::None),
            (Some(Tags::Any), None) => Ok(Precondition::Exists),
            (Some(Tags::Listed(tags)), None) => Ok(Precondition::VersionIn(
                tags.iter().filter_map(Tag::version).collect(),
            )),
            (None, Some(Tags::Any)) => Ok(Precondition::Absent),
            (None, Some(Tags::Listed(_))) => Err(invalid("`If-None-Match` of a write can only be `*`")),
            (Some(_), Some(_)) => Err(invalid("`If-Match` and `If-None-Match` contradict each other")),
        }
    }

    /// What they say about a representation that was read and has this tag.
    pub(crate) fn of_read(&self, current: Option<&HeaderValue>, version: Option<Timestamp>) -> ReadCondition {
        let matched = match &self.if_match {
            None | Some(Tags::Any) => true,
            Some(Tags::Listed(tags)) => version.is_some() && tags.iter().any(|tag| tag.version() == version),
        };
        if !matched {
            return ReadCondition::Failed;
        }
        let known = match &self.if_none_match {
            None => false,
            Some(Tags::Any) => true,
            Some(Tags::Listed(tags)) => current.is_some_and(|current| tags.iter().any(|tag| tag.is(current))),
        };
        if known {
            ReadCondition::NotModified
        } else {
            ReadCondition::Proceed
        }
    }
}

/// How the conditions of a read turned out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadCondition {
    /// The row is answered.
    Proceed,
    /// 304: the client has it.
    NotModified,
    /// 412: it is not the version demanded.
    Failed,
}

impl Tag {
    /// The version it names, where it is one of ours and strong: `If-Match` compares strongly, so a weak tag never matches.
    fn version(&self) -> Option<Timestamp> {
        if self.weak {
            return None;
        }
        let (version, _) = self.opaque.rsplit_once('-')?;
        Timestamp::from_micros_since_2000(version.parse().ok()?).ok()
    }

    /// Whether it is this tag, compared weakly.
    fn is(&self, current: &HeaderValue) -> bool {
        let bytes = current.as_bytes();
        bytes.len() == self.opaque.len() + 2 && &bytes[1..bytes.len() - 1] == self.opaque.as_bytes()
    }
}

fn tags(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Tags>, Problem> {
    let mut listed = Vec::new();
    let mut any = false;
    let mut present = false;
    for field in headers.get_all(name) {
        present = true;
        let mut text = field.to_str().map_err(|_| malformed(name))?.trim();
        if text == "*" {
            any = true;
            continue;
        }
        loop {
            // Senders may leave elements of a list empty (RFC 9110, 5.6.1).
            text = text.trim_start_matches([',', ' ', '\t']);
            if text.is_empty() {
                break;
            }
            let (tag, rest) = tag(text).ok_or_else(|| malformed(name))?;
            listed.push(tag);
            text = rest;
        }
    }
    match (present, any, listed.is_empty()) {
        (false, ..) => Ok(None),
        (true, true, true) => Ok(Some(Tags::Any)),
        (true, false, false) => Ok(Some(Tags::Listed(listed))),
        (true, ..) => Err(malformed(name)),
    }
}

/// One tag at the start of `text`, and what follows its comma.
fn tag(text: &str) -> Option<(Tag, &str)> {
    let (weak, text) = match text.strip_prefix("W/") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (opaque, rest) = text.strip_prefix('"')?.split_once('"')?;
    let rest = rest.trim_start();
    let rest = match rest.strip_prefix(',') {
        Some(rest) => rest.trim_start(),
        None if rest.is_empty() => rest,
        None => return None,
    };
    Some((
        Tag {
            weak,
            opaque: opaque.to_owned(),
        },
        rest,
    ))
}

fn malformed(name: &HeaderName) -> Problem {
    let name = if name == IF_MATCH {
        "If-Match"
    } else {
        "If-None-Match"
    };
    invalid(format!(
        "`{name}` is neither `*` nor a list of entity tags such as \"1-2\""
    ))
}

fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::new(codes::INVALID_HEADER, message)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros_since_2000(micros).unwrap()
    }

    fn conditions(name: &str, value: &str) -> Result<Conditions, Problem> {
        let headers = [(name.parse::<HeaderName>().unwrap(), value.parse().unwrap())]
            .into_iter()
            .collect();
        Conditions::read(&headers)
    }

    #[test]
    fn a_tag_reads_back_as_the_version_it_was_made_of() {
        // The infinities are the longest.
        for micros in [
            0,
            1,
            -1,
            824_774_400_123_456,
            -211_813_488_000_000_000,
            i64::MAX,
            i64::MIN,
        ] {
            let tag = entity_tag(at(micros), Fingerprint::start().with(b"books")).unwrap();
            let demanded = conditions("if-match", tag.to_str().unwrap()).unwrap().of_write();
            assert_eq!(demanded, Ok(Precondition::VersionIn(vec![at(micros)])));
        }
    }

    #[test]
    fn if_match_takes_lists_and_never_weak_or_foreign_tags() {
        for (sent, versions) in [
            (r#""7-0""#, vec![at(7)]),
            (r#""7-0", "8-0" ,"9-0""#, vec![at(7), at(8), at(9)]),
            (r#"W/"7-0", "8-0""#, vec![at(8)]),
            (r#", "7-0",, "8-0" ,"#, vec![at(7), at(8)]),
            (r#""foreign""#, vec![]),
            (r#""a,b-c""#, vec![]),
        ] {
            let demanded = conditions("if-match", sent).unwrap().of_write();
            assert_eq!(demanded, Ok(Precondition::VersionIn(versions)), "{sent}");
        }
        assert_eq!(
            conditions("if-match", "*").unwrap().of_write(),
            Ok(Precondition::Exists)
        );
        assert_eq!(
            conditions("if-none-match", "*").unwrap().of_write(),
            Ok(Precondition::Absent)
        );
        assert!(
            conditions("if-none-match", "\"7-0\"")
                .unwrap()
                .of_write()
                .is_err()
        );
    }

    #[test]
    fn what_is_no_list_of_tags_is_refused() {
        for sent in [
            "7-0",
            "\"7-0",
            "\"7-0\" \"8-0\"",
            "",
            " , ",
            "w/\"7-0\"",
            "*, \"7-0\"",
        ] {
            assert_eq!(
                conditions("if-match", sent).unwrap_err().code(),
                "RS_INVALID_HEADER",
                "{sent}"
            );
        }
    }

    #[test]
    fn a_read_compares_whole_tags_weakly() {
        let current = entity_tag(at(7), Fingerprint::start()).unwrap();
        let text = current.to_str().unwrap();
        for (name, sent, expected) in [
            ("if-none-match", text.to_owned(), ReadCondition::NotModified),
            (
                "if-none-match",
                format!("\"x\", W/{text}"),
                ReadCondition::NotModified,
            ),
            ("if-none-match", "*".to_owned(), ReadCondition::NotModified),
            (
                "if-none-match",
                "\"7-00000000\"".to_owned(),
                ReadCondition::Proceed,
            ),
            ("if-match", "\"7-00000000\"".to_owned(), ReadCondition::Proceed),
            ("if-match", "\"8-00000000\"".to_owned(), ReadCondition::Failed),
            ("if-match", format!("W/{text}"), ReadCondition::Failed),
        ] {
            let read = conditions(name, &sent)
                .unwrap()
                .of_read(Some(&current), Some(at(7)));
            assert_eq!(read, expected, "{name}: {sent}");
        }
    }
}
