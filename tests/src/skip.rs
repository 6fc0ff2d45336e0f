//! What becomes of a test that cannot run on this machine.

/// The variable by which no such test passes, as in CI.
const VARIABLE: &str = "ROWSTAMP_TESTS_SKIP";

/// Prints why a test does not run here, which then passes.
///
/// # Panics
/// Where `ROWSTAMP_TESTS_SKIP` is `no`: a test that did not run proves nothing.
pub fn skip(reason: &str) {
    assert!(
        std::env::var_os(VARIABLE).is_none_or(|value| value != "no"),
        "{VARIABLE}=no, but this cannot run here: {reason}"
    );
    eprintln!("skipped: {reason}");
}
