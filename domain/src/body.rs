//! Bodies taken apart: JSON objects as keys and raw values, within bounds.
//!
//! Values stay text, as written; what they mean depends on the field. How many bytes a body may have is the entrance's
//! business.

mod error;

use std::borrow::Cow;
use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use crate::value::Excerpt;
use crate::value::json_scan::{DEEPEST, ScanError, ScanProblem, Scanner, Token};
use crate::value::json_string::StringProblem;

pub use error::{BodyError, Place};

/// One object: its keys, no two alike, and its values as they were written, in the order of the body.
pub type Members<'a> = Vec<(Cow<'a, str>, &'a str)>;

/// How much a body may ask of its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyLimits {
    /// How many containers may be open within each other, the outermost included; never more than 128.
    pub max_depth: u8,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self { max_depth: 64 }
    }
}

/// Reads a body that must be one object.
///
/// ```
/// use rowstamp_domain::body::{BodyLimits, read_object};
/// let members = read_object(br#"{"title": "Emma", "price": 1.10}"#, BodyLimits::default())?;
/// assert_eq!(members[1], ("price".into(), "1.10"));
/// # Ok::<(), rowstamp_domain::body::BodyError>(())
/// ```
///
/// # Errors
/// The first mistake, and where it is.
pub fn read_object(bytes: &[u8], limits: BodyLimits) -> Result<Members<'_>, BodyError> {
    let mut reader = Reader::new(bytes, limits)?;
    match reader.token()? {
        Token::ObjectStart => {
            let mut members = Vec::new();
            reader.members(1, None, &mut members)?;
            reader.finish()?;
            Ok(members)
        }
        token => Err(BodyError::NotAnObject {
            record: None,
            found: token.kind(),
            array_allowed: false,
        }),
    }
}

/// Reads a body that is one object or an array of objects, calls `each` with each of them, and tells whether it is an array.
///
/// `each` has seen some before a mistake is found behind them.
///
/// # Errors
/// The first mistake, and where it is.
pub fn for_each_object<'a>(
    bytes: &'a [u8],
    limits: BodyLimits,
    mut each: impl FnMut(&mut Members<'a>),
) -> Result<bool, BodyError> {
    let mut reader = Reader::new(bytes, limits)?;
    let is_array = match reader.token()? {
        Token::ObjectStart => {
            let mut members = Vec::new();
            reader.members(1, None, &mut members)?;
            each(&mut members);
            false
        }
        Token::ArrayStart => {
            reader.records(each)?;
            true
        }
        token => {
            return Err(BodyError::NotAnObject {
                record: None,
                found: token.kind(),
                array_allowed: true,
            });
        }
    };
    reader.finish()?;
    Ok(is_array)
}

struct Reader<'a> {
    text: &'a str,
    scanner: Scanner<'a>,
    max_depth: u8,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8], limits: BodyLimits) -> Result<Self, BodyError> {
        let text = std::str::from_utf8(bytes).map_err(|error| BodyError::NotUtf8 {
            offset: error.valid_up_to(),
        })?;
        if text.trim_ascii().is_empty() {
            return Err(BodyError::Empty);
        }
        Ok(Self {
            text,
            scanner: Scanner::new(text),
            max_depth: limits.max_depth.min(DEEPEST),
        })
    }

    fn error(&self, error: ScanError) -> BodyError {
        let place = Place::of(self.text, error.offset);
        match error.problem {
            ScanProblem::TooDeep => BodyError::TooDeep {
                place,
                max_depth: self.max_depth,
            },
            problem => BodyError::Syntax {
                place,
                message: problem.message(),
            },
        }
    }

    fn expected(&self, problem: ScanProblem) -> BodyError {
        self.error(self.scanner.error(problem))
    }

    fn token(&mut self) -> Result<Token<'a>, BodyError> {
        self.scanner.token().map_err(|error| self.error(error))
    }

    fn finish(&mut self) -> Result<(), BodyError> {
        self.scanner.finish().map_err(|error| self.error(error))
    }

    /// How much deeper a value may nest with so many containers open already.
    fn depth_left(&self, open: u8) -> Result<u8, BodyError> {
        let before = self.scanner.position().saturating_sub(1);
        self.max_depth.checked_sub(open).ok_or_else(|| {
            self.error(ScanError {
                offset: before,
                problem: ScanProblem::TooDeep,
            })
        })
    }

    /// Reads what follows the opening bracket of an array of objects.
    fn records(&mut self, mut each: impl FnMut(&mut Members<'a>)) -> Result<(), BodyError> {
        self.depth_left(1)?;
        if self.scanner.take(b']') {
            return Ok(());
        }
        let mut members = Vec::new();
        for index in 0.. {
            match self.token()? {
                Token::ObjectStart => {
                    members.clear();
                    self.members(2, Some(index), &mut members)?;
                    each(&mut members);
                }
                token => {
                    return Err(BodyError::NotAnObject {
                        record: Some(index),
                        found: token.kind(),
                        array_allowed: false,
                    });
                }
            }
            if self.scanner.take(b']') {
                break;
            }
            if !self.scanner.take(b',') {
                return Err(self.expected(ScanProblem::CommaOrBracket));
            }
        }
        Ok(())
    }

    /// Reads what follows the opening brace of an object into `members`, which is empty.
    fn members(
        &mut self,
        open: u8,
        record: Option<usize>,
        members: &mut Members<'a>,
    ) -> Result<(), BodyError> {
        let depth_left = self.depth_left(open)?;
        if self.scanner.take(b'}') {
            return Ok(());
        }
        members.reserve(8);
        let mut seen = None;
        loop {
            self.scanner.skip_whitespace();
            let key_offset = self.scanner.position();
            let raw = self.scanner.key().map_err(|error| self.error(error))?;
            let key = raw.unescape().map_err(|problem| BodyError::BadKey {
                record,
                place: Place::of(self.text, key_offset),
                message: match problem {
                    StringProblem::Nul => "holds a NUL character",
                    StringProblem::LoneSurrogate => "holds half of a surrogate pair",
                },
            })?;
            if is_duplicate(&key, members, &mut seen) {
                return Err(BodyError::DuplicateKey {
                    record,
                    key: Excerpt::of(&key),
                });
            }
            let value = self
                .scanner
                .value(depth_left)
                .map_err(|error| self.error(error))?;
            members.push((key, value));
            if self.scanner.take(b'}') {
                return Ok(());
            }
            if !self.scanner.take(b',') {
                return Err(self.expected(ScanProblem::CommaOrBrace));
            }
        }
    }
}

/// From how many keys on a set is faster than looking through them.
const MANY_KEYS: usize = 32;

/// The hashes of an object's keys, kept once there are many. A hash that was seen is only a reason to look.
#[derive(Default)]
struct SeenKeys {
    state: RandomState,
    hashes: HashSet<u64>,
}

impl SeenKeys {
    fn add(&mut self, key: &str) -> bool {
        self.hashes.insert(self.state.hash_one(key))
    }
}

fn is_duplicate(key: &str, members: &Members<'_>, seen: &mut Option<SeenKeys>) -> bool {
    if members.len() >= MANY_KEYS {
        let seen = seen.get_or_insert_with(|| {
            let mut seen = SeenKeys::default();
            for (key, _) in members {
                seen.add(key);
            }
            seen
        });
        if seen.add(key) {
            return false;
        }
    }
    members.iter().any(|(known, _)| known == key)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test may panic")]

    use proptest::prelude::*;

    use super::*;

    const LIMITS: BodyLimits = BodyLimits { max_depth: 64 };

    fn object(text: &str) -> Result<Members<'_>, BodyError> {
        read_object(text.as_bytes(), LIMITS)
    }

    /// The objects of a body, and whether it is an array.
    fn objects(text: &str) -> Result<(Vec<Members<'_>>, bool), BodyError> {
        objects_within(text.as_bytes(), LIMITS)
    }

    fn objects_within(bytes: &[u8], limits: BodyLimits) -> Result<(Vec<Members<'_>>, bool), BodyError> {
        let mut objects = Vec::new();
        let is_array = for_each_object(bytes, limits, |members| objects.push(members.clone()))?;
        Ok((objects, is_array))
    }

    #[test]
    fn values_stay_as_they_were_written() {
        let text = " {\"a\" : 1.10e0 ,\"b\":[ 1, {\"x\" : \"\\u0041\"} ], \"c\\u0064\":null,\"\":\"é\\n\"}\n";
        let members = object(text).unwrap();
        let expected = [
            ("a", "1.10e0"),
            ("b", "[ 1, {\"x\" : \"\\u0041\"} ]"),
            ("cd", "null"),
            ("", "\"é\\n\""),
        ];
        assert_eq!(members.len(), expected.len());
        for ((key, value), (expected_key, expected_value)) in members.iter().zip(expected) {
            assert_eq!((key.as_ref(), *value), (expected_key, expected_value));
        }
    }

    #[test]
    fn keys_are_borrowed_unless_they_hold_an_escape() {
        let members = object(r#"{"plain": 1, "esc\u0061ped": 2}"#).unwrap();
        assert!(matches!(members[0].0, Cow::Borrowed("plain")));
        assert!(matches!(&members[1].0, Cow::Owned(key) if key == "escaped"));
    }

    #[test]
    fn one_object_and_an_array_are_told_apart() {
        assert_eq!(objects("{}").unwrap(), (vec![Vec::new()], false));
        assert_eq!(objects(" [ ] ").unwrap(), (Vec::new(), true));
        assert_eq!(
            objects(r#"[{"a":1},{},{"b":2}]"#).unwrap(),
            (
                vec![vec![("a".into(), "1")], Vec::new(), vec![("b".into(), "2")]],
                true
            )
        );
    }

    #[test]
    fn every_mistake_has_its_message() {
        for (text, code, message) in [
            ("", "empty_body", "the body is empty, expected JSON"),
            (" \n", "empty_body", "the body is empty, expected JSON"),
            (
                "[1]",
                "not_an_object",
                "expected an object in record 0, found a number",
            ),
            (
                "[{}, null]",
                "not_an_object",
                "expected an object in record 1, found null",
            ),
            (
                "\"x\"",
                "not_an_object",
                "expected an object or an array of objects, found a string",
            ),
            (
                "{\"a\":1,\"b\":2,\"\\u0061\":3}",
                "duplicate_key",
                "the key \"a\" is given twice",
            ),
            (
                "[{},{\"a\":1,\"a\":2}]",
                "duplicate_key",
                "the key \"a\" is given twice in record 1",
            ),
            (
                "{\"a\\u0000\":1}",
                "bad_key",
                "a key at line 1 column 2 holds a NUL character",
            ),
            (
                "{\"\\ud800\":1}",
                "bad_key",
                "a key at line 1 column 2 holds half of a surrogate pair",
            ),
            (
                "{\n  \"é\": x}",
                "invalid_json",
                "the body is not JSON at line 2 column 8: expected a JSON value",
            ),
            (
                "{\"a\":1} x",
                "invalid_json",
                "the body is not JSON at line 1 column 9: unexpected text after the value",
            ),
            (
                "{\"a\":1",
                "invalid_json",
                "the body is not JSON at line 1 column 7: unexpected end of the text",
            ),
            (
                "{\"a\":01}",
                "invalid_json",
                "the body is not JSON at line 1 column 7: malformed number",
            ),
            (
                "{\"a\" 1}",
                "invalid_json",
                "the body is not JSON at line 1 column 6: expected `:` after a key",
            ),
            (
                "{a:1}",
                "invalid_json",
                "the body is not JSON at line 1 column 2: expected a key in double quotes",
            ),
            (
                "[{},]",
                "invalid_json",
                "the body is not JSON at line 1 column 5: expected a JSON value",
            ),
            (
                "[{}{}]",
                "invalid_json",
                "the body is not JSON at line 1 column 4: expected `,` or `]`",
            ),
            (
                "{\"a\":\"\t\"}",
                "invalid_json",
                "the body is not JSON at line 1 column 7: control character in a string; it must be escaped",
            ),
            (
                "{\"a\":\"\\x\"}",
                "invalid_json",
                "the body is not JSON at line 1 column 7: malformed escape in a string",
            ),
            (
                "\u{feff}{}",
                "invalid_json",
                "the body is not JSON at line 1 column 1: expected a JSON value",
            ),
        ] {
            let error = objects(text).unwrap_err();
            assert_eq!(
                (error.code(), error.to_string().as_str()),
                (code, message),
                "{text}"
            );
        }
        assert_eq!(
            object("[]").unwrap_err().to_string(),
            "expected an object, found an array"
        );
        assert_eq!(
            read_object(b"{\"a\":\"\xff\"}", LIMITS).unwrap_err(),
            BodyError::NotUtf8 { offset: 6 }
        );
    }

    #[test]
    fn a_key_given_twice_among_many_is_found() {
        let keys: Vec<String> = (0..200).map(|index| format!("\"k{index}\":0")).collect();
        assert_eq!(object(&format!("{{{}}}", keys.join(","))).unwrap().len(), 200);
        for twice in [3, 31, 32, 199] {
            let text = format!("{{{},\"k{twice}\":1}}", keys.join(","));
            assert_eq!(object(&text).unwrap_err().code(), "duplicate_key", "{twice}");
        }
    }

    #[test]
    fn depth_is_counted_from_the_outermost_container() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        assert!(object(&nested(64)).is_ok());
        assert_eq!(object(&nested(65)).unwrap_err().code(), "too_deep");
        let error = object(&nested(100_000)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the body is nested more than 64 levels deep at line 1 column 69"
        );
        let in_array = |depth: usize| format!("[{}]", nested(depth));
        assert!(objects(&in_array(63)).is_ok());
        assert_eq!(objects(&in_array(64)).unwrap_err().code(), "too_deep");
        for (text, max_depth) in [("{}", 0), ("[]", 0), ("[{}]", 1)] {
            let limits = BodyLimits { max_depth };
            assert_eq!(
                objects_within(text.as_bytes(), limits).unwrap_err().code(),
                "too_deep",
                "{text}"
            );
        }
        // More than a scan can follow is cut to what it can.
        let limits = BodyLimits { max_depth: 255 };
        assert!(read_object(nested(128).as_bytes(), limits).is_ok());
        assert_eq!(
            read_object(nested(129).as_bytes(), limits).unwrap_err().code(),
            "too_deep"
        );
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = read_object(&bytes, LIMITS);
            let _ = objects_within(&bytes, LIMITS);
        }

        #[test]
        fn bytes_that_look_like_json_are_judged_as_serde_json_judges_them(text in r#"[\[\]{}",:0-9eE.+ \\utrunfalsé-]{0,24}"#) {
            let ours = object(&format!("{{\"a\":{text}}}")).is_ok_and(|members| members.len() == 1 && members[0].1 == text.trim());
            let theirs = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
            prop_assert_eq!(ours, theirs);
        }
    }
}
