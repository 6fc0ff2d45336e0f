//! How fast Rowstamp is, and what it takes: beside other servers over HTTP, beside an echo on Lambda, in instructions, and as things grow.
//!
//! Everything here measures; nothing is judged but the instructions, which do not depend on how busy a machine is.

pub mod asked;
pub mod contestants;
pub mod http;
pub mod instructions;
pub mod lambda;
pub mod load;
pub mod pieces;
pub mod process;
pub mod report;
pub mod scale;
pub mod scenarios;
pub mod tables;
pub mod valgrind;
