//! The ports of Rowstamp: the traits between its core and the world, and the values they exchange.
//!
//! This crate knows no database driver, no HTTP server and no AWS crate.
#![warn(missing_docs)]

pub mod exchange;
mod secret;

pub use secret::Secret;
