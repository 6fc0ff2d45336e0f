//! JSON text in the making, where much of it is made.
//!
//! It decides nothing about the format: [`Value::write_json`](crate::value::Value::write_json) defines how values look, in the plain way, and
//! what writes quickly is held to it.

mod buffer;
mod string;

pub use buffer::{Buffer, Word};
pub use string::{NotUtf8, write_bytes, write_string};
