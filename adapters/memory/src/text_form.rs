//! Values as PostgreSQL's own output functions print them, which is not what they are in JSON.

use std::fmt::Write as _;

use rowstamp_domain::value::Value;

/// What `value::text` is; NULL has none.
pub(crate) fn text_form(value: &Value) -> Option<String> {
    let mut text = String::new();
    match value {
        Value::Null => return None,
        Value::Timestamp(_) => {
            value.write_text(&mut text);
            // The sessions are in UTC.
            text = text.replacen('T', " ", 1).replacen("+00:00", "+00", 1);
        }
        Value::Bytes(bytes) => {
            text.push_str("\\x");
            for byte in bytes {
                write!(text, "{byte:02x}").expect("a String takes all");
            }
        }
        Value::Array(elements) => push_array(&mut text, elements),
        other => other.write_text(&mut text),
    }
    Some(text)
}

fn push_array(out: &mut String, elements: &[Value]) {
    out.push('{');
    for (index, element) in elements.iter().enumerate() {
        out.push_str(if index == 0 { "" } else { "," });
        match element {
            Value::Null => out.push_str("NULL"),
            Value::Array(inner) => push_array(out, inner),
            // Truth values are printed short where they are elements.
            Value::Boolean(truth) => out.push(if *truth { 't' } else { 'f' }),
            scalar => push_element(out, &text_form(scalar).unwrap_or_default()),
        }
    }
    out.push('}');
}

fn push_element(out: &mut String, text: &str) {
    let is_special = |character: char| {
        matches!(
            character,
            '"' | '\\' | '{' | '}' | ',' | ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}'
        )
    };
    if !text.is_empty() && !text.eq_ignore_ascii_case("null") && !text.contains(is_special) {
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
