//! The PostgreSQL store against a real server, each test in a database of its own.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answers;
mod concurrency;
mod contract;
mod drift;
mod errors;
mod fixture;
mod keyset;
mod model;
mod schema;
mod types;
mod units;
mod verdicts;
