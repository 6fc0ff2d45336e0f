//! The text of conditions, orders and column lists, read and printed: PostgREST's query grammar.
//!
//! Reading has two steps: `syntax` takes the text apart and knows no resource, `bind` gives names and values their
//! fields and types. Percent-encoding, headers and status codes are not known here.

mod bind;
mod error;
mod print;
mod query;
mod rule;
mod syntax;
#[cfg(test)]
mod tests;

pub use error::{QueryError, QueryErrorKind, QueryErrors};
pub use query::{Filtered, Parsed, parse_columns, parse_on_conflict, parse_select};
pub use rule::parse_rule;
