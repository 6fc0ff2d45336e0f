//! The text of conditions, orders and column lists, read and printed: PostgREST's query grammar.
//!
//! Reading has two steps: `syntax` takes the text apart and knows no resource, `bind` gives names and values their
//! fields and types. The whole grammar is taken apart already; what is not served yet is refused by name when it is
//! bound. Percent-encoding, headers and status codes are not known here.

mod bind;
mod error;
mod print;
mod query;
mod rule;
mod syntax;
#[cfg(test)]
mod tests;

pub use error::{QueryError, QueryErrorKind, QueryErrors};
pub use query::parse_select;
pub use rule::parse_rule;
