//! `columns=` and `on_conflict=` by example.

use super::{books, library, scope};
use crate::query::grammar::{parse_columns, parse_on_conflict};

#[test]
fn columns_are_fields_each_once() {
    let api = library();
    let definition = books(&api);
    for (text, expected) in [
        ("title, pages ,title", Ok("title,pages")),
        ("\"title\",secret", Ok("title,secret")),
        ("", Ok("")),
        ("title,titel", Err("Could not find the 'titel' column of 'books'")),
        (
            "title,",
            Err(
                "\"failed to parse columns parameter (title,)\" (line 1, column 7): unexpected end of input expecting field name (* or [a..z0..9_$])",
            ),
        ),
    ] {
        let found = parse_columns(text, definition)
            .map(|ids| {
                let names: Vec<&str> = ids.iter().map(|id| definition.field(*id).name.as_str()).collect();
                names.join(",")
            })
            .map_err(|errors| errors.first().to_string());
        assert_eq!(
            found,
            expected.map(str::to_owned).map_err(str::to_owned),
            "{text}"
        );
    }
}

#[test]
fn a_conflict_is_on_the_uid_or_a_unique_set() {
    let api = library();
    let definition = books(&api);
    for (text, expected) in [
        ("", Ok("uid")),
        ("uid", Ok("uid")),
        ("isbn", Ok("isbn")),
        ("printed, title", Ok("title,printed")),
        ("secret", Err("`secret` may not be read")),
        ("nothing", Err("`books` has no field `nothing`")),
        ("pages", Err("`on_conflict` must name the fields of a unique set")),
        ("title", Err("`on_conflict` must name the fields of a unique set")),
    ] {
        let found = parse_on_conflict(text, &scope(&api))
            .map(|ids| {
                let names: Vec<&str> = ids.iter().map(|id| definition.field(*id).name.as_str()).collect();
                names.join(",")
            })
            .map_err(|errors| errors.first().to_string());
        assert_eq!(
            found,
            expected.map(str::to_owned).map_err(str::to_owned),
            "{text}"
        );
    }
    let errors = parse_on_conflict("pages", &scope(&api)).unwrap_err();
    assert_eq!(
        errors.first().hint.as_deref(),
        Some("unique sets are: uid; isbn; title,printed")
    );
}
