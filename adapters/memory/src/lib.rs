//! An in-memory store for Rowstamp, for unit tests.
