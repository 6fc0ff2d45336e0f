//! From the members of a body to a change that keeps every rule of the definition, or to every place where it breaks one.
//!
//! Three steps, since people's hooks come between the first and the last: [`read`] makes typed values of what was sent,
//! [`part`] takes out what a caller may send back but not write, [`check`] judges the values. Nothing here stamps; see
//! [`stamp`](crate::stamp).

mod check;
mod part;
mod read;

use std::fmt::Write as _;

use crate::caller::Caller;
use crate::definition::Field;

pub use check::check;
pub(crate) use check::check_value;
pub use part::{Parted, Purpose, part};
pub use read::read;

/// Where a body breaks the definition in more places than this, the rest may go unmentioned: a body of megabytes must not
/// become an answer many times its size, which no entrance would carry. Fields of the definition are always judged.
pub const MOST_VIOLATIONS: usize = 1_000;

/// One place in a body that breaks the definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where: a JSON pointer (RFC 6901) into the body, such as `/tags/3`.
    pub pointer: String,
    /// What, as a stable word for machines, such as `too_long`.
    pub code: &'static str,
    /// What was expected, for people.
    pub message: String,
}

impl Violation {
    /// A violation at this place.
    pub fn new(pointer: &Pointer<'_>, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.to_string(),
            code,
            message: message.into(),
        }
    }

    /// Whether it is about the field of this name or an element of it. Names of fields need no escape in a pointer.
    fn is_within(&self, field: &str) -> bool {
        self.pointer
            .strip_prefix('/')
            .and_then(|pointer| pointer.strip_prefix(field))
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// A place in a body; made of borrowed parts, so that what is never reported costs nothing.
#[derive(Debug, Clone, Copy)]
pub enum Pointer<'a> {
    /// The whole body.
    Root,
    /// A member of an object.
    Key(&'a Pointer<'a>, &'a str),
    /// An element of an array.
    Index(&'a Pointer<'a>, usize),
}

impl std::fmt::Display for Pointer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Key(parent, key) => {
                write!(f, "{parent}/")?;
                for character in key.chars() {
                    match character {
                        '~' => f.write_str("~0")?,
                        '/' => f.write_str("~1")?,
                        other => f.write_char(other)?,
                    }
                }
                Ok(())
            }
            Self::Index(parent, index) => write!(f, "{parent}/{index}"),
        }
    }
}

/// Whether `caller` may see the field in rows that it may see.
pub fn may_read(field: &Field, caller: &Caller) -> bool {
    !field.write_only && field.read.as_ref().is_none_or(|rule| rule.permits(caller))
}

/// Whether `caller` may write the field in rows that it may write.
pub fn may_write(field: &Field, caller: &Caller) -> bool {
    !field.read_only && !field.is_audit() && field.write.as_ref().is_none_or(|rule| rule.permits(caller))
}

#[cfg(test)]
mod tests;
