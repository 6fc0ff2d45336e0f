//! Ways into JSON values: `->size->>0`, `->"a key"`, `->-1`.

use winnow::stream::Stream;

use super::token::{eat, quoted, take_bytes};
use super::{Expected, Parsed};
use crate::query::{JsonPath, JsonResult, JsonStep};

/// How many arrows a path may have.
const MAX_STEPS: usize = 20;
const KEY: Expected = Expected("any non reserved character different from: .,>()");

/// The path that begins here, where one does.
pub(super) fn json_path(input: &mut &str) -> Parsed<Option<JsonPath>> {
    let mut steps = Vec::new();
    let mut result = JsonResult::Json;
    while input.starts_with("->") {
        if result == JsonResult::Text {
            return Err(Expected("nothing after \"->>\", which gives text"));
        }
        if steps.len() == MAX_STEPS {
            return Err(Expected("a shorter path"));
        }
        take_bytes(input, 2);
        if eat(input, ">") {
            result = JsonResult::Text;
        }
        steps.push(step(input)?);
    }
    if steps.is_empty() {
        return Ok(None);
    }
    Ok(Some(JsonPath {
        steps: steps.into(),
        result,
    }))
}

fn step(input: &mut &str) -> Parsed<JsonStep> {
    let start = input.checkpoint();
    if let Some(key) = quoted(input) {
        if key.contains('\0') {
            input.reset(&start);
            return Err(Expected("a key without NUL, which no JSON value holds"));
        }
        return Ok(JsonStep::Key(key.into_owned()));
    }
    if let Some(index) = index(input)? {
        return Ok(JsonStep::Index(index));
    }
    key(input)
}

/// A whole number, if that is all there is up to the end of the step.
fn index(input: &mut &str) -> Parsed<Option<i32>> {
    let digits = input.strip_prefix('-').unwrap_or(input);
    let count = digits
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(digits.len());
    let after = &digits[count..];
    let ends =
        after.is_empty() || after.starts_with(['.', ',', ')', ' ', '\t', ':']) || after.starts_with("->");
    if count == 0 || !ends {
        return Ok(None);
    }
    let length = input.len() - after.len();
    let index = input[..length]
        .parse()
        .map_err(|_| Expected("an index that fits 32 bits"))?;
    take_bytes(input, length);
    Ok(Some(index))
}

fn key(input: &mut &str) -> Parsed<JsonStep> {
    let mut end = input.len();
    for (position, character) in input.char_indices() {
        let ends = matches!(character, '(' | ':' | '.' | ',' | '>' | ')' | '\0')
            || (character == '-' && input[position..].starts_with("->"));
        if ends {
            end = position;
            break;
        }
    }
    let text = input[..end].trim_matches([' ', '\t']);
    if text.is_empty() || text.starts_with('-') || text.ends_with('-') {
        return Err(KEY);
    }
    take_bytes(input, end);
    Ok(JsonStep::Key(text.to_owned()))
}
