//! What deploys a function: the template, as its linters and our own eyes see it, and the roles of the database.
//!
//! Nothing here speaks to AWS.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod linters;
mod roles;
mod template;
