//! Rows as CSV (RFC 4180): a line of names, a line feed after each row. NULL is nothing at all, and empty text is quoted.

use rowstamp_domain::json_text::Buffer;

use super::{Cell, Content, Member, Nulls};
use crate::decode::decode;
use crate::rows::RowsError;

/// Appends the line of names.
pub(crate) fn write_header(members: &[Member], out: &mut Buffer) {
    for (index, member) in members.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_field(member.name.as_bytes(), out);
    }
    out.push(b'\n');
}

/// Appends a row; `cell` gives its columns. A value is the text that is read back from CSV, an embed is JSON.
pub(crate) fn write_line<'r>(
    members: &[Member],
    cell: impl Fn(usize) -> Result<Cell<'r>, RowsError>,
    out: &mut Buffer,
) -> Result<(), RowsError> {
    for (index, member) in members.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        member.write_text(cell(member.cell)?, out)?;
    }
    out.push(b'\n');
    Ok(())
}

impl Member {
    fn write_text(&self, mut cell: Cell<'_>, out: &mut Buffer) -> Result<(), RowsError> {
        let mut through = &*self.through;
        while let Some((next, rest)) = through.split_first()
            && !next.several
            && let Some(raw) = cell.raw
        {
            cell = super::Record::read(raw)?.cell(next.cell)?;
            through = rest;
        }
        let Some(raw) = cell.raw else {
            return Ok(());
        };
        match self.content {
            Content::Value { ty, as_string } if through.is_empty() => {
                let encoding = cell.encoding(raw, ty, as_string)?;
                let mut text = String::new();
                decode(encoding, ty.scalar, Some(raw))?.write_text(&mut text);
                write_field(text.as_bytes(), out);
            }
            _ => {
                let mut json = Buffer::new();
                self.write_through(through, cell, Nulls::Kept, &mut json)?;
                write_field(json.as_slice(), out);
            }
        }
        Ok(())
    }
}

/// Appends text, in quotes where it needs them.
fn write_field(text: &[u8], out: &mut Buffer) {
    let plain = !text.is_empty()
        && !text
            .iter()
            .any(|byte| matches!(byte, b'"' | b',' | b'\n' | b'\r'));
    if plain {
        return out.extend_from_slice(text);
    }
    out.push(b'"');
    for part in text.split_inclusive(|byte| *byte == b'"') {
        out.extend_from_slice(part);
        if part.ends_with(b"\"") {
            out.push(b'"');
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_csv_would_misread_is_quoted() {
        for (text, field) in [
            ("", "\"\""),
            ("plain text", "plain text"),
            ("a,b", "\"a,b\""),
            ("a\"b", "\"a\"\"b\""),
            ("\"", "\"\"\"\""),
            ("a\nb\r", "\"a\nb\r\""),
        ] {
            let mut out = Buffer::new();
            write_field(text.as_bytes(), &mut out);
            assert_eq!(String::from_utf8_lossy(out.as_slice()), field);
        }
    }
}
