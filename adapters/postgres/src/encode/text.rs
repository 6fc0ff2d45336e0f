//! Text, JSON text, UUIDs and bytes as JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rowstamp_domain::json_text::{self, Buffer};

use super::Malformed;

/// Appends text as a JSON string. A database in SQL_ASCII sends whatever was stored, and an answer must be UTF-8 all the same.
#[inline]
pub(super) fn write(raw: &[u8], out: &mut Buffer) -> Result<(), Malformed> {
    json_text::write_bytes(raw, out).map_err(|_| Malformed("text"))
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
    fn uuids_are_written_in_lower_case() {
        let uuid = uuid::Uuid::from_u128(0x0123_4567_89ab_cdef_fedc_ba98_7654_3210);
        let mut out = Buffer::new();
        write_uuid(uuid.as_bytes(), &mut out).unwrap();
        assert_eq!(out.as_slice(), format!("\"{uuid}\"").as_bytes());
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
