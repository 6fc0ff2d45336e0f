//! A closed-loop load over keep-alive connections, and what it costs the processes it runs against.
//!
//! It knows nothing of any server; `compare` names them.

pub mod asked;
pub mod books;
pub mod load;
pub mod pieces;
pub mod process;
pub mod valgrind;
