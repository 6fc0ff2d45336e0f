//! Embedded resources by example.

use super::{books, library, parse, printed, scope};
use crate::query::grammar::QueryErrorKind;
use crate::query::{EmbedForm, Join, Query, Relation, SelectItem};

fn check(cases: &[(&str, &str)]) {
    for (query, expected) in cases {
        assert_eq!(printed(query, "select"), *expected, "{query}");
    }
}

#[test]
fn an_embed_is_found_by_resource_by_field_and_by_hint() {
    check(&[
        ("select=publishers(name)", "publishers!publisher_uid(name)"),
        (
            "select=publisher_uid(name)",
            "publisher_uid:publishers!publisher_uid(name)",
        ),
        ("select=p:publishers(name)", "p:publishers!publisher_uid(name)"),
        ("select=authors!author_uid(name)", "authors!author_uid(name)"),
        (
            "select=authors!editor_uid!inner(name)",
            "authors!editor_uid!inner(name)",
        ),
        (
            "select=authors!inner!editor_uid(name)",
            "authors!editor_uid!inner(name)",
        ),
        ("select=authors!editor_uid!left(name)", "authors!editor_uid(name)"),
        (
            "select=authors!translators(name)",
            "authors!\"translators.book_uid.author_uid\"(name)",
        ),
        (
            "select=a:authors!\"books.editor_uid\"(name)",
            "a:authors!editor_uid(name)",
        ),
        ("select=covers(artist)", "covers!book_uid(artist)"),
        ("select=sequel_of(title)", "sequel_of(title)"),
        ("select=before:sequel_of(title)", "before:sequel_of(title)"),
        ("select=books!sequel_of(title)", "books!sequel_of(title)"),
        ("select=books(title)", "books!sequel_of(title)"),
        ("select=title,covers()", "title,covers!book_uid()"),
        ("select=...covers(artist)", "...covers!book_uid(artist)"),
        ("select=...c:covers(artist)", "...c:covers!book_uid(artist)"),
        (
            "select=title,authors!author_uid(name,friendships!from_uid(authors!to_uid(name)))",
            "title,authors!author_uid(name,friendships!from_uid(authors!to_uid(name)))",
        ),
        (
            "select=a:authors!author_uid(name,authors!to_uid(name))",
            "a:authors!author_uid(name,authors!\"friendships.from_uid.to_uid\"(name))",
        ),
    ]);
}

#[test]
fn what_cannot_be_embedded_is_told_with_what_can() {
    check(&[
        (
            "select=authors(name)",
            "error: Could not embed because more than one relationship was found for 'books' and 'authors': many-to-one by books.author_uid; many-to-one by books.editor_uid; many-to-many by translators.book_uid and translators.author_uid",
        ),
        (
            "select=autors(name)",
            "error: Could not find a relationship between 'books' and 'autors': Searched for a declared reference between 'books' and 'autors', but no matches were found.",
        ),
        (
            "select=authors!isbn(name)",
            "error: Could not find a relationship between 'books' and 'authors': Searched for a declared reference between 'books' and 'authors' using the hint 'isbn', but no matches were found.",
        ),
        ("select=drafts(uid)", "error: the caller may not read drafts"),
        (
            "select=notes(uid)",
            "error: `notes` cannot be embedded, since its rows are looked at one by one before they are shown",
        ),
        ("select=hidden_uid(name)", "error: `hidden_uid` may not be read"),
        (
            "select=authors!author_uid(diary)",
            "error: `diary` may not be read",
        ),
        (
            "select=covers(artist),covers(uid)",
            "error: two columns would be named `covers`",
        ),
        (
            "select=title,title:covers(artist)",
            "error: two columns would be named `title`",
        ),
        (
            "select=title,...publishers(title:name)",
            "error: two columns would be named `title`",
        ),
        (
            "select=covers(artist",
            "error: \"failed to parse select parameter (covers(artist)\" (line 1, column 14): unexpected end of input expecting \",\" or \")\"",
        ),
        (
            "select=covers!a!b(artist)",
            "error: \"failed to parse select parameter (covers!a!b(artist))\" (line 1, column 11): unexpected '(' expecting one hint and one of \"inner\" and \"left\" at most",
        ),
    ]);
    let hint = parse("select=authors(name)").unwrap_err()[0]
        .hint
        .clone()
        .unwrap();
    assert_eq!(
        hint,
        "Try changing 'authors' to one of the following: 'authors!author_uid', 'authors!editor_uid', 'authors!translators'. Find the desired relationship in the 'details' key."
    );
}

#[test]
fn parameters_lead_to_the_rows_that_they_are_about() {
    let query = "select=title,a:authors!author_uid(name,books!author_uid(title))&a.name=eq.x&a.or=(name.eq.y,name.is.null)\
        &a.books.pages=gt.5&a.books.order=title.desc&a.books.limit=3&a.books.offset=1&a.books.not.and=(pages.eq.1,pages.eq.2)";
    for (parameter, expected) in [
        ("a.and", "(name.eq.x,or(name.eq.y,name.is.null))"),
        ("a.limit", "50"),
        ("a.order", "uid.asc"),
        ("a.books.and", "(pages.gt.5,not.and(pages.eq.1,pages.eq.2))"),
        ("a.books.order", "title.desc,uid.asc"),
        ("a.books.limit", "3"),
        ("a.books.offset", "1"),
        ("limit", "25"),
    ] {
        assert_eq!(printed(query, parameter), expected, "{parameter}");
    }
    for (query, expected) in [
        (
            "select=title,a:authors!author_uid(name)&authors.name=eq.x",
            "'authors' is not an embedded resource in this request: Target names are not allowed in filters if they have an alias",
        ),
        (
            "select=title,covers(artist)&covers.publishers.name=eq.x",
            "'publishers' is not an embedded resource in this request",
        ),
        (
            "select=title,covers(artist)&covers.pages=eq.1",
            "`covers` has no field `pages`",
        ),
        (
            "select=a:authors!author_uid(name)&a.diary=eq.x",
            "`diary` may not be read",
        ),
        (
            "select=covers(artist)&covers.limit=x",
            "`covers.limit` is \"x\", expected a whole number of 0 or more",
        ),
        (
            "select=covers(artist)&covers.order=uid&covers.order=artist",
            "`covers.order` can be given only once",
        ),
    ] {
        assert_eq!(parse(query).unwrap_err()[0].to_string(), expected, "{query}");
    }
}

#[test]
fn rows_are_chosen_and_ordered_by_what_is_embedded() {
    for (query, parameter, expected) in [
        (
            "select=title,covers()&covers=not.is.null",
            "and",
            "(covers.not.is.null)",
        ),
        ("select=title,covers()&covers=is.null", "and", "(covers.is.null)"),
        (
            "select=title,covers()&covers=is.not_null",
            "and",
            "(covers.not.is.null)",
        ),
        (
            "select=title,covers(),p:publishers()&or=(covers.is.null,p.not.is.null)",
            "or",
            "(covers.is.null,p.not.is.null)",
        ),
        (
            "select=title,covers()&covers=eq.x",
            "and",
            "error: Bad operator on the 'covers' embedded resource: Only is null or not is null filters are allowed on embedded resources",
        ),
        // A field of that name can still be asked for its values.
        (
            "select=publisher_uid(name)&publisher_uid=is.null",
            "and",
            "(publisher_uid.is.null)",
        ),
        (
            "select=title,p:publishers(name)&order=p(name).desc",
            "order",
            "p(name).desc,uid.asc",
        ),
        (
            "select=title,covers(artist)&order=covers(artist)",
            "order",
            "covers(artist).asc,uid.asc",
        ),
        (
            "select=title,authors!translators(name)&order=authors(name)",
            "order",
            "error: A related order on 'authors' is not possible: 'books' and 'authors' do not form a many-to-one or one-to-one relationship",
        ),
        (
            "select=title&order=p(name)",
            "order",
            "error: 'p' is not an embedded resource in this request",
        ),
        (
            "select=title,a:authors!author_uid(name)&order=a(diary)",
            "order",
            "error: `diary` may not be read",
        ),
    ] {
        assert_eq!(printed(query, parameter), expected, "{query}");
    }
}

#[test]
fn an_embed_knows_its_relation_and_its_form() {
    let query = parse("select=title,...publishers!inner(publisher:name),authors!translators(name)").unwrap();
    let embeds: Vec<_> = query.select.embeds().collect();
    let (position, spread) = embeds[0];
    assert_eq!(
        (position, spread.name.as_str(), spread.form, spread.join),
        (1, "publishers", EmbedForm::Spread, Join::Inner)
    );
    assert!(matches!(spread.relation, Relation::One { .. }));
    let (_, through) = embeds[1];
    assert!(
        matches!(&through.relation, Relation::Through { resource, .. } if resource.name == "translators")
    );
    assert!(!through.is_single());
    assert!(matches!(&query.select.0[0], SelectItem::Field(_)));
}

#[test]
fn embeds_are_bounded_in_depth_and_number() {
    let nested = |depth: usize| {
        let inner = "sequel_of(".repeat(depth) + "title" + &")".repeat(depth);
        parse(&format!("select={inner}"))
    };
    assert!(nested(5).is_ok());
    assert_eq!(nested(6).unwrap_err()[0].kind, QueryErrorKind::Syntax);
    let beside = |count: usize| {
        let items: Vec<String> = (0..count)
            .map(|number| format!("e{number}:covers(artist)"))
            .collect();
        parse(&format!("select={}", items.join(",")))
    };
    assert!(beside(20).is_ok());
    assert_eq!(beside(21).unwrap_err()[0].kind, QueryErrorKind::Syntax);
}

#[test]
fn a_refusal_comes_before_other_mistakes() {
    let api = library();
    let errors = Query::parse(super::pairs("pages=eq.x&select=drafts(uid)"), &scope(&api)).unwrap_err();
    assert_eq!(errors.first().code(), "42501");
    assert_eq!(books(&api).name, "books");
}
