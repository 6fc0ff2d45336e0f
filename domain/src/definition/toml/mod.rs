//! Definitions written in TOML: text in, a definition or every mistake out.
//!
//! It opens no file; the file's name is only for the messages. It decides nothing about definitions either:
//! it reads keys and kinds of values, and [`ApiDefinition::build`] judges what they say.

mod literal;
mod locate;
mod reader;
#[cfg(test)]
mod tests;

use std::fmt;

use toml_edit::Document;

use super::ApiDefinition;
use locate::{Lines, locate};

/// Reads a definition.
///
/// ```
/// let text = r#"
///     [resources.books.fields]
///     title = { type = "text", required = true }
/// "#;
/// let api = rowstamp_domain::definition::toml::parse("library.toml", text)?;
/// assert_eq!(api.resources[0].name, "books");
///
/// let wrong = text.replace("required", "requird");
/// let mistakes = rowstamp_domain::definition::toml::parse("library.toml", &wrong).unwrap_err();
/// assert!(mistakes.to_string().starts_with("library.toml:3:30: resources.books.fields.title.requird: "));
/// # Ok::<(), rowstamp_domain::definition::toml::TomlMistakes>(())
/// ```
///
/// # Errors
/// Everything that is wrong with it, in the order of the file. Text that is no TOML stops at the first
/// mistake, since nothing after it can be trusted.
pub fn parse(file_name: &str, text: &str) -> Result<ApiDefinition, TomlMistakes> {
    let lines = Lines::of(text);
    let mistake = |offset: usize, path: Vec<String>, message: String| {
        let (line, column) = lines.position(offset);
        TomlMistake {
            line,
            column,
            path,
            message,
        }
    };
    let document = Document::parse(text).map_err(|error| TomlMistakes {
        file_name: file_name.to_owned(),
        mistakes: vec![mistake(
            error.span().map_or(0, |span| span.start),
            Vec::new(),
            error.message().replace('\n', " "),
        )],
    })?;

    let read = reader::read(&document, text);
    let mut found: Vec<(usize, Vec<String>, String)> = read
        .mistakes
        .into_iter()
        .map(|error| (locate(&document, &error.path), error.path, error.message))
        .collect();
    match ApiDefinition::build(read.spec) {
        Ok(definition) if found.is_empty() => return Ok(definition),
        Ok(_) => {}
        Err(errors) => found.extend(
            errors
                .into_iter()
                .filter(|error| !read.silenced.iter().any(|path| error.path.starts_with(path)))
                .map(|error| (locate(&document, &error.path), error.path, error.message)),
        ),
    }
    found.sort_by_key(|(offset, ..)| *offset);
    Err(TomlMistakes {
        file_name: file_name.to_owned(),
        mistakes: found
            .into_iter()
            .map(|(offset, path, message)| mistake(offset, path, message))
            .collect(),
    })
}

/// Everything that is wrong with a definition file; `Display` prints one mistake a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TomlMistakes {
    /// The file, as it was named.
    pub file_name: String,
    /// The mistakes in the order of the file; never empty.
    pub mistakes: Vec<TomlMistake>,
}

/// One mistake: where it is, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TomlMistake {
    /// The line, from 1.
    pub line: usize,
    /// The character on that line, from 1.
    pub column: usize,
    /// The keys that lead to it; empty where the text is no TOML at all.
    pub path: Vec<String>,
    /// What is wrong and what was expected.
    pub message: String,
}

impl std::error::Error for TomlMistakes {}

impl fmt::Display for TomlMistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, mistake) in self.mistakes.iter().enumerate() {
            if position > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{}:{}:{}: ", self.file_name, mistake.line, mistake.column)?;
            for (depth, key) in mistake.path.iter().enumerate() {
                // A quoted key can hold anything, line breaks too.
                write!(f, "{}{}", if depth > 0 { "." } else { "" }, key.escape_debug())?;
            }
            if !mistake.path.is_empty() {
                f.write_str(": ")?;
            }
            f.write_str(&mistake.message)?;
        }
        Ok(())
    }
}
