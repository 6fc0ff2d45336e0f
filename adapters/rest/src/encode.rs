//! Records as JSON, for rows that a hook has looked at. Other rows arrive encoded and are not touched.

use rowstamp_domain::definition::JsonEncoding;
use rowstamp_domain::query::{Select, SelectItem};
use rowstamp_domain::record::Record;

/// Appends the selected fields of `record` as an object; a field that a hook took away is left out.
pub(crate) fn object(record: &Record, select: &Select, out: &mut Vec<u8>) {
    out.push(b'{');
    let start = out.len();
    for item in select.0.iter() {
        let SelectItem::Field(id) = item else {
            unimplemented!()
        };
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
pub(crate) fn array(records: &[Record], select: &Select) -> Vec<u8> {
    let mut out = vec![b'['];
    for (index, record) in records.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        object(record, select, &mut out);
    }
    out.push(b']');
    out
}
