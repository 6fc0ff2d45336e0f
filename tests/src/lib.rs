//! Integration tests, emulators, contract suites and benches of Rowstamp.
