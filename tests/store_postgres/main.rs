//! The PostgreSQL store against a real server, each test in a database of its own.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answers;
mod any_query;
mod concurrency;
mod contract;
mod dice;
mod drift;
mod errors;
mod fixture;
mod indexes;
mod keyset;
mod model;
mod random_queries;
mod random_walks;
mod rights;
mod schema;
mod types;
mod units;
mod verdicts;
mod words;
mod world;
