//! A local HTTP server in front of Rowstamp.
