//! Rowstamp on your own machine: the rowstamp command, and the PostgreSQL that it finds or starts.

pub mod provision;
