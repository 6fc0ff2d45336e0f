//! Records as JSON and CSV, for rows that a hook has looked at. Other rows arrive encoded and are not touched.

use rowstamp_domain::definition::{JsonEncoding, ResourceDefinition};
use rowstamp_domain::query::{Select, SelectItem};
use rowstamp_domain::record::Record;
use rowstamp_domain::value::Value;

/// Appends the selected fields of `record` as an object; a field that a hook took away is left out, and where `stripped` every member that
/// is null, at any depth.
pub(crate) fn object(record: &Record, select: &Select, stripped: bool, out: &mut Vec<u8>) {
    if stripped {
        let mut whole = Vec::new();
        object(record, select, false, &mut whole);
        strip_nulls(&mut whole.as_slice(), out);
        return;
    }
    out.push(b'{');
    let start = out.len();
    // A request that wants anything but fields of such rows has been refused.
    for item in select.0.iter() {
        let SelectItem::Field(id) = item else { continue };
        let Some(value) = record.value(*id) else {
            continue;
        };
        if out.len() > start {
            out.push(b',');
        }
        let field = record.definition().field(*id);
        // Names are ASCII letters, digits and underscores: nothing in them needs an escape.
        out.push(b'"');
        out.extend_from_slice(field.name.as_bytes());
        out.extend_from_slice(b"\":");
        match field.json {
            JsonEncoding::Native => value.write_json(out),
            JsonEncoding::String => value.write_json_as_string(out),
        }
    }
    out.push(b'}');
}

/// The selected fields of `records` as an array.
pub(crate) fn array(records: &[Record], select: &Select, stripped: bool) -> Vec<u8> {
    let mut out = vec![b'['];
    for (index, record) in records.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        object(record, select, stripped, &mut out);
    }
    out.push(b']');
    out
}

/// The selected fields of `records` as CSV (RFC 4180), as a store writes it: NULL is empty, empty text is quoted, lines end with a line
/// feed. A field that a hook took away is empty.
pub(crate) fn csv(records: &[Record], select: &Select, definition: &ResourceDefinition) -> Vec<u8> {
    let fields = || {
        select.0.iter().filter_map(|item| match item {
            SelectItem::Field(id) => Some(*id),
            SelectItem::Column(_) | SelectItem::Embed(_) => None,
        })
    };
    let mut out = String::new();
    for (position, id) in fields().enumerate() {
        if position > 0 {
            out.push(',');
        }
        out.push_str(&definition.field(id).name);
    }
    out.push('\n');
    for record in records {
        for (position, id) in fields().enumerate() {
            if position > 0 {
                out.push(',');
            }
            if let Some(value) = record.value(id).filter(|value| !value.is_null()) {
                csv_value(value, &mut out);
            }
        }
        out.push('\n');
    }
    out.into_bytes()
}

fn csv_value(value: &Value, out: &mut String) {
    let mut text = String::new();
    value.write_text(&mut text);
    if text.is_empty() || text.contains(['"', ',', '\r', '\n']) {
        out.push('"');
        out.push_str(&text.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(&text);
    }
}

/// Copies one value of compact JSON without the members that are null, at any depth.
fn strip_nulls(json: &mut &[u8], out: &mut Vec<u8>) {
    match json.first() {
        Some(b'{') => container(json, out, b'}', |json, out| {
            let begin = out.len();
            string(json, out);
            skip(json, 1);
            blanks(json);
            out.push(b':');
            if json.starts_with(b"null") {
                skip(json, 4);
                out.truncate(begin);
            } else {
                strip_nulls(json, out);
            }
        }),
        Some(b'[') => container(json, out, b']', strip_nulls),
        Some(b'"') => string(json, out),
        _ => {
            let end = json
                .iter()
                .position(|byte| b",]}".contains(byte))
                .unwrap_or(json.len());
            out.extend_from_slice(&json[..end]);
            skip(json, end);
        }
    }
}

/// Copies what stands between brackets, with commas between the parts of which something is left.
fn container(json: &mut &[u8], out: &mut Vec<u8>, close: u8, part: impl Fn(&mut &[u8], &mut Vec<u8>)) {
    out.push(json[0]);
    skip(json, 1);
    let begin = out.len();
    while json.first().is_some_and(|byte| *byte != close) {
        if json[0] == b',' {
            skip(json, 1);
        }
        blanks(json);
        let before = out.len();
        if before > begin {
            out.push(b',');
        }
        let after_comma = out.len();
        part(json, out);
        if out.len() == after_comma {
            out.truncate(before);
        }
    }
    out.push(close);
    skip(json, 1);
}

fn string(json: &mut &[u8], out: &mut Vec<u8>) {
    let mut escaped = false;
    let end = json.iter().skip(1).position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    let length = end.map_or(json.len(), |end| end + 2);
    out.extend_from_slice(&json[..length]);
    skip(json, length);
}

/// Values of `json` fields have a space behind commas and colons.
fn blanks(json: &mut &[u8]) {
    while json.first() == Some(&b' ') {
        skip(json, 1);
    }
}

fn skip(json: &mut &[u8], bytes: usize) {
    *json = json.get(bytes..).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_that_are_null_are_left_out_at_any_depth_and_nothing_else() {
        for (json, expected) in [
            (r#"{"a":null}"#, "{}"),
            (r#"{"a":null,"b":1,"c":null,"d":"null"}"#, r#"{"b":1,"d":"null"}"#),
            (
                r#"{"a":{"b":null,"c":[null,{"d":null}]},"e":null}"#,
                r#"{"a":{"c":[null,{}]}}"#,
            ),
            (
                r#"{"a":{"b": null, "c": [1, "x\"}, ", {"d": 2}]}}"#,
                r#"{"a":{"c":[1,"x\"}, ",{"d":2}]}}"#,
            ),
            (r#"{"a":"\\","b":null}"#, r#"{"a":"\\"}"#),
            ("{}", "{}"),
            (r#"{"a":[]}"#, r#"{"a":[]}"#),
        ] {
            let mut out = Vec::new();
            strip_nulls(&mut json.as_bytes(), &mut out);
            assert_eq!(String::from_utf8_lossy(&out), expected, "{json}");
        }
    }
}
