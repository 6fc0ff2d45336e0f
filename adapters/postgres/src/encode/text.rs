//! Text, JSON text, UUIDs and bytes as JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Malformed;

/// Appends text as a JSON string.
pub(super) fn write(raw: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    if is_plain(raw) {
        write_plain(raw, out);
        return Ok(());
    }
    // A database in SQL_ASCII sends whatever was stored, and an answer must be UTF-8 all the same.
    let text = str::from_utf8(raw).map_err(|_| Malformed("text"))?;
    write_escaped(text.as_bytes(), out);
    Ok(())
}

/// Appends a JSON string, escaped as PostgreSQL's `escape_json` does: the short forms where JSON has them,
/// `\u00xx` for other control characters, everything else as it is.
pub(crate) fn write_string(text: &str, out: &mut Vec<u8>) {
    if is_plain(text.as_bytes()) {
        write_plain(text.as_bytes(), out);
    } else {
        write_escaped(text.as_bytes(), out);
    }
}

/// Whether the bytes are ASCII without anything to escape, as nearly all text is: one pass, of which the compiler makes
/// vector code.
fn is_plain(bytes: &[u8]) -> bool {
    const fn is_special(byte: u8) -> bool {
        needs_escape(byte) || byte >= 0x80
    }
    fn all<const N: usize>(chunk: &[u8; N]) -> bool {
        !chunk.iter().fold(false, |found, byte| found | is_special(*byte))
    }
    // The last chunk overlaps the one before it, so that no rest is left to be looked at byte by byte.
    if let Some(last) = bytes.last_chunk::<16>() {
        bytes.as_chunks::<16>().0.iter().all(all) && all(last)
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        all(first) && all(last)
    } else {
        bytes.iter().all(|byte| all(&[*byte]))
    }
}

fn write_plain(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    out.extend_from_slice(bytes);
    out.push(b'"');
}

const fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Copies what needs no escape in runs.
fn write_escaped(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(bytes.len() + 8);
    out.push(b'"');
    let mut rest = bytes;
    while let Some(place) = rest.iter().position(|byte| needs_escape(*byte)) {
        out.extend_from_slice(&rest[..place]);
        escape(rest[place], out);
        rest = &rest[place + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

fn escape(byte: u8, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        0..0x20 => {
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 15)]);
            return;
        }
        _ => byte,
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// Appends `jsonb`: a version byte, then the text that PostgreSQL prints.
pub(super) fn write_jsonb(raw: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    match raw.split_first() {
        Some((1, json)) => write_json(json, out),
        _ => Err(Malformed("jsonb")),
    }
}

/// Appends JSON text as it is.
pub(super) fn write_json(raw: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    if raw.is_empty() || str::from_utf8(raw).is_err() {
        return Err(Malformed("json"));
    }
    out.extend_from_slice(raw);
    Ok(())
}

/// Appends a UUID, lower case.
pub(super) fn write_uuid(raw: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    let bytes = super::fixed::<16>(raw, "uuid")?;
    let mut text = [b'"'; 38];
    uuid::Uuid::from_bytes(bytes)
        .as_hyphenated()
        .encode_lower(&mut text[1..37]);
    out.extend_from_slice(&text);
    Ok(())
}

/// Appends bytes as a base64 string, with padding.
pub(super) fn write_base64(raw: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let start = out.len();
    let length = raw.len().div_ceil(3) * 4;
    out.resize(start + length, 0);
    STANDARD
        .encode_slice(raw, &mut out[start..])
        .expect("base64 is four bytes for every three begun");
    out.push(b'"');
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn string(text: &str) -> String {
        let mut out = Vec::new();
        write(text.as_bytes(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_is_escaped_as_postgresql_does() {
        for (text, json) in [
            ("", r#""""#),
            ("plain", r#""plain""#),
            ("a\"b\\c/d", r#""a\"b\\c/d""#),
            ("\n\r\t\u{8}\u{c}\u{1}\u{1f}", r#""\n\r\t\b\f\u0001\u001f""#),
            ("\u{7f}é漢😀", "\"\u{7f}é漢😀\""),
        ] {
            assert_eq!(string(text), json);
        }
    }

    #[test]
    fn an_escape_is_found_at_every_place_of_a_long_text() {
        for length in 0..50 {
            for place in 0..length {
                let mut text = "x".repeat(length);
                text.replace_range(place..=place, "\"");
                assert_eq!(string(&text), serde_json::to_string(&text).unwrap());
            }
        }
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_an_error() {
        let mut out = Vec::new();
        assert!(write(b"\xff", &mut out).is_err());
        assert!(write_jsonb(b"\x01\"\xff\"", &mut out).is_err());
        assert!(write_jsonb(b"\x02{}", &mut out).is_err());
        assert!(write_jsonb(b"", &mut out).is_err());
        assert!(write_uuid(&[0; 15], &mut out).is_err());
    }

    #[test]
    fn bytes_are_padded_base64() {
        for (bytes, json) in [
            (&b""[..], "\"\""),
            (b"a", "\"YQ==\""),
            (b"ab", "\"YWI=\""),
            (b"abc", "\"YWJj\""),
        ] {
            let mut out = Vec::new();
            write_base64(bytes, &mut out);
            assert_eq!(out, json.as_bytes());
        }
    }
}
