//! Rowstamp on your own machine: the rowstamp command, and the PostgreSQL that it finds or starts.

mod command_line;
mod development_tokens;
mod log;
pub mod provision;
mod state;

pub use rowstamp_domain as domain;
