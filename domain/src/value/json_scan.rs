//! A scanner over JSON text that keeps values as they were written.
//!
//! It builds nothing and does not recurse; what strings and numbers mean is left to those who ask for them.

use std::borrow::Cow;

/// The deepest nesting that a scan can follow: one bit of a word for each open container.
pub(crate) const DEEPEST: u8 = 128;

/// Where JSON text stops being JSON, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ScanError {
    /// Bytes before the place.
    pub(crate) offset: usize,
    pub(crate) problem: ScanProblem,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScanProblem {
    End,
    Value,
    Key,
    Colon,
    CommaOrBracket,
    CommaOrBrace,
    Number,
    Escape,
    ControlCharacter,
    Trailing,
    TooDeep,
}

impl ScanProblem {
    pub(crate) const fn message(self) -> &'static str {
        match self {
            Self::End => "unexpected end of the text",
            Self::Value => "expected a JSON value",
            Self::Key => "expected a key in double quotes",
            Self::Colon => "expected `:` after a key",
            Self::CommaOrBracket => "expected `,` or `]`",
            Self::CommaOrBrace => "expected `,` or `}`",
            Self::Number => "malformed number",
            Self::Escape => "malformed escape in a string",
            Self::ControlCharacter => "control character in a string; it must be escaped",
            Self::Trailing => "unexpected text after the value",
            Self::TooDeep => "nested too deeply",
        }
    }
}

/// One value, or the opening of a container.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Token<'a> {
    Null,
    Boolean(bool),
    Number(&'a str),
    String(RawString<'a>),
    ArrayStart,
    ObjectStart,
}

impl Token<'_> {
    /// What it is called in an error.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::ArrayStart => "an array",
            Self::ObjectStart => "an object",
        }
    }
}

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

/// A place in a JSON text.
#[derive(Debug, Clone)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, position: 0 }
    }

    /// Bytes behind this place.
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    pub(crate) fn error(&self, problem: ScanProblem) -> ScanError {
        let problem = if self.position >= self.text.len() {
            ScanProblem::End
        } else {
            problem
        };
        ScanError {
            offset: self.position,
            problem,
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    pub(crate) fn skip_whitespace(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.position += 1;
        }
    }

    /// Takes this byte, if it is next after white space.
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        self.skip_whitespace();
        let found = self.peek() == Some(byte);
        self.position += usize::from(found);
        found
    }

    /// Takes any of these bytes, if it is next after white space.
    pub(crate) fn take_either(&mut self, bytes: &[u8]) -> bool {
        bytes.iter().any(|&byte| self.take(byte))
    }

    /// What is ahead.
    pub(crate) fn rest(&self) -> &'a str {
        &self.text[self.position..]
    }

    /// Only white space may follow.
    pub(crate) fn finish(&mut self) -> Result<(), ScanError> {
        self.skip_whitespace();
        if self.position == self.text.len() {
            Ok(())
        } else {
            Err(self.error(ScanProblem::Trailing))
        }
    }

    /// Reads a scalar, or the bracket that opens a container.
    pub(crate) fn token(&mut self) -> Result<Token<'a>, ScanError> {
        self.skip_whitespace();
        match self.peek() {
            Some(b'"') => self.string().map(Token::String),
            Some(b'-' | b'0'..=b'9') => self.number().map(Token::Number),
            Some(b'{') => Ok(self.step(Token::ObjectStart)),
            Some(b'[') => Ok(self.step(Token::ArrayStart)),
            Some(b't') => self.word("true", Token::Boolean(true)),
            Some(b'f') => self.word("false", Token::Boolean(false)),
            Some(b'n') => self.word("null", Token::Null),
            _ => Err(self.error(ScanProblem::Value)),
        }
    }

    /// Reads a key and the colon after it.
    pub(crate) fn key(&mut self) -> Result<RawString<'a>, ScanError> {
        self.skip_whitespace();
        if self.peek() != Some(b'"') {
            return Err(self.error(ScanProblem::Key));
        }
        let key = self.string()?;
        if self.take(b':') {
            Ok(key)
        } else {
            Err(self.error(ScanProblem::Colon))
        }
    }

    /// Steps over one value of any kind and gives its text. At most `max_depth` containers may be open in it.
    pub(crate) fn value(&mut self, max_depth: u8) -> Result<&'a str, ScanError> {
        self.skip_whitespace();
        let start = self.position;
        let mut open = Open::default();
        loop {
            let token_start = self.position;
            let token = self.token()?;
            if let Token::ArrayStart | Token::ObjectStart = token {
                if open.depth >= max_depth.min(DEEPEST) {
                    return Err(ScanError {
                        offset: token_start,
                        problem: ScanProblem::TooDeep,
                    });
                }
                let object = matches!(token, Token::ObjectStart);
                if !self.take(if object { b'}' } else { b']' }) {
                    open.push(object);
                    if object {
                        self.key()?;
                    }
                    self.skip_whitespace();
                    continue;
                }
            }
            loop {
                if open.depth == 0 {
                    return Ok(&self.text[start..self.position]);
                }
                let object = open.in_object();
                if self.take(b',') {
                    if object {
                        self.key()?;
                    }
                    self.skip_whitespace();
                    break;
                }
                if !self.take(if object { b'}' } else { b']' }) {
                    return Err(self.error(if object {
                        ScanProblem::CommaOrBrace
                    } else {
                        ScanProblem::CommaOrBracket
                    }));
                }
                open.depth -= 1;
            }
        }
    }

    fn step(&mut self, token: Token<'a>) -> Token<'a> {
        self.position += 1;
        token
    }

    fn word(&mut self, word: &str, token: Token<'a>) -> Result<Token<'a>, ScanError> {
        if self.text.as_bytes()[self.position..].starts_with(word.as_bytes()) {
            self.position += word.len();
            Ok(token)
        } else {
            Err(self.error(ScanProblem::Value))
        }
    }

    fn string(&mut self) -> Result<RawString<'a>, ScanError> {
        let bytes = self.text.as_bytes();
        self.position += 1;
        let start = self.position;
        let mut escaped = false;
        loop {
            self.position += plain_length(&bytes[self.position..]);
            match self.peek() {
                Some(b'"') => {
                    let raw = &self.text[start..self.position];
                    self.position += 1;
                    return Ok(RawString { raw, escaped });
                }
                Some(b'\\') => {
                    escaped = true;
                    let length = match bytes.get(self.position + 1) {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
                        Some(b'u')
                            if bytes
                                .get(self.position + 2..self.position + 6)
                                .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) =>
                        {
                            6
                        }
                        _ => return Err(self.error(ScanProblem::Escape)),
                    };
                    self.position += length;
                }
                _ => return Err(self.error(ScanProblem::ControlCharacter)),
            }
        }
    }

    fn number(&mut self) -> Result<&'a str, ScanError> {
        let start = self.position;
        if self.peek() == Some(b'-') {
            self.position += 1;
        }
        if self.peek() == Some(b'0') {
            self.position += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.position += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.position += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.position += 1;
            }
            self.digits()?;
        }
        // `01` and `1a` are no numbers, rather than a number and something else.
        match self.peek() {
            Some(b'0'..=b'9' | b'.' | b'a'..=b'z' | b'A'..=b'Z' | b'+' | b'-') => {
                Err(self.error(ScanProblem::Number))
            }
            _ => Ok(&self.text[start..self.position]),
        }
    }

    fn digits(&mut self) -> Result<(), ScanError> {
        let start = self.position;
        while let Some(b'0'..=b'9') = self.peek() {
            self.position += 1;
        }
        if self.position > start {
            Ok(())
        } else {
            Err(self.error(ScanProblem::Number))
        }
    }
}

/// The containers that are open, innermost last: a bit says object or array.
#[derive(Default)]
struct Open {
    objects: u128,
    depth: u8,
}

impl Open {
    fn push(&mut self, object: bool) {
        let bit = 1 << self.depth;
        self.objects = if object {
            self.objects | bit
        } else {
            self.objects & !bit
        };
        self.depth += 1;
    }

    fn in_object(&self) -> bool {
        self.objects >> (self.depth - 1) & 1 == 1
    }
}

/// How many bytes there are before a quote, a backslash or a control character.
// Eight bytes at a time: a byte's highest bit is set where the byte is one of these. A borrow can set it falsely, but
// only above a byte where it is set rightly, and the lowest one counts.
fn plain_length(bytes: &[u8]) -> usize {
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
