//! The real Lambda binary, driven through an emulated Runtime API with events of each kind, on a real PostgreSQL.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answer;
mod bodies;
mod callers;
mod crud;
mod entrances;
mod event;
mod library;
mod life;
mod maintenance;
mod operations;
mod panics;
mod rust_definitions;
mod start;
mod tenants;
mod trouble;
