//! Integration tests, emulators, contract suites and benches of Rowstamp.

pub mod binaries;
pub mod certificates;
pub mod contract;
pub mod http_client;
pub mod key_server;
pub mod pgbouncer;
pub mod postgres_server;
pub mod route;
pub mod runtime_api;
pub mod runtime_api_function;
pub mod served;
pub mod skip;
pub mod tcp_proxy;

/// The Rust in the pages for readers compiles, and runs where it can.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../README.md")]
    struct Readme;
    #[doc = include_str!("../../docs/hooks.md")]
    struct Hooks;
    #[doc = include_str!("../../docs/testing.md")]
    struct Testing;
    #[doc = include_str!("../../docs/resources.md")]
    struct Resources;
    #[doc = include_str!("../../app-local/README.md")]
    struct Local;
}
