//! A wrong attribute is a compile error at its place, and all of them are told at once.

#[test]
fn what_is_wrong_is_told_at_its_place() {
    // The messages are this crate's own but for a few of the compiler's, which change with it:
    // `TRYBUILD=overwrite` writes them anew.
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
