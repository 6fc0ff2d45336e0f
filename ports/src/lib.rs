//! The ports of Rowstamp: the traits between its core and the world, and the values they exchange.
//!
//! This crate knows no database driver, no HTTP server and no AWS crate. With the feature `mock` each trait has a
//! mockall mock beside it.
#![warn(missing_docs)]

mod clock;
mod credentials;
pub mod exchange;
mod hooks;
mod identity;
mod meter;
mod secret;
mod settings;
mod store;

pub use clock::*;
pub use credentials::*;
pub use hooks::*;
pub use identity::*;
pub use meter::{Meter, Readings};
pub use secret::Secret;
pub use settings::{Problems, Vars};
pub use store::*;
