//! The plain writer: what each value is in JSON and as bare text. It defines the wire format.
//!
//! It is simple rather than fast. Faster encoders exist beside it and are checked against it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::json::push_string;
use super::{Value, array_text, float};

/// How numbers are written in JSON.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Numbers {
    Bare,
    Quoted,
}

impl Value {
    /// Appends the value as JSON, as PostgreSQL's `to_json` would have it (bytes as base64).
    pub fn write_json(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.to_json().as_bytes());
    }

    /// Appends the value as JSON with every number in quotes, in arrays element by element; for fields with
    /// `json = "string"`.
    pub fn write_json_as_string(&self, out: &mut Vec<u8>) {
        let mut text = String::new();
        push_json(self, &mut text, Numbers::Quoted);
        out.extend_from_slice(text.as_bytes());
    }

    /// The value as JSON, like [`Value::write_json`].
    pub fn to_json(&self) -> String {
        let mut text = String::new();
        push_json(self, &mut text, Numbers::Bare);
        text
    }

    /// Appends the value as bare text that [`Value::read_text`] reads back. NULL appends nothing.
    pub fn write_text(&self, out: &mut String) {
        match self {
            Self::Null => {}
            Self::Boolean(boolean) => out.push_str(if *boolean { "true" } else { "false" }),
            Self::Integer(number) => out.push_str(itoa::Buffer::new().format(*number)),
            Self::BigInt(number) => out.push_str(itoa::Buffer::new().format(*number)),
            Self::Float(number) => float::push(out, *number),
            Self::Decimal(number) => number.push(out),
            Self::Text(text) => out.push_str(text),
            Self::Uuid(uuid) => {
                out.push_str(uuid.hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()));
            }
            Self::Date(date) => date.push(out),
            Self::Time(time) => time.push(out),
            Self::Timestamp(timestamp) => timestamp.push(out),
            Self::Json(json) => out.push_str(json.as_str()),
            Self::Bytes(bytes) => STANDARD.encode_string(bytes, out),
            Self::Array(elements) => array_text::push(out, elements),
        }
    }
}

fn push_json(value: &Value, out: &mut String, numbers: Numbers) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Boolean(_) | Value::Json(_) => value.write_text(out),
        Value::Integer(_) | Value::BigInt(_) => push_number(value, out, numbers),
        Value::Float(number) if number.is_finite() => push_number(value, out, numbers),
        Value::Decimal(number) if number.is_finite() => push_number(value, out, numbers),
        Value::Text(text) => push_string(out, text),
        // None of these holds a character that JSON would escape.
        Value::Float(_)
        | Value::Decimal(_)
        | Value::Uuid(_)
        | Value::Date(_)
        | Value::Time(_)
        | Value::Timestamp(_)
        | Value::Bytes(_) => push_quoted(value, out),
        Value::Array(elements) => {
            out.push('[');
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                push_json(element, out, numbers);
            }
            out.push(']');
        }
    }
}

fn push_number(value: &Value, out: &mut String, numbers: Numbers) {
    match numbers {
        Numbers::Bare => value.write_text(out),
        Numbers::Quoted => push_quoted(value, out),
    }
}

fn push_quoted(value: &Value, out: &mut String) {
    out.push('"');
    value.write_text(out);
    out.push('"');
}
