//! Why a body cannot be taken apart, and where.
//!
//! What status it becomes is not known here.

use std::fmt;

use crate::value::Excerpt;

/// Why a body is not what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyError {
    /// Nothing, or white space alone.
    Empty,
    /// Not UTF-8.
    NotUtf8 {
        /// Bytes before the first that is wrong.
        offset: usize,
    },
    /// Not JSON.
    Syntax {
        /// Where the mistake is.
        place: Place,
        /// What was expected there.
        message: &'static str,
    },
    /// Too many containers within each other.
    TooDeep {
        /// Where the first one too many begins.
        place: Place,
        /// How many are allowed.
        max_depth: u8,
    },
    /// JSON of the wrong kind where an object was expected.
    NotAnObject {
        /// The index of the record; nothing if it is the body itself.
        record: Option<usize>,
        /// The kind of JSON value that was found, with its article.
        found: &'static str,
        /// Whether an array of objects would also have done.
        array_allowed: bool,
    },
    /// An object that names a key twice.
    DuplicateKey {
        /// The index of the record in an array.
        record: Option<usize>,
        /// The key, or its beginning.
        key: Excerpt,
    },
    /// A key with a NUL character, or half of a surrogate pair.
    BadKey {
        /// The index of the record in an array.
        record: Option<usize>,
        /// Where the key begins.
        place: Place,
        /// What is wrong with it.
        message: &'static str,
    },
}

/// A place in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Bytes before it.
    pub offset: usize,
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
}

impl Place {
    pub(super) fn of(text: &str, offset: usize) -> Self {
        let before = &text[..text.floor_char_boundary(offset)];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            offset,
            line: before.bytes().filter(|&byte| byte == b'\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} column {}", self.line, self.column)
    }
}

impl BodyError {
    /// A stable word for machines, such as `invalid_json`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty_body",
            Self::NotUtf8 { .. } => "invalid_utf8",
            Self::Syntax { .. } => "invalid_json",
            Self::TooDeep { .. } => "too_deep",
            Self::NotAnObject { .. } => "not_an_object",
            Self::DuplicateKey { .. } => "duplicate_key",
            Self::BadKey { .. } => "bad_key",
        }
    }

    /// The index of the record it is about, where the body is an array.
    pub fn record(&self) -> Option<usize> {
        match self {
            Self::NotAnObject { record, .. }
            | Self::DuplicateKey { record, .. }
            | Self::BadKey { record, .. } => *record,
            Self::Empty | Self::NotUtf8 { .. } | Self::Syntax { .. } | Self::TooDeep { .. } => None,
        }
    }
}

impl std::error::Error for BodyError {}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the body is empty, expected JSON"),
            Self::NotUtf8 { offset } => write!(f, "the body is not UTF-8 at byte {offset}"),
            Self::Syntax { place, message } => write!(f, "the body is not JSON at {place}: {message}"),
            Self::TooDeep { place, max_depth } => {
                write!(
                    f,
                    "the body is nested more than {max_depth} levels deep at {place}"
                )
            }
            Self::NotAnObject {
                record: None,
                found,
                array_allowed: true,
            } => {
                write!(f, "expected an object or an array of objects, found {found}")
            }
            Self::NotAnObject {
                record: None, found, ..
            } => write!(f, "expected an object, found {found}"),
            Self::NotAnObject {
                record: Some(record),
                found,
                ..
            } => {
                write!(f, "expected an object in record {record}, found {found}")
            }
            Self::DuplicateKey { record: None, key } => write!(f, "the key {key} is given twice"),
            Self::DuplicateKey {
                record: Some(record),
                key,
            } => {
                write!(f, "the key {key} is given twice in record {record}")
            }
            Self::BadKey { place, message, .. } => write!(f, "a key at {place} {message}"),
        }
    }
}
