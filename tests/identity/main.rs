//! Who is calling: tokens of a user pool over HTTP, what gateways say, and what strangers say in their place.
//!
//! Everything is real but Cognito: program, socket, PostgreSQL, and a proxy in front of it that counts.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod corpus;
mod edge;
mod forgery;
mod library;
mod moto;
mod pool;
mod tokens;
