//! JSON values as PostgreSQL's `jsonb` holds them: normalised text.
//!
//! No tree is kept and no path is looked up; a value is stored, compared and sent on.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use super::decimal::{Decimal, MAX_INTEGER_DIGITS, MAX_SCALE};
use super::error::Excerpt;
use super::json_scan::{DEEPEST, ScanError, ScanProblem, Scanner, Token};
use super::json_string::{RawString, StringProblem};

/// How many zeros the exponents of a document may stand for: enough for one 64-bit float of any size, and in
/// proportion to what was written, so that a short request cannot become a long document.
const fn zeros_allowed(written: usize) -> usize {
    400 + 8 * written
}

/// A JSON value as the text that PostgreSQL prints for a `jsonb`.
///
/// Keys are sorted by length, then bytes; `": "` and `", "` separate; numbers keep every digit (`1.10` stays, `1e2` is
/// `100`, `-0` is `0`); strings are escaped the one way PostgreSQL does it. Equality and order are `jsonb`'s.
///
/// ```
/// use rowstamp_domain::value::Json;
/// let json = Json::parse(r#"{"name":"\u0041", "n":1e2}"#)?;
/// assert_eq!(json.as_str(), r#"{"n": 100, "name": "A"}"#);
/// # Ok::<(), rowstamp_domain::value::JsonError>(())
/// ```
#[derive(Clone)]
pub struct Json(Box<str>);

/// Why a text is not JSON that can be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonError {
    /// Not JSON.
    Syntax {
        /// Bytes before the mistake.
        offset: usize,
        /// What was expected there.
        message: &'static str,
    },
    /// More than 128 containers within each other.
    TooDeep,
    /// An object that names a key twice.
    DuplicateKey(Excerpt),
    /// A NUL character in a string or a key.
    Nul,
    /// Half of a surrogate pair.
    LoneSurrogate,
    /// A number beyond `numeric`, or exponents that stand for many more zeros than was written.
    NumberTooLarge,
}

impl JsonError {
    /// A stable word for machines, such as `invalid_json`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "invalid_json",
            Self::TooDeep => "too_deep",
            Self::DuplicateKey(_) => "duplicate_key",
            Self::Nul => "nul",
            Self::LoneSurrogate => "lone_surrogate",
            Self::NumberTooLarge => "out_of_range",
        }
    }
}

impl std::error::Error for JsonError {}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { offset, message } => write!(f, "not JSON at byte {offset}: {message}"),
            Self::TooDeep => write!(f, "nested more than {DEEPEST} levels deep"),
            Self::DuplicateKey(key) => write!(f, "the key {key} is given twice"),
            Self::Nul => f.write_str("a NUL character cannot be stored"),
            Self::LoneSurrogate => f.write_str("half of a surrogate pair in a string"),
            Self::NumberTooLarge => {
                f.write_str("a number is out of range, or its exponent stands for too many zeros")
            }
        }
    }
}

impl From<ScanError> for JsonError {
    fn from(error: ScanError) -> Self {
        match error.problem {
            ScanProblem::TooDeep => Self::TooDeep,
            problem => Self::Syntax {
                offset: error.offset,
                message: problem.message(),
            },
        }
    }
}

impl From<StringProblem> for JsonError {
    fn from(problem: StringProblem) -> Self {
        match problem {
            StringProblem::Nul => Self::Nul,
            StringProblem::LoneSurrogate => Self::LoneSurrogate,
        }
    }
}

impl Json {
    /// Reads JSON text and normalises it.
    ///
    /// # Errors
    /// Whatever PostgreSQL would refuse, a key given twice, more than 128 levels, and exponents that stand for many
    /// more zeros than was written.
    pub fn parse(text: &str) -> Result<Self, JsonError> {
        let mut normaliser = Normaliser {
            scanner: Scanner::new(text),
            out: String::with_capacity(text.len() + text.len() / 8),
            zeros_left: zeros_allowed(text.len()),
        };
        normaliser.value(DEEPEST)?;
        normaliser.scanner.finish()?;
        let out = normaliser.out;
        Ok(Self(out.into()))
    }

    /// Takes text that PostgreSQL printed for a `jsonb`, which is normalised already and may nest deeper than what is
    /// read from requests.
    pub fn from_jsonb_text(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The normalised text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Json({})", self.0)
    }
}

/// Writes a text's normal form as it reads.
struct Normaliser<'a> {
    scanner: Scanner<'a>,
    out: String,
    zeros_left: usize,
}

impl Normaliser<'_> {
    /// Appends the next value. At most `depth` containers may be open in it, so recursion is bounded.
    fn value(&mut self, depth: u8) -> Result<(), JsonError> {
        match self.scanner.token()? {
            Token::Null => self.out.push_str("null"),
            Token::Boolean(true) => self.out.push_str("true"),
            Token::Boolean(false) => self.out.push_str("false"),
            Token::Number(number) => self.number(number)?,
            Token::String(string) => push_string(&mut self.out, &string.unescape()?),
            Token::ArrayStart => self.array(depth.checked_sub(1).ok_or(JsonError::TooDeep)?)?,
            Token::ObjectStart => self.object(depth.checked_sub(1).ok_or(JsonError::TooDeep)?)?,
        }
        Ok(())
    }

    fn array(&mut self, depth: u8) -> Result<(), JsonError> {
        self.out.push('[');
        if !self.scanner.take(b']') {
            loop {
                self.value(depth)?;
                if self.scanner.take(b']') {
                    break;
                }
                self.comma(ScanProblem::CommaOrBracket)?;
            }
        }
        self.out.push(']');
        Ok(())
    }

    fn object(&mut self, depth: u8) -> Result<(), JsonError> {
        self.out.push('{');
        let start = self.out.len();
        let mut members: Vec<Member<'_>> = Vec::new();
        if !self.scanner.take(b'}') {
            loop {
                let key = RawString::unescape(self.scanner.key()?)?;
                let begin = self.out.len();
                push_string(&mut self.out, &key);
                self.out.push_str(": ");
                self.value(depth)?;
                members.push(Member {
                    key,
                    begin,
                    end: self.out.len(),
                });
                if self.scanner.take(b'}') {
                    break;
                }
                self.comma(ScanProblem::CommaOrBrace)?;
            }
        }
        if !members.is_sorted_by(|left, right| left.rank() < right.rank()) {
            sort_members(&mut members, &mut self.out, start)?;
        }
        self.out.push('}');
        Ok(())
    }

    fn comma(&mut self, expected: ScanProblem) -> Result<(), JsonError> {
        if !self.scanner.take(b',') {
            return Err(self.scanner.error(expected).into());
        }
        self.out.push_str(", ");
        Ok(())
    }

    /// Appends a number as `numeric` prints it. JSON's own grammar leaves only the exponent and `-0` to change.
    fn number(&mut self, number: &str) -> Result<(), JsonError> {
        if number.contains(['e', 'E']) {
            let decimal: Decimal = number.parse().map_err(|_| JsonError::NumberTooLarge)?;
            let digits = decimal.integer_digits() as usize + usize::from(decimal.scale());
            let zeros = digits.saturating_sub(number.len());
            self.zeros_left = self
                .zeros_left
                .checked_sub(zeros)
                .ok_or(JsonError::NumberTooLarge)?;
            decimal.push(&mut self.out);
            return Ok(());
        }
        let unsigned = number.trim_start_matches('-');
        let (integer, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        if integer.len() > MAX_INTEGER_DIGITS || fraction.len() > usize::from(MAX_SCALE) {
            return Err(JsonError::NumberTooLarge);
        }
        let zero = unsigned.bytes().all(|byte| matches!(byte, b'0' | b'.'));
        self.out.push_str(if zero { unsigned } else { number });
        Ok(())
    }
}

/// A member that was written to `begin..end` of the output.
struct Member<'a> {
    key: Cow<'a, str>,
    begin: usize,
    end: usize,
}

impl Member<'_> {
    fn rank(&self) -> (usize, &[u8]) {
        (self.key.len(), self.key.as_bytes())
    }
}

fn sort_members(members: &mut [Member<'_>], out: &mut String, start: usize) -> Result<(), JsonError> {
    members.sort_by(|left, right| left.rank().cmp(&right.rank()));
    if let Some(pair) = members.windows(2).find(|pair| pair[0].key == pair[1].key) {
        return Err(JsonError::DuplicateKey(Excerpt::of(&pair[0].key)));
    }
    let written = out.split_off(start);
    for (index, member) in members.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        out.push_str(&written[member.begin - start..member.end - start]);
    }
    Ok(())
}

/// Appends a JSON string, escaped as PostgreSQL does it.
pub(super) fn push_string(out: &mut String, text: &str) {
    out.push('"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let short = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x08 => "\\b",
            0x0c => "\\f",
            0..0x20 => "",
            _ => continue,
        };
        out.push_str(&text[plain..at]);
        plain = at + 1;
        if short.is_empty() {
            write!(out, "\\u{byte:04x}").expect("a String takes all");
        } else {
            out.push_str(short);
        }
    }
    out.push_str(&text[plain..]);
    out.push('"');
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test may panic")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn json_is_normalised_as_jsonb_prints_it() {
        for (text, expected) in [
            (" null ", "null"),
            ("[ ]", "[]"),
            ("{ }", "{}"),
            ("[1,2 ,\n3]", "[1, 2, 3]"),
            (r#"{"b":1,"a":2}"#, r#"{"a": 2, "b": 1}"#),
            (
                r#"{"b":1,"a":{"bb":-0.00,"a":1e2,"c":1.10,"d":1.5e-3,"":0,"é":1},"aa":[true,false]}"#,
                r#"{"a": {"": 0, "a": 100, "c": 1.10, "d": 0.0015, "bb": 0.00, "é": 1}, "b": 1, "aa": [true, false]}"#,
            ),
            (
                "[-0, -0.0, 0e5, -0e-2, 1E+2, 12345678901234567890.10]",
                "[0, 0.0, 0, 0.00, 100, 12345678901234567890.10]",
            ),
            (
                r#""\u0041\u00e9\/\u001f\u007f\ud83d\ude00\b\f\n\r\t\"\\""#,
                "\"Aé/\\u001f\u{7f}😀\\b\\f\\n\\r\\t\\\"\\\\\"",
            ),
            (r#"{"\u0061":{"\n":1}}"#, r#"{"a": {"\n": 1}}"#),
        ] {
            assert_eq!(Json::parse(text).unwrap().as_str(), expected, "{text}");
        }
    }

    #[test]
    fn what_jsonb_cannot_hold_is_refused_by_name() {
        for (text, code, message) in [
            (
                "",
                "invalid_json",
                "not JSON at byte 0: unexpected end of the text",
            ),
            (
                "[1",
                "invalid_json",
                "not JSON at byte 2: unexpected end of the text",
            ),
            ("[1 2]", "invalid_json", "not JSON at byte 3: expected `,` or `]`"),
            (
                "{\"a\":1 \"b\":2}",
                "invalid_json",
                "not JSON at byte 7: expected `,` or `}`",
            ),
            (
                "1 2",
                "invalid_json",
                "not JSON at byte 2: unexpected text after the value",
            ),
            ("nul", "invalid_json", "not JSON at byte 0: expected a JSON value"),
            ("+1", "invalid_json", "not JSON at byte 0: expected a JSON value"),
            ("NaN", "invalid_json", "not JSON at byte 0: expected a JSON value"),
            (
                r#"{"a":1,"b":2,"a":3}"#,
                "duplicate_key",
                "the key \"a\" is given twice",
            ),
            (
                r#"[{"a":1,"\u0061":3}]"#,
                "duplicate_key",
                "the key \"a\" is given twice",
            ),
            (r#""a\u0000""#, "nul", "a NUL character cannot be stored"),
            (r#"{"\u0000":1}"#, "nul", "a NUL character cannot be stored"),
            (
                r#""\ud800""#,
                "lone_surrogate",
                "half of a surrogate pair in a string",
            ),
            (
                r#""\ud800\ud800""#,
                "lone_surrogate",
                "half of a surrogate pair in a string",
            ),
            (
                r#""\ud800\u00e9""#,
                "lone_surrogate",
                "half of a surrogate pair in a string",
            ),
            (
                r#""\udc00""#,
                "lone_surrogate",
                "half of a surrogate pair in a string",
            ),
        ] {
            let error = Json::parse(text).unwrap_err();
            assert_eq!(
                (error.code(), error.to_string().as_str()),
                (code, message),
                "{text}"
            );
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(Json::parse(&nested(128)).unwrap().as_str(), nested(128));
        assert_eq!(Json::parse(&nested(129)), Err(JsonError::TooDeep));
        assert_eq!(Json::parse(&"{\"a\":".repeat(100_000)), Err(JsonError::TooDeep));
        assert_eq!(Json::parse(&"[".repeat(1_000_000)), Err(JsonError::TooDeep));
    }

    #[test]
    fn numbers_are_bounded_and_exponents_cost_nothing() {
        assert_eq!(Json::parse("1e308").unwrap().as_str().len(), 309);
        assert!(Json::parse("5e-324").is_ok());
        assert!(Json::parse(&"9".repeat(131_072)).is_ok());
        for text in ["1e131071", "1e500", "1e-500", "0e-16000", "1e999999999999"] {
            assert_eq!(Json::parse(text), Err(JsonError::NumberTooLarge), "{text}");
        }
        // Where more was written, more zeros are allowed.
        let floats = vec!["1e-20"; 1000].join(",");
        assert!(Json::parse(&format!("[{floats}]")).is_ok());
        let floats = vec!["1e300"; 1000].join(",");
        assert_eq!(
            Json::parse(&format!("[{floats}]")),
            Err(JsonError::NumberTooLarge)
        );
        assert_eq!(Json::parse(&"9".repeat(131_073)), Err(JsonError::NumberTooLarge));
        assert_eq!(
            Json::parse(&format!("0.{}", "1".repeat(16_384))),
            Err(JsonError::NumberTooLarge)
        );
    }

    #[test]
    fn serde_json_values_come_and_go() {
        let value = serde_json::json!({"b": [1.5, null, "x"], "a": {"n": 10_000_000_000_i64}});
        let json = Json::try_from(&value).unwrap();
        assert_eq!(
            json.as_str(),
            r#"{"a": {"n": 10000000000}, "b": [1.5, null, "x"]}"#
        );
        assert_eq!(json.to_serde().unwrap(), value);
        assert_eq!(Json::try_from(&serde_json::json!("\0")), Err(JsonError::Nul));
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(serde_json::Value::from),
            any::<i64>().prop_map(serde_json::Value::from),
            (-1e10..1e10).prop_map(serde_json::Value::from),
            "[^\0]{0,8}".prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
                proptest::collection::hash_map("[^\0]{0,4}", inner, 0..5)
                    .prop_map(|members| members.into_iter().collect::<serde_json::Value>()),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_normal_form_is_its_own_normal_form(value in any_json()) {
            let once = Json::try_from(&value).unwrap();
            let twice = Json::parse(once.as_str()).unwrap();
            prop_assert_eq!(once.as_str(), twice.as_str());
            prop_assert_eq!(once.to_serde().unwrap(), value);
        }

        #[test]
        fn random_text_never_panics(text in r#"[\[\]{}",:0-9eE.\\u dDcC8-]{0,32}|.{0,32}"#) {
            if let Ok(json) = Json::parse(&text) {
                let twice = Json::parse(json.as_str()).unwrap();
                prop_assert_eq!(twice.as_str(), json.as_str());
            }
        }
    }
}
