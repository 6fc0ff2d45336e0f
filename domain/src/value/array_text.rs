//! PostgreSQL's array literals: `{a,b,"c d",NULL}`, with braces in braces for more dimensions.
//!
//! Lower bounds (`[0:2]={…}`) are refused: a value does not hold them.

use std::borrow::Cow;

use super::Value;
use super::error::ValueError;
use super::read_json::{MAX_DIMENSIONS, Shape, shape_of};
use super::read_text::read_scalar;
use crate::field_type::ScalarType;

/// Reads a whole literal.
pub(super) fn read(text: &str, ty: ScalarType) -> Result<Value, ValueError> {
    let mut literal = Literal {
        text,
        position: 0,
        ty,
    };
    if !literal.take(b'{') {
        return Err(ValueError::MalformedArray {
            reason: "it must begin with `{`",
        });
    }
    let (elements, _) = literal.array(1)?;
    literal.skip_whitespace();
    if literal.position < text.len() {
        return Err(ValueError::MalformedArray {
            reason: "unexpected text after the last `}`",
        });
    }
    Ok(Value::Array(elements))
}

struct Literal<'a> {
    text: &'a str,
    position: usize,
    ty: ScalarType,
}

impl<'a> Literal<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    fn skip_whitespace(&mut self) {
        while self.peek().is_some_and(is_space) {
            self.position += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        self.skip_whitespace();
        let found = self.peek() == Some(byte);
        self.position += usize::from(found);
        found
    }

    /// Reads what follows an opening brace.
    fn array(&mut self, dimension: usize) -> Result<(Vec<Value>, Shape), ValueError> {
        let mut elements = Vec::new();
        let mut inner_shape = None;
        if self.take(b'}') {
            return if dimension == 1 {
                Ok((elements, Shape::default()))
            } else {
                Err(ValueError::RaggedArray)
            };
        }
        loop {
            let (element, shape) = if self.take(b'{') {
                if dimension == MAX_DIMENSIONS {
                    return Err(ValueError::TooManyDimensions);
                }
                let (inner, shape) = self.array(dimension + 1)?;
                (Value::Array(inner), shape)
            } else {
                (self.element()?, Shape::default())
            };
            if *inner_shape.get_or_insert(shape) != shape {
                return Err(ValueError::RaggedArray);
            }
            elements.push(element);
            if self.take(b'}') {
                let shape = shape_of(elements.len(), inner_shape.unwrap_or_default());
                return Ok((elements, shape));
            }
            if !self.take(b',') {
                return Err(ValueError::MalformedArray {
                    reason: "expected `,` or `}`",
                });
            }
        }
    }

    fn element(&mut self) -> Result<Value, ValueError> {
        if self.take(b'"') {
            return read_scalar(self.quoted()?, self.ty);
        }
        let start = self.position;
        let mut escaped = false;
        let mut end = start;
        while let Some(byte) = self.peek() {
            match byte {
                b',' | b'}' => break,
                b'{' | b'"' => {
                    return Err(ValueError::MalformedArray {
                        reason: "a brace or quote must be within quotes",
                    });
                }
                b'\\' => {
                    escaped = true;
                    self.position += 1;
                    end = self.position + self.character_length()?;
                    self.position = end;
                }
                byte => {
                    self.position += 1;
                    if !is_space(byte) {
                        end = self.position;
                    }
                }
            }
        }
        let raw = &self.text[start..end];
        if raw.is_empty() {
            return Err(ValueError::MalformedArray {
                reason: "an empty element must be written `\"\"`",
            });
        }
        if raw.eq_ignore_ascii_case("null") {
            return Ok(Value::Null);
        }
        read_scalar(if escaped { unescape(raw).into() } else { raw.into() }, self.ty)
    }

    fn quoted(&mut self) -> Result<Cow<'a, str>, ValueError> {
        let start = self.position;
        let mut escaped = false;
        loop {
            match self.peek() {
                None => {
                    return Err(ValueError::MalformedArray {
                        reason: "a quote is not closed",
                    });
                }
                Some(b'"') => {
                    let raw = &self.text[start..self.position];
                    self.position += 1;
                    return Ok(if escaped { unescape(raw).into() } else { raw.into() });
                }
                Some(b'\\') => {
                    escaped = true;
                    self.position += 1;
                    self.position += self.character_length()?;
                }
                Some(_) => self.position += 1,
            }
        }
    }

    fn character_length(&self) -> Result<usize, ValueError> {
        let next = self.text[self.position..].chars().next();
        next.map(char::len_utf8).ok_or(ValueError::MalformedArray {
            reason: "it ends in a backslash",
        })
    }
}

/// A backslash makes the next character stand for itself.
fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut characters = raw.chars();
    while let Some(character) = characters.next() {
        text.extend(if character == '\\' {
            characters.next()
        } else {
            Some(character)
        });
    }
    text
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// Appends a literal.
pub(super) fn push(out: &mut String, elements: &[Value]) {
    out.push('{');
    for (index, element) in elements.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        match element {
            Value::Null => out.push_str("NULL"),
            Value::Array(inner) => push(out, inner),
            scalar => {
                let mut text = String::new();
                scalar.write_text(&mut text);
                push_element(out, &text);
            }
        }
    }
    out.push('}');
}

fn push_element(out: &mut String, text: &str) {
    let special = |byte| is_space(byte) || matches!(byte, b'"' | b'\\' | b'{' | b'}' | b',');
    if !text.is_empty() && !text.eq_ignore_ascii_case("null") && !text.bytes().any(special) {
        return out.push_str(text);
    }
    out.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
}
