//! The `Resource` derive macro.
