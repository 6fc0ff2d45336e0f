//! What the database must have for the definitions.

pub(crate) mod names;
