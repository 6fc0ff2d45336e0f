//! What a resource is and what may happen to it: definitions, values, rules and operations.
//!
//! This crate is pure and synchronous. It knows no clock, no environment, no HTTP and no database driver.
#![warn(missing_docs)]

pub mod access;
pub mod body;
pub mod caller;
pub mod definition;
pub mod field_type;
pub mod operation;
pub mod query;
pub mod record;
pub mod value;
