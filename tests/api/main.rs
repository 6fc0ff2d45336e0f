//! The core without a socket or a database: requests to the Controller, rows in the in-memory store.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod app;
mod bulk;
mod carried;
mod conditional;
mod coverage;
mod crud;
mod documents;
mod hooks;
mod lists;
mod random;
