//! Integration tests, emulators, contract suites and benches of Rowstamp.

pub mod binaries;
pub mod contract;
pub mod http_client;
pub mod runtime_api;
pub mod runtime_api_function;
pub mod served;
