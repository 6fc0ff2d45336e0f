//! The PostgreSQL store of Rowstamp.
