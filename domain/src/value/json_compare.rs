//! The order of JSON values, as PostgreSQL's `jsonb` has it.
//!
//! It walks both texts side by side without recursion: what the database stored may nest deeper than a request may.

use std::cmp::Ordering;

use super::decimal::Decimal;
use super::json::Json;
use super::json_scan::{ScanError, ScanProblem, Scanner, Token};
use super::json_string::RawString;

impl Ord for Json {
    /// Object, array, boolean, number, string, null, greatest first; containers of one kind by their number of
    /// elements, then element by element. An empty array at the top is less than all else, an accident of history
    /// that PostgreSQL keeps.
    fn cmp(&self, other: &Self) -> Ordering {
        let (left, right) = (self.as_str(), other.as_str());
        if left == right {
            return Ordering::Equal;
        }
        // Only text that PostgreSQL did not print cannot be walked; it still gets some order.
        walk(left, right).unwrap_or_else(|_| left.cmp(right))
    }
}

impl PartialOrd for Json {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Json {}

fn walk(left_text: &str, right_text: &str) -> Result<Ordering, ScanError> {
    let (mut left, mut right) = (Scanner::new(left_text), Scanner::new(right_text));
    // The containers that both are in; they have been alike so far.
    let mut objects = Vec::new();
    loop {
        let (left_token, right_token) = (left.token()?, right.token()?);
        let order = match (left_token, right_token) {
            (Token::ArrayStart, Token::ArrayStart) | (Token::ObjectStart, Token::ObjectStart) => {
                let count = count_elements(left.rest());
                let order = count.cmp(&count_elements(right.rest()));
                if order.is_eq() && count > 0 {
                    let object = matches!(left_token, Token::ObjectStart);
                    objects.push(object);
                    let order = if object {
                        compare_keys(&mut left, &mut right)?
                    } else {
                        Ordering::Equal
                    };
                    if order.is_eq() {
                        continue;
                    }
                    return Ok(order);
                }
                left.take_either(b"]}");
                right.take_either(b"]}");
                order
            }
            (Token::ArrayStart, _) if objects.is_empty() && count_elements(left.rest()) == 0 => {
                Ordering::Less
            }
            (_, Token::ArrayStart) if objects.is_empty() && count_elements(right.rest()) == 0 => {
                Ordering::Greater
            }
            _ => compare_scalars(left_token, right_token),
        };
        if order.is_ne() {
            return Ok(order);
        }
        // Both are behind a value that is equal: to the next one, out of as many containers as end here.
        loop {
            let Some(&object) = objects.last() else {
                return Ok(Ordering::Equal);
            };
            match (left.take(b','), right.take(b',')) {
                (true, true) => {
                    let order = if object {
                        compare_keys(&mut left, &mut right)?
                    } else {
                        Ordering::Equal
                    };
                    if order.is_ne() {
                        return Ok(order);
                    }
                    break;
                }
                (false, false) if left.take_either(b"]}") && right.take_either(b"]}") => {
                    objects.pop();
                }
                _ => return Err(left.error(ScanProblem::Trailing)),
            }
        }
    }
}

fn compare_keys(left: &mut Scanner<'_>, right: &mut Scanner<'_>) -> Result<Ordering, ScanError> {
    Ok(compare_strings(left.key()?, right.key()?))
}

fn compare_strings(left: RawString<'_>, right: RawString<'_>) -> Ordering {
    let bytes = |string: RawString<'_>| string.unescape().unwrap_or_default().into_owned();
    bytes(left).cmp(&bytes(right))
}

fn compare_scalars(left: Token<'_>, right: Token<'_>) -> Ordering {
    match (left, right) {
        (Token::String(left), Token::String(right)) => compare_strings(left, right),
        (Token::Number(left), Token::Number(right)) => {
            match (left.parse::<Decimal>(), right.parse::<Decimal>()) {
                (Ok(left), Ok(right)) => left.cmp(&right),
                _ => left.cmp(right),
            }
        }
        (Token::Boolean(left), Token::Boolean(right)) => left.cmp(&right),
        _ => rank(left).cmp(&rank(right)),
    }
}

fn rank(token: Token<'_>) -> u8 {
    match token {
        Token::Null => 0,
        Token::String(_) => 1,
        Token::Number(_) => 2,
        Token::Boolean(_) => 3,
        Token::ArrayStart => 4,
        Token::ObjectStart => 5,
    }
}

/// How many elements or members there are up to the bracket that closes the container begun just before `rest`.
fn count_elements(rest: &str) -> usize {
    let mut commas = 0;
    let mut depth = 0_usize;
    let mut empty = true;
    let mut in_string = false;
    let mut bytes = rest.bytes();
    while let Some(byte) = bytes.next() {
        if in_string {
            match byte {
                b'\\' => {
                    bytes.next();
                }
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b']' | b'}' if depth == 0 => break,
            b']' | b'}' => depth -= 1,
            b'[' | b'{' => depth += 1,
            b',' if depth == 0 => commas += 1,
            b'"' => in_string = true,
            _ => {}
        }
        empty &= byte.is_ascii_whitespace();
    }
    if empty { 0 } else { commas + 1 }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test may panic")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_order_is_jsonbs() {
        let ascending = [
            "[]",
            "null",
            r#""""#,
            r#""B""#,
            r#""a""#,
            r#""aa""#,
            r#""é""#,
            "-1",
            "1.5",
            "2",
            "10",
            "1e20",
            "false",
            "true",
            "[null]",
            "[1]",
            "[{}]",
            "[1, 1]",
            "[1, 2]",
            "[[], 1]",
            "[null, null, null]",
            "{}",
            r#"{"a": 1}"#,
            r#"{"a": 2}"#,
            r#"{"a": []}"#,
            r#"{"aa": 1}"#,
            r#"{"b": 1}"#,
            r#"{"a": 1, "b": 1}"#,
            r#"{"a": 1, "b": 2}"#,
        ];
        let by_rule: Vec<Json> = ascending.iter().map(|text| Json::parse(text).unwrap()).collect();
        for (left_at, left) in by_rule.iter().enumerate() {
            for (right_at, right) in by_rule.iter().enumerate() {
                assert_eq!(left.cmp(right), left_at.cmp(&right_at), "{left} {right}");
            }
        }
    }

    #[test]
    fn numbers_are_equal_whatever_their_scale() {
        for (left, right) in [("1.0", "1.00"), (r#"{"a": [1.10]}"#, r#"{"a": [1.1]}"#)] {
            assert_eq!(Json::parse(left).unwrap(), Json::parse(right).unwrap());
        }
        assert_ne!(Json::parse("[1]").unwrap(), Json::parse("[[1]]").unwrap());
    }

    #[test]
    fn the_deepest_values_of_the_database_are_compared_without_recursion() {
        let nested = |depth: usize, inner: &str| {
            Json::from_jsonb_text(format!("{}{inner}{}", "[".repeat(depth), "]".repeat(depth)))
        };
        assert_eq!(nested(2000, "1").cmp(&nested(2000, "2")), Ordering::Less);
        assert_eq!(nested(2000, "1.0").cmp(&nested(2000, "1")), Ordering::Equal);
    }

    proptest! {
        #[test]
        fn text_that_is_no_json_never_panics(left in r#"[\[\]{}",:0-9\\u ]{0,16}"#, right in r#"[\[\]{}",:0-9\\u ]{0,16}"#) {
            let (left, right) = (Json::from_jsonb_text(left), Json::from_jsonb_text(right));
            let _ = left.cmp(&right);
        }
    }
}
