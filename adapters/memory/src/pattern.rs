//! SQL's LIKE, and regular expressions.
//!
//! Whatever the case means ASCII letters in LIKE, as in a database of the `C` locale.

use regex::Regex;
use rowstamp_domain::query::PatternKind;
use rowstamp_ports::{QueryFault, StoreError};

/// Whether `text` matches.
///
/// # Errors
/// `InvalidQuery` where the pattern is no regular expression, or one that only PostgreSQL knows.
pub(crate) fn matches(kind: PatternKind, text: &str, pattern: &str) -> Result<bool, StoreError> {
    match kind {
        PatternKind::Like => Ok(is_like(text, pattern)),
        PatternKind::ILike => Ok(is_like(&text.to_ascii_lowercase(), &pattern.to_ascii_lowercase())),
        PatternKind::Regex => regex(pattern, "(?s)").map(|regex| regex.is_match(text)),
        PatternKind::IRegex => regex(pattern, "(?si)").map(|regex| regex.is_match(text)),
    }
}

/// Compiles a POSIX expression. Classes are those of ASCII, as in a database of the `C` locale.
fn regex(pattern: &str, flags: &str) -> Result<Regex, StoreError> {
    translated(pattern)
        .and_then(|pattern| Regex::new(&format!("{flags}(?:{pattern})")).ok())
        .ok_or(StoreError::InvalidQuery(QueryFault::RegularExpression))
}

/// The escapes that mean something else in PostgreSQL, or that it does not know.
fn translated(pattern: &str) -> Option<String> {
    let mut out = String::with_capacity(pattern.len());
    let mut in_class = false;
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '\\' {
            let escaped = characters.next()?;
            out.push_str(match (escaped, in_class) {
                ('d', false) => "[0-9]",
                ('w', false) => "[A-Za-z0-9_]",
                ('s', false) => "[ \\t\\n\\r\\f\\v]",
                ('D', false) => "[^0-9]",
                ('W', false) => "[^A-Za-z0-9_]",
                ('S', false) => "[^ \\t\\n\\r\\f\\v]",
                ('d', true) => "0-9",
                ('w', true) => "A-Za-z0-9_",
                ('s', true) => " \\t\\n\\r\\f\\v",
                ('y', false) => "(?-u:\\b)",
                ('Y', false) => "(?-u:\\B)",
                ('m', false) => "(?-u:\\b{start})",
                ('M', false) => "(?-u:\\b{end})",
                ('A', false) => "\\A",
                ('Z', false) => "\\z",
                ('n' | 'r' | 't' | 'f' | 'v', _) => {
                    out.push('\\');
                    out.push(escaped);
                    continue;
                }
                // References to what was found, and other letters, have no like.
                (letter, _) if letter.is_ascii_alphanumeric() => return None,
                _ => {
                    out.push_str(&regex::escape(escaped.encode_utf8(&mut [0; 4])));
                    continue;
                }
            });
            continue;
        }
        match (character, in_class) {
            ('[', false) => {
                in_class = true;
                out.push('[');
                if characters.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                // A bracket at the beginning is one of the characters.
                if characters.next_if_eq(&']').is_some() {
                    out.push_str("\\]");
                }
            }
            (']', true) => {
                in_class = false;
                out.push(']');
            }
            ('[', true) if characters.next_if_eq(&':').is_some() => {
                out.push_str("[:");
                while let Some(letter) = characters.next_if(char::is_ascii_lowercase) {
                    out.push(letter);
                }
                characters.next_if_eq(&':')?;
                characters.next_if_eq(&']')?;
                out.push_str(":]");
            }
            // In a class these are operators to one and characters to the other.
            ('[' | '&' | '~', true) => {
                out.push('\\');
                out.push(character);
            }
            _ => out.push(character),
        }
    }
    Some(out)
}

/// Whether all of `text` matches `pattern`: `%` stands for any characters, `_` for one, and `\` takes the meaning from
/// what follows it. A `\` at the very end, which PostgreSQL refuses, stands for itself.
fn is_like(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    // `reached[at]`: whether the pattern read so far matches the first `at` characters.
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    let mut pattern = pattern.chars().peekable();
    while let Some(character) = pattern.next() {
        if character == '%' {
            let first = reached
                .iter()
                .position(|reached| *reached)
                .unwrap_or(reached.len());
            reached[first..].fill(true);
            continue;
        }
        let wanted = match character {
            '_' => None,
            '\\' => Some(pattern.next().unwrap_or('\\')),
            other => Some(other),
        };
        for at in (0..text.len()).rev() {
            reached[at + 1] = reached[at] && wanted.is_none_or(|wanted| wanted == text[at]);
        }
        reached[0] = false;
    }
    reached[text.len()]
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test may panic")]

    use super::*;

    #[test]
    fn regular_expressions_are_found_as_postgresql_finds_them() {
        let cases = [
            ("abc", "b", true),
            ("abc", "^b", false),
            ("a\nb", "a.b", true),
            ("a\nb", "a$", false),
            ("a1", r"\d$", true),
            ("a٣", r"\d", false),
            ("é", r"\w", false),
            ("a]", "[]]", true),
            ("x", "[^]a]", true),
            ("a-b", r"\mb\M", true),
            ("ab", r"\mb", false),
            ("a", "[[:alpha:]]", true),
            ("&", "[a&&b]", true),
            ("a.c", r"a\.c", true),
            ("abc", r"a\.c", false),
            ("ab", "(a|b){2}", true),
        ];
        for (text, pattern, expected) in cases {
            let found = matches(PatternKind::Regex, text, pattern).unwrap();
            assert_eq!(found, expected, "{text:?} ~ {pattern:?}");
        }
        assert!(matches(PatternKind::IRegex, "ABC", "b").unwrap());
        for pattern in ["(", "[a", "a{2", r"(a)\1", "a\\"] {
            assert_eq!(
                matches(PatternKind::Regex, "a", pattern),
                Err(StoreError::InvalidQuery(QueryFault::RegularExpression)),
                "{pattern}"
            );
        }
    }

    #[test]
    fn patterns_match_whole_texts_as_postgresql_says() {
        let cases = [
            ("", "", true),
            ("", "%", true),
            ("a", "", false),
            ("abc", "abc", true),
            ("abc", "ab", false),
            ("abc", "%b%", true),
            ("abc", "_b_", true),
            ("abc", "__", false),
            ("abc", "a%c", true),
            ("ac", "a%c", true),
            ("aXbXc", "a%b%c", true),
            ("a%c", r"a\%c", true),
            ("abc", r"a\%c", false),
            (r"a\c", r"a\\c", true),
            ("été", "_t_", true),
            ("ÉTÉ", "é%", false),
            ("aaa", "%aa%a", true),
            ("aa", "%aa%a", false),
            ("a\nb", "a_b", true),
        ];
        for (text, pattern, expected) in cases {
            assert_eq!(is_like(text, pattern), expected, "{text:?} like {pattern:?}");
        }
    }
}
