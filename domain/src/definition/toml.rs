//! A definition written in TOML. Reads text, never a file.
