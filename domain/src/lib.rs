//! What a resource is and what may happen to it: definitions, values, rules and operations.
//!
//! This crate is pure and synchronous. It knows no clock, no environment, no HTTP and no database driver.
#![warn(missing_docs)]

// The derive macros name this crate as everyone else does.
extern crate self as rowstamp_domain;

pub mod access;
pub mod body;
pub mod caller;
pub mod definition;
pub mod field_type;
pub mod json_text;
pub mod operation;
pub mod query;
pub mod record;
pub mod resource;
pub mod stamp;
pub mod validation;
pub mod value;

pub use resource::{Resource, ResourceEnum};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
