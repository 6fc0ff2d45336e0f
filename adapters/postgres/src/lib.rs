//! The PostgreSQL store: operations become SQL, rows become JSON, and connections are kept.
//!
//! This crate decides nothing about HTTP, permissions or defaults: an operation arrives finished, and every
//! identifier in its SQL comes from the definition.
#![doc = include_str!("../README.md")]

#[cfg(feature = "bench")]
pub mod bench;
mod connection;
mod decode;
mod encode;
mod errors;
mod estimate;
mod output;
mod params;
mod retry;
#[cfg(test)]
mod round_trip;
mod rows;
mod run;
mod schema;
mod sink;
mod sql;
mod store;
mod transaction;
mod unit;

pub use connection::{Login, Settings};
pub use schema::{Drift, SchemaError};
pub use store::PostgresStore;
