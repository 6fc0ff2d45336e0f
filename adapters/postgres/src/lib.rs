//! The PostgreSQL store of Rowstamp: operations become SQL, rows become JSON, and connections are kept.
//!
//! This crate decides nothing about HTTP, permissions or defaults: an operation arrives finished, and every
//! identifier in its SQL comes from the definition.

#[expect(dead_code, reason = "the store that uses it is the next step")]
mod encode;
