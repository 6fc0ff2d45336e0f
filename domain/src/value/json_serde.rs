//! JSON values as serde_json's, and back.
//!
//! serde_json's own reader is not used here: without a feature that would change the whole workspace it reads some
//! floats one step off.

use super::float;
use super::json::{Json, JsonError};
use super::json_scan::{DEEPEST, ScanProblem, Scanner, Token};
use super::json_string::RawString;

impl TryFrom<&serde_json::Value> for Json {
    type Error = JsonError;

    /// # Errors
    /// As for [`Json::parse`]: serde_json's strings may hold NUL.
    fn try_from(value: &serde_json::Value) -> Result<Self, JsonError> {
        Self::parse(&value.to_string())
    }
}

impl Json {
    /// The same value as serde_json's, in which a number is an `i64`, a `u64` or the nearest `f64`.
    ///
    /// # Errors
    /// `NumberTooLarge` for a number beyond a double, `TooDeep` beyond 128 levels, which only the database can hold.
    pub fn to_serde(&self) -> Result<serde_json::Value, JsonError> {
        let mut scanner = Scanner::new(self.as_str());
        let value = read(&mut scanner, DEEPEST)?;
        scanner.finish()?;
        Ok(value)
    }
}

fn read(scanner: &mut Scanner<'_>, depth: u8) -> Result<serde_json::Value, JsonError> {
    Ok(match scanner.token()? {
        Token::Null => serde_json::Value::Null,
        Token::Boolean(boolean) => boolean.into(),
        Token::Number(number) => read_number(number)?,
        Token::String(string) => string.unescape()?.into(),
        Token::ArrayStart => {
            let depth = depth.checked_sub(1).ok_or(JsonError::TooDeep)?;
            let mut elements = Vec::new();
            while !scanner.take(b']') {
                separate(scanner, elements.len(), ScanProblem::CommaOrBracket)?;
                elements.push(read(scanner, depth)?);
            }
            elements.into()
        }
        Token::ObjectStart => {
            let depth = depth.checked_sub(1).ok_or(JsonError::TooDeep)?;
            let mut members = serde_json::Map::new();
            while !scanner.take(b'}') {
                separate(scanner, members.len(), ScanProblem::CommaOrBrace)?;
                let key = RawString::unescape(scanner.key()?)?.into_owned();
                members.insert(key, read(scanner, depth)?);
            }
            members.into()
        }
    })
}

fn separate(scanner: &mut Scanner<'_>, before: usize, problem: ScanProblem) -> Result<(), JsonError> {
    if before == 0 || scanner.take(b',') {
        Ok(())
    } else {
        Err(scanner.error(problem).into())
    }
}

fn read_number(number: &str) -> Result<serde_json::Value, JsonError> {
    if let Ok(number) = number.parse::<i64>() {
        return Ok(number.into());
    }
    if let Ok(number) = number.parse::<u64>() {
        return Ok(number.into());
    }
    float::read(number)
        .map(Into::into)
        .map_err(|_| JsonError::NumberTooLarge)
}
