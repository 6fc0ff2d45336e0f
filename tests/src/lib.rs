//! Integration tests, emulators, contract suites and benches of Rowstamp.

pub mod binaries;
pub mod runtime_api;
pub mod runtime_api_function;
