//! The applications with the features that are off by themselves: the real programs, built with all of them.
//!
//! They stand apart because that build takes its time, and nobody else's tests should run beside it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod collector;
mod iam;
mod lambda_traces;
mod local_traces;
mod pretender;
