//! Strings of JSON text: where they end, and what their escapes mean.
//!
//! Whether an escape is well formed is the scanner's question; whether PostgreSQL can hold what it means is asked here.

use std::borrow::Cow;

/// A string without its quotes, its escapes still in it. They are well formed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawString<'a> {
    raw: &'a str,
    escaped: bool,
}

/// A character that JSON can name but PostgreSQL, or Unicode, cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StringProblem {
    Nul,
    LoneSurrogate,
}

impl<'a> RawString<'a> {
    /// The scan has seen to it that its escapes are well formed.
    pub(super) fn new(raw: &'a str, escaped: bool) -> Self {
        Self { raw, escaped }
    }

    /// The text that is meant; borrowed where it holds no escape.
    pub(crate) fn unescape(self) -> Result<Cow<'a, str>, StringProblem> {
        if !self.escaped {
            return Ok(Cow::Borrowed(self.raw));
        }
        let mut text = String::with_capacity(self.raw.len());
        let mut rest = self.raw;
        while let Some(at) = rest.find('\\') {
            text.push_str(&rest[..at]);
            let letter = rest.as_bytes()[at + 1];
            rest = &rest[at + 2..];
            text.push(match letter {
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                b'u' => {
                    let character;
                    (character, rest) = unicode_escape(rest)?;
                    character
                }
                other => char::from(other),
            });
        }
        text.push_str(rest);
        Ok(Cow::Owned(text))
    }
}

/// Reads the digits after `\u`, and a second escape where the first is half of a surrogate pair.
fn unicode_escape(rest: &str) -> Result<(char, &str), StringProblem> {
    let unit = |text: &str| {
        text.get(..4)
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
    };
    let first = unit(rest).expect("the scan saw four hexadecimal digits");
    let mut rest = &rest[4..];
    let code = match first {
        0 => return Err(StringProblem::Nul),
        0xD800..=0xDBFF => {
            let second = rest
                .strip_prefix("\\u")
                .and_then(unit)
                .filter(|unit| (0xDC00..=0xDFFF).contains(unit));
            let second = second.ok_or(StringProblem::LoneSurrogate)?;
            rest = &rest[6..];
            0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)
        }
        _ => first,
    };
    char::from_u32(code)
        .map(|character| (character, rest))
        .ok_or(StringProblem::LoneSurrogate)
}

/// How many bytes there are before a quote, a backslash or a control character.
// Eight bytes at a time: a byte's highest bit is set where the byte is one of these. A borrow can set it falsely, but
// only above a byte where it is set rightly, and the lowest one counts.
pub(super) fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let (chunks, rest) = bytes.as_chunks::<8>();
    for (index, chunk) in chunks.iter().enumerate() {
        let word = u64::from_le_bytes(*chunk);
        let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word;
        let quote = word ^ (ONES * u64::from(b'"'));
        let backslash = word ^ (ONES * u64::from(b'\\'));
        let found = (below(word, 0x20) | below(quote, 1) | below(backslash, 1)) & HIGH;
        if found != 0 {
            return index * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let ends = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    bytes.len() - rest.len() + rest.iter().position(ends).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn eight_bytes_at_a_time_find_what_one_at_a_time_finds(
            mut bytes in proptest::collection::vec(0x20_u8.., 0..40), at in 0_usize..40, special in any::<u8>(),
        ) {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = special;
            }
            let plain = |byte: &u8| !matches!(byte, b'"' | b'\\' | 0..0x20);
            prop_assert_eq!(plain_length(&bytes), bytes.iter().take_while(|byte| plain(byte)).count());
        }
    }
}
