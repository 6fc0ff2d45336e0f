//! The Resource Mapper: definition, request and caller become an operation, or a refusal.
//!
//! Everything here is a pure function of its arguments. It neither identifies callers nor talks to a store, and it runs no
//! hook: the Controller calls hooks between its steps.

pub(crate) mod access;
pub(crate) mod asked;
pub(crate) mod bulk;
pub(crate) mod parameters;
pub(crate) mod range;
pub(crate) mod reading;
pub(crate) mod writing;
