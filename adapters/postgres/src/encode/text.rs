//! Text, JSON text, UUIDs and bytes as JSON.
//!
//! Nearly all text is ASCII without anything to escape, so it is copied and looked at in the same pass, block by block; only what turns out to
//! be otherwise is gone through byte by byte.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Buffer, Malformed};

/// How many bytes are copied and looked at together: what one register of every x86-64 and AArch64 processor holds.
const BLOCK: usize = 16;
/// The longest that one byte becomes: `\u001f`.
const LONGEST_ESCAPE: usize = 6;

/// Appends text as a JSON string.
#[inline]
pub(super) fn write(raw: &[u8], out: &mut Buffer) -> Result<(), Malformed> {
    if write_plain(raw, out) {
        return Ok(());
    }
    // A database in SQL_ASCII sends whatever was stored, and an answer must be UTF-8 all the same.
    if !raw.is_ascii() && str::from_utf8(raw).is_err() {
        return Err(Malformed("text"));
    }
    write_escaped(raw, out);
    Ok(())
}

/// A JSON string, escaped as PostgreSQL's `escape_json` does: the short forms where JSON has them, `\u00xx` for other control characters,
/// everything else as it is.
pub(crate) fn write_string(text: &str, out: &mut Buffer) {
    if !write_plain(text.as_bytes(), out) {
        write_escaped(text.as_bytes(), out);
    }
}

/// Appends text as a JSON string if all of it is ASCII without anything to escape; else nothing is appended.
#[inline]
fn write_plain(text: &[u8], out: &mut Buffer) -> bool {
    let ahead = out.ahead(text.len() + 2);
    ahead[0] = b'"';
    let is_plain = copy_plain(text, &mut ahead[1..=text.len()]);
    ahead[text.len() + 1] = b'"';
    if is_plain {
        out.advance(text.len() + 2);
    }
    is_plain
}

/// Copies text to a place of the same length, and tells whether all of it is ASCII without anything to escape.
#[inline]
fn copy_plain(text: &[u8], place: &mut [u8]) -> bool {
    // The last block overlaps the one before it, so that no rest is left to be looked at byte by byte.
    if let (Some(last), Some(last_place)) = (text.last_chunk::<BLOCK>(), place.last_chunk_mut::<BLOCK>()) {
        *last_place = *last;
        let mut special = has_special(last);
        for (block, place) in text.as_chunks().0.iter().zip(place.as_chunks_mut::<BLOCK>().0) {
            *place = *block;
            special |= has_special(block);
        }
        !special
    } else if text.len() >= 8 {
        copy_two::<8>(text, place)
    } else if text.len() >= 4 {
        copy_two::<4>(text, place)
    } else {
        let mut special = false;
        for (byte, place) in text.iter().zip(place) {
            *place = *byte;
            special |= is_special(*byte);
        }
        !special
    }
}

/// As [`copy_plain`], for a text that two blocks cover.
#[inline]
fn copy_two<const N: usize>(text: &[u8], place: &mut [u8]) -> bool {
    let (Some(first), Some(last)) = (text.first_chunk::<N>(), text.last_chunk::<N>()) else {
        return false;
    };
    if let Some(place) = place.first_chunk_mut() {
        *place = *first;
    }
    if let Some(place) = place.last_chunk_mut() {
        *place = *last;
    }
    !(has_special(first) | has_special(last))
}

#[inline]
fn has_special<const N: usize>(block: &[u8; N]) -> bool {
    block.iter().fold(false, |found, byte| found | is_special(*byte))
}

/// Whether a byte is not ASCII or must be escaped. As a signed number all but ASCII are below zero, so one comparison finds them together
/// with the control characters.
#[inline]
const fn is_special(byte: u8) -> bool {
    (byte.cast_signed() < 0x20) | (byte == b'"') | (byte == b'\\')
}

/// What follows the backslash of each byte's escape; 0 where it needs none, `u` where it is written as a number.
static ESCAPES: [u8; 256] = {
    let mut escapes = [0; 256];
    let mut byte = 0;
    while byte < 0x20 {
        escapes[byte] = b'u';
        byte += 1;
    }
    escapes[b'\n' as usize] = b'n';
    escapes[b'\r' as usize] = b'r';
    escapes[b'\t' as usize] = b't';
    escapes[0x08] = b'b';
    escapes[0x0c] = b'f';
    escapes[b'"' as usize] = b'"';
    escapes[b'\\' as usize] = b'\\';
    escapes
};

fn write_escaped(text: &[u8], out: &mut Buffer) {
    out.push(b'"');
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    for block in blocks {
        escape_block(block, out);
    }
    escape_block(rest, out);
    out.push(b'"');
}

/// Appends at most a block. Where quotes stand cannot be foreseen, so no branch depends on it: each byte is written as it is, over its
/// backslash where it needs none.
#[inline]
fn escape_block(block: &[u8], out: &mut Buffer) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let place = out.block::<{ BLOCK * LONGEST_ESCAPE + 2 }>();
    let mut end = 0;
    for &byte in block.iter().take(BLOCK) {
        let escape = ESCAPES[usize::from(byte)];
        if escape == b'u' {
            let digits = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
            place[end..end + 4].copy_from_slice(b"\\u00");
            place[end + 4..end + 6].copy_from_slice(&digits);
            end += LONGEST_ESCAPE;
        } else {
            let escaped = usize::from(escape != 0);
            place[end] = b'\\';
            place[end + escaped] = if escape == 0 { byte } else { escape };
            end += 1 + escaped;
        }
    }
    out.advance(end);
}

/// Appends `jsonb`: a version byte, then the text that PostgreSQL prints.
pub(super) fn write_jsonb(raw: &[u8], out: &mut Buffer) -> Result<(), Malformed> {
    match raw.split_first() {
        Some((1, json)) => write_json(json, out),
        _ => Err(Malformed("jsonb")),
    }
}

/// Appends JSON text as it is.
pub(super) fn write_json(raw: &[u8], out: &mut Buffer) -> Result<(), Malformed> {
    if raw.is_empty() || str::from_utf8(raw).is_err() {
        return Err(Malformed("json"));
    }
    out.extend_from_slice(raw);
    Ok(())
}

/// The two digits of each byte.
static HEX_PAIRS: [[u8; 2]; 256] = {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [HEX[byte >> 4], HEX[byte & 15]];
        byte += 1;
    }
    pairs
};

/// Where the digits of each byte of a UUID stand in its text, the opening quote counted.
const UUID_PLACES: [usize; 16] = [1, 3, 5, 7, 10, 12, 15, 17, 20, 22, 25, 27, 29, 31, 33, 35];

/// Appends a UUID, lower case.
#[inline]
pub(super) fn write_uuid(raw: &[u8], out: &mut Buffer) -> Result<(), Malformed> {
    let bytes = super::fixed::<16>(raw, "uuid")?;
    let mut text = *b"\"00000000-0000-0000-0000-000000000000\"";
    for (byte, place) in bytes.into_iter().zip(UUID_PLACES) {
        text[place..place + 2].copy_from_slice(&HEX_PAIRS[usize::from(byte)]);
    }
    out.extend_from_array(&text);
    Ok(())
}

/// Appends bytes as a base64 string, with padding.
pub(super) fn write_base64(raw: &[u8], out: &mut Buffer) {
    out.push(b'"');
    let length = raw.len().div_ceil(3) * 4;
    STANDARD
        .encode_slice(raw, &mut out.ahead(length)[..length])
        .expect("base64 is four bytes for every three begun");
    out.advance(length);
    out.push(b'"');
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn string(text: &str) -> String {
        let mut out = Buffer::new();
        write(text.as_bytes(), &mut out).unwrap();
        String::from_utf8(out.into_vec()).unwrap()
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
    fn a_byte_that_is_not_ascii_is_found_at_every_place_of_a_text() {
        for length in 1..50 {
            for place in 0..length {
                let mut bytes = vec![b'x'; length];
                bytes[place] = 0xff;
                assert!(write(&bytes, &mut Buffer::new()).is_err(), "{place} of {length}");
            }
        }
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_an_error() {
        let mut out = Buffer::new();
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
            let mut out = Buffer::new();
            write_base64(bytes, &mut out);
            assert_eq!(out.as_slice(), json.as_bytes());
        }
    }
}
