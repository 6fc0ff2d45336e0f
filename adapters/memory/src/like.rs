//! SQL's LIKE.
//!
//! `ilike` is not here: both sides are lower-cased before they come.

/// Whether all of `text` matches `pattern`: `%` stands for any characters, `_` for one, and `\` takes the meaning from
/// what follows it. A `\` at the very end, which PostgreSQL refuses, stands for itself.
pub(crate) fn is_like(text: &str, pattern: &str) -> bool {
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
    use super::is_like;

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
