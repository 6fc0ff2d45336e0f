//! The smallest parts: names, quoted text, blanks.

use std::borrow::Cow;

use winnow::Parser;
use winnow::stream::Stream;
use winnow::token::{literal, take_while};

use super::json_path::json_path;
use super::{Expected, Name, Parsed};

const FIELD_NAME: Expected = Expected("field name (* or [a..z0..9_$])");

/// A name, and the JSON path after it.
pub(super) fn name<'a>(input: &mut &'a str) -> Parsed<Name<'a>> {
    blanks(input)?;
    let field = bare_name(input)?;
    let path = json_path(input)?;
    blanks(input)?;
    Ok(Name { field, path })
}

pub(super) fn bare_name<'a>(input: &mut &'a str) -> Parsed<Cow<'a, str>> {
    if let Some(text) = quoted(input) {
        return Ok(text);
    }
    // A dash belongs to the name unless it begins an arrow.
    let mut after_dash = false;
    let end = input
        .char_indices()
        .find(|(_, character)| {
            let ends = (after_dash && *character == '>') || !(is_name(*character) || *character == '-');
            after_dash = *character == '-';
            ends
        })
        .map_or(input.len(), |(end, character)| {
            if character == '>' && input[..end].ends_with('-') {
                end - 1
            } else {
                end
            }
        });
    let name = input[..end].trim();
    if name.is_empty() {
        return Err(FIELD_NAME);
    }
    take_bytes(input, end);
    Ok(Cow::Borrowed(name))
}

pub(super) const fn is_name(character: char) -> bool {
    character == '_' || character == ' ' || character == '$' || is_letter(character)
}

const fn is_letter(character: char) -> bool {
    character.is_ascii_alphanumeric() || !character.is_ascii()
}

pub(super) fn begins_name(input: &str) -> bool {
    input.starts_with('"') || input.starts_with(is_name)
}

/// `"…"` with backslash as escape; nothing, and nothing consumed, where there is no such text.
pub(super) fn quoted<'a>(input: &mut &'a str) -> Option<Cow<'a, str>> {
    let body = input.strip_prefix('"')?;
    let mut text = Cow::Borrowed("");
    let mut plain_from = 0;
    let mut characters = body.char_indices();
    while let Some((position, character)) = characters.next() {
        match character {
            '"' => {
                if plain_from == 0 {
                    text = Cow::Borrowed(&body[..position]);
                } else {
                    text.to_mut().push_str(&body[plain_from..position]);
                }
                take_bytes(input, position + 2);
                return Some(text);
            }
            '\\' => {
                text.to_mut().push_str(&body[plain_from..position]);
                let (escaped, character) = characters.next()?;
                text.to_mut().push(character);
                plain_from = escaped + character.len_utf8();
            }
            _ => {}
        }
    }
    None
}

/// Spaces and tabs, which mean nothing around parentheses and commas.
pub(super) fn blanks(input: &mut &str) -> Parsed<()> {
    take_while(0.., [' ', '\t']).void().parse_next(input)
}

/// Consumes `token` where it is next.
pub(super) fn eat(input: &mut &str, token: &str) -> bool {
    literal::<_, _, Expected>(token).parse_next(input).is_ok()
}

pub(super) fn take_bytes<'a>(input: &mut &'a str, bytes: usize) -> &'a str {
    input.next_slice(bytes)
}
