//! A scanner over JSON text that keeps values as they were written.
//!
//! It builds nothing and does not recurse; what strings and numbers mean is left to those who ask for them.

use super::json_string::{RawString, plain_length};

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
                    return Ok(RawString::new(raw, escaped));
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
