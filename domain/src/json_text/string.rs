//! Strings.
//!
//! Nearly all text is ASCII without anything to escape, so it is copied and looked at in the same pass, block by block; only what turns out to
//! be otherwise is gone through once more, from one escape to the next.

use super::Buffer;

/// How many bytes are copied and looked at together: what one register of every x86-64 and AArch64 processor holds.
const BLOCK: usize = 16;
/// How many bytes are searched for escapes together.
const CHUNK: usize = 8;
/// The longest that one byte becomes: `\u001f`.
const LONGEST_ESCAPE: usize = 6;

/// Bytes that are not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("text that is not UTF-8")]
pub struct NotUtf8;

/// Appends text as a JSON string, escaped as PostgreSQL's `escape_json` does: the short forms where JSON has them, `\u00xx` for other control
/// characters, everything else as it is.
pub fn write_string(text: &str, out: &mut Buffer) {
    if !write_plain(text.as_bytes(), out) {
        write_escaped(text.as_bytes(), out);
    }
}

/// As [`write_string`], for bytes that should be UTF-8.
///
/// # Errors
/// When they are not; then nothing is appended.
#[inline]
pub fn write_bytes(text: &[u8], out: &mut Buffer) -> Result<(), NotUtf8> {
    if write_plain(text, out) {
        return Ok(());
    }
    if !text.is_ascii() && str::from_utf8(text).is_err() {
        return Err(NotUtf8);
    }
    write_escaped(text, out);
    Ok(())
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

/// Copies text to a place of the same length, and tells whether all of it is ASCII without anything to escape. It may stop where it is not.
#[inline]
fn copy_plain(text: &[u8], place: &mut [u8]) -> bool {
    if let (Some(last), Some(last_place)) = (text.last_chunk::<BLOCK>(), place.last_chunk_mut::<BLOCK>()) {
        // The last block overlaps the one before it, so that no rest is left to be looked at byte by byte.
        *last_place = *last;
        if has_special(last) {
            return false;
        }
        for (block, place) in text.as_chunks().0.iter().zip(place.as_chunks_mut::<BLOCK>().0) {
            if has_special(block) {
                return false;
            }
            *place = *block;
        }
        true
    } else if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        // Two chunks cover it.
        if let Some(place) = place.first_chunk_mut() {
            *place = *first;
        }
        if let Some(place) = place.last_chunk_mut() {
            *place = *last;
        }
        special_of(u64::from_le_bytes(*first)) | special_of(u64::from_le_bytes(*last)) == 0
    } else {
        let mut special = false;
        for (byte, place) in text.iter().zip(place) {
            *place = *byte;
            special |= is_special(*byte);
        }
        !special
    }
}

#[inline]
fn has_special(block: &[u8; BLOCK]) -> bool {
    block.iter().fold(false, |found, byte| found | is_special(*byte))
}

/// Whether a byte is not ASCII or must be escaped. As a signed number all but ASCII are below zero, so one comparison finds them together
/// with the control characters.
#[inline]
#[expect(
    clippy::needless_bitwise_bool,
    reason = "no branches, so that blocks are looked at as vectors"
)]
const fn is_special(byte: u8) -> bool {
    (byte.cast_signed() < 0x20) | (byte == b'"') | (byte == b'\\')
}

/// What follows the backslash of a byte's escape; `u` where it is written as a number. Bytes that need no escape are never looked up.
static ESCAPES: [u8; 256] = {
    let mut escapes = [b'u'; 256];
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
    // Room is asked for group by group, since all that a text may become would be a lot.
    const GROUP: usize = 16 * CHUNK;
    out.reserve(text.len() + text.len() / 4 + 2);
    out.push(b'"');
    for group in text.chunks(GROUP) {
        let ahead = out.ahead(LONGEST_ESCAPE * group.len().next_multiple_of(CHUNK) + CHUNK);
        let mut end = 0;
        let (chunks, rest) = group.as_chunks::<CHUNK>();
        for chunk in chunks {
            end += escape_chunk(u64::from_le_bytes(*chunk), CHUNK, &mut ahead[end..]);
        }
        if !rest.is_empty() {
            // A space needs no escape, and is not counted.
            let mut last = [b' '; CHUNK];
            last[..rest.len()].copy_from_slice(rest);
            end += escape_chunk(u64::from_le_bytes(last), rest.len(), &mut ahead[end..]);
        }
        out.advance(end);
    }
    out.push(b'"');
}

/// Writes the first `left` bytes of a chunk, whose first byte is the lowest, and tells how many they became. What it writes over is a chunk
/// longer than the longest of them.
#[inline(always)]
fn escape_chunk(mut chunk: u64, mut left: usize, ahead: &mut [u8]) -> usize {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let place = ahead
        .first_chunk_mut::<{ CHUNK * LONGEST_ESCAPE + CHUNK }>()
        .expect("so many are ahead");
    let mut end = 0;
    let mut escaped = to_escape(chunk);
    while escaped != 0 {
        // The whole chunk is copied, and what is behind its plain beginning is written over.
        place[end..end + CHUNK].copy_from_slice(&chunk.to_le_bytes());
        let plain_bits = escaped.trailing_zeros() & !7;
        end += plain_bits as usize / 8;
        left -= plain_bits as usize / 8 + 1;
        chunk >>= plain_bits;
        let [byte, ..] = chunk.to_le_bytes();
        let escape = ESCAPES[usize::from(byte)];
        if escape == b'u' {
            let digits = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
            place[end..end + 4].copy_from_slice(b"\\u00");
            place[end + 4..end + LONGEST_ESCAPE].copy_from_slice(&digits);
            end += LONGEST_ESCAPE;
        } else {
            place[end..end + 2].copy_from_slice(&[b'\\', escape]);
            end += 2;
        }
        chunk >>= 8;
        escaped = escaped >> plain_bits >> 8;
    }
    place[end..end + CHUNK].copy_from_slice(&chunk.to_le_bytes());
    end + left
}

const ONES: u64 = u64::from_ne_bytes([1; CHUNK]);
const HIGH: u64 = ONES * 0x80;

/// The highest bit of each byte that is not ASCII or must be escaped.
#[inline]
const fn special_of(chunk: u64) -> u64 {
    to_escape(chunk) | (chunk & HIGH)
}

/// The highest bit of each byte that must be escaped: quotes, backslashes and control characters.
#[inline]
const fn to_escape(chunk: u64) -> u64 {
    const LOW: u64 = ONES * 0x7f;
    // The sum of seven bits and 127 reaches the highest bit where one of the seven is set, and nothing crosses into the next byte.
    const fn not_zero(bytes: u64) -> u64 {
        ((bytes & LOW) + LOW) | bytes
    }
    let quote = not_zero(chunk ^ (ONES * b'"' as u64));
    let backslash = not_zero(chunk ^ (ONES * b'\\' as u64));
    // A byte from 32 on reaches the highest bit with 96 more, or has it.
    let printable = ((chunk & LOW) + ONES * 0x60) | chunk;
    !(quote & backslash & printable) & HIGH
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn string(text: &str) -> String {
        let mut out = Buffer::new();
        write_string(text, &mut out);
        String::from_utf8(out.into_vec()).expect("it is UTF-8")
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
    fn every_byte_is_escaped_or_not_at_every_place_of_a_text() {
        for byte in 0..0x80_u8 {
            for length in 1..40 {
                for place in 0..length {
                    let mut text = vec![b'x'; length];
                    text[place] = byte;
                    let text = String::from_utf8(text).expect("it is ASCII");
                    assert_eq!(string(&text), serde_json::Value::from(text).to_string());
                }
            }
        }
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_an_error_at_every_place() {
        for length in 1..40 {
            for place in 0..length {
                let mut bytes = vec![b'x'; length];
                bytes[place] = 0xff;
                let mut out = Buffer::new();
                assert_eq!(write_bytes(&bytes, &mut out), Err(NotUtf8), "{place} of {length}");
                assert_eq!(out.len(), 0);
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_written_as_the_plain_way_has_it(text in ".*", dense in "[\"\\\\\u{0}-\u{20}a-cé]{0,80}") {
            for text in [text, dense] {
                prop_assert_eq!(string(&text), serde_json::Value::from(text).to_string());
            }
        }
    }
}
