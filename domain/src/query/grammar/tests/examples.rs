//! Filters, orders and pages by example.

use super::{books, library, parse, printed, scope};
use crate::query::grammar::{Filtered, QueryErrorKind, QueryErrors, parse_rule};
use crate::query::{Query, Select};

/// What a condition means, as text: names, and values as Rust shows their text.
fn condition(query: &str) -> String {
    match parse(query) {
        Ok(query) => {
            let api = library();
            query.condition.to_text(books(&api), &query.select)
        }
        Err(errors) => format!("error: {}", errors[0]),
    }
}

#[test]
fn filters_mean_what_postgrest_says() {
    for (query, expected) in [
        ("", "uid.not.in.()"),
        ("title=eq.Emma", "title.eq.Emma"),
        ("title=eq.", "title.eq.\"\""),
        ("title=eq.a.b,c)", "title.eq.\"a.b,c)\""),
        ("title=eq.\"quoted\"", "title.eq.\"\\\"quoted\\\"\""),
        ("title=not.eq.Emma", "title.not.eq.Emma"),
        ("pages=gt.5&pages=lte.10", "and(pages.gt.5,pages.lte.10)"),
        ("pages=in.(1,2, 3)", "pages.in.(1,2,3)"),
        ("pages=in.( 1 )", "pages.in.(1)"),
        ("pages=in.()", "uid.in.()"),
        ("pages=in.(   )", "uid.in.()"),
        ("pages=not.in.()", "uid.not.in.()"),
        (
            "title=in.(\"a,b\",c\"d,\"e\\\"f\")",
            "title.in.(\"a,b\",\"c\\\"d\",\"e\\\"f\")",
        ),
        ("title=in.(\")", "title.in.(\"\\\"\")"),
        ("title=in.(\\)", "title.in.(\"\\\\\")"),
        ("title=in.(\"a\"b,c)", "title.in.(\"\\\"a\\\"b\",c)"),
        ("title=like.*a_b%25*", "title.like.\"%a_b%25%\""),
        ("title=ilike.x", "title.ilike.x"),
        ("in_print=is.TRUE", "in_print.is.true"),
        ("title=is.not_null", "title.is.not_null"),
        ("title=not.is.null", "title.not.is.null"),
        ("title=isdistinct.x", "title.isdistinct.x"),
        ("tags=eq.{a,b}", "tags.eq.\"{a,b}\""),
        ("details=eq.{\"a\":1}", "details.eq.\"{\\\"a\\\": 1}\""),
        ("\"title\"=eq.x", "title.eq.x"),
        ("price=eq.1.50", "price.eq.1.50"),
        ("or=(pages.eq.1,title.eq.x)", "or(pages.eq.1,title.eq.x)"),
        ("and=(pages.eq.1)", "pages.eq.1"),
        ("not.or=(pages.eq.1,title.eq.x)", "not.or(pages.eq.1,title.eq.x)"),
        ("not.and=(pages.eq.1)", "pages.not.eq.1"),
        (
            "or=(pages.eq.1,not.and(title.eq.x,pages.is.null))",
            "or(pages.eq.1,not.and(title.eq.x,pages.is.null))",
        ),
        (
            "and=( and ( pages.in.( 1, 2, 3 ) , pages.eq.3 ) , or ( pages.eq.2 , pages.eq.3 ) )",
            "and(pages.in.(1,2,3),pages.eq.3,or(pages.eq.2,pages.eq.3))",
        ),
        (
            "or=(title.eq.\"(a,b)\",title.eq.c d)",
            "or(title.eq.\"(a,b)\",title.eq.\"c d\")",
        ),
        (
            "or=(tags.eq.{a,b},tags.not.eq.{c})",
            "or(tags.eq.\"{a,b}\",tags.not.eq.\"{c}\")",
        ),
        ("or=(title.eq.,pages.eq.1)", "or(title.eq.\"\",pages.eq.1)"),
        (
            "or=(title.not.in.(a,b),title.like.*x)",
            "or(title.not.in.(a,b),title.like.\"%x\")",
        ),
        ("title=match.^a.*b$", "title.match.\"^a.*b$\""),
        ("title=not.imatch.x", "title.not.imatch.x"),
        ("title=eq(any).{a,\"b,c\"}", "title.eq(any).\"{a,\\\"b,c\\\"}\""),
        ("pages=gt(all).{1,2}", "pages.gt(all).\"{1,2}\""),
        ("pages=eq(any).{}", "pages.eq(any).\"{}\""),
        ("title=like(any).{a*,*b}", "title.like(any).\"{a%,%b}\""),
        ("status=eq(any).{draft}", "status.eq(any).\"{draft}\""),
        ("title=fts.a|b", "title.fts.\"a|b\""),
        (
            "title=wfts(english).the fat cat",
            "title.wfts(english).\"the fat cat\"",
        ),
        ("details=plfts.cat", "details.plfts.cat"),
        ("tags=cs.{a,b}", "tags.cs.\"{a,b}\""),
        ("tags=cd.{a}", "tags.cd.\"{a}\""),
        ("tags=ov.{a}", "tags.ov.\"{a}\""),
        ("details=cs.{\"a\":1}", "details.cs.\"{\\\"a\\\": 1}\""),
        ("details->a->>0=eq.x", "details->a->>0.eq.x"),
        ("details->a->-1=gt.5", "details->a->-1.gt.5"),
        ("details->\"0\"->>\"a.b\"=eq.x", "details->\"0\"->>\"a.b\".eq.x"),
        ("details->>a-b=eq.x", "details->>\"a-b\".eq.x"),
        ("details->>a=ilike.*x*", "details->>a.ilike.\"%x%\""),
        ("details->>a=in.(x,y)", "details->>a.in.(x,y)"),
        (
            "or=(details->>a.eq.1,details->a.eq.1)",
            "or(details->>a.eq.1,details->a.eq.1)",
        ),
    ] {
        assert_eq!(condition(query), expected, "{query}");
    }
}

#[test]
fn mistakes_are_told_with_their_place_and_what_was_expected() {
    for (query, expected) in [
        (
            "title=noop.0",
            "\"failed to parse filter (noop.0)\" (line 1, column 1): unexpected 'n' expecting \"not\" or operator (eq, gt, ...)",
        ),
        (
            "title=Emma",
            "\"failed to parse filter (Emma)\" (line 1, column 1): unexpected 'E' expecting \"not\" or operator (eq, gt, ...)",
        ),
        (
            "title=eq",
            "\"failed to parse filter (eq)\" (line 1, column 3): unexpected end of input expecting delimiter (.)",
        ),
        (
            "title=not.x.1",
            "\"failed to parse filter (not.x.1)\" (line 1, column 5): unexpected 'x' expecting operator (eq, gt, ...)",
        ),
        (
            "pages=in.1,2",
            "\"failed to parse filter (in.1,2)\" (line 1, column 4): unexpected '1' expecting \"(\"",
        ),
        (
            "pages=in.(1,2",
            "\"failed to parse filter (in.(1,2)\" (line 1, column 8): unexpected end of input expecting \",\" or \")\"",
        ),
        (
            "pages=in.(1)x",
            "\"failed to parse filter (in.(1)x)\" (line 1, column 7): unexpected 'x' expecting end of input",
        ),
        (
            "or=()",
            "\"failed to parse logic tree (())\" (line 1, column 2): unexpected ')' expecting field name (* or [a..z0..9_$]), negation operator (not) or logic operator (and, or)",
        ),
        (
            "or=(pages.eq.1",
            "\"failed to parse logic tree ((pages.eq.1)\" (line 1, column 12): unexpected end of input expecting \",\" or \")\"",
        ),
        (
            "or=(pages)",
            "\"failed to parse logic tree ((pages))\" (line 1, column 7): unexpected ')' expecting delimiter (.)",
        ),
        (
            "or=pages.eq.1",
            "\"failed to parse logic tree (pages.eq.1)\" (line 1, column 1): unexpected 'p' expecting \"(\"",
        ),
        (
            "title=is.nul",
            "\"failed to parse filter (nul)\" (line 1, column 1): unexpected 'n' expecting isVal: (null, not_null, true, false, unknown)",
        ),
        (
            "pages=eq.ten",
            "invalid value for `pages`: expected a whole number, found \"ten\"",
        ),
        (
            "pages=in.(,3)",
            "invalid value for `pages`: expected a whole number, found \"\"",
        ),
        (
            "status=eq.lost",
            "invalid value for `status`: expected one of draft, published, found \"lost\"",
        ),
        (
            "title=like.a\\",
            "invalid value for `title`: a pattern may not end with a lone backslash",
        ),
        (
            "title=eq.a\0b",
            "invalid value for `title`: a NUL character cannot be stored",
        ),
        (
            "title=like.a\0b",
            "invalid value for `title`: a NUL character cannot be stored",
        ),
        ("pages=like.1*", "`like` is for text, and `pages` is integer"),
        (
            "pages=is.true",
            "`is.true` is for boolean, and `pages` is integer",
        ),
        ("titel=eq.x", "`books` has no field `titel`"),
        ("titel=x", "`books` has no field `titel`"),
        ("title=cs.{a}", "`cs` is for arrays and json, and `title` is text"),
        ("details=ov.{a}", "`ov` is for arrays, and `details` is json"),
        ("pages=match.1", "`match` is for text, and `pages` is integer"),
        (
            "pages=fts.1",
            "`fts` is for text and json, and `pages` is integer",
        ),
        ("title=in(any).(1)", "`in` cannot be followed by `(any)`"),
        ("title=eq(some).{1}", "`eq` cannot be followed by `(some)`"),
        (
            "pages=eq(any).{1,x}",
            "invalid value for `pages`: expected a whole number, found \"x\"",
        ),
        (
            "pages=eq(any).5",
            "invalid value for `pages`: expected an array such as {a,b}: it must begin with `{`",
        ),
        (
            "pages=eq(any).{{1}}",
            "invalid value for `pages`: expected a list of one dimension such as {a,b}",
        ),
        (
            "pages=eq(any).{NULL}",
            "invalid value for `pages`: NULL is neither equal to nor different from anything; `is.null` finds it",
        ),
        (
            "tags=eq(any).{a}",
            "`(any) and (all)` is for single values, and `tags` is text[]",
        ),
        (
            "tags=adj.[1,2]",
            "the operator `adj` is for ranges, and there are no range types",
        ),
        ("title->a=eq.1", "`->` is for json, and `title` is text"),
        (
            "details->=eq.1",
            "\"failed to parse tree path (details->)\" (line 1, column 10): unexpected end of input expecting any non reserved character different from: .,>()",
        ),
        (
            "details->>a->b=eq.1",
            "\"failed to parse tree path (details->>a->b)\" (line 1, column 12): unexpected '-' expecting nothing after \"->>\", which gives text",
        ),
        (
            "details->99999999999=eq.1",
            "\"failed to parse tree path (details->99999999999)\" (line 1, column 10): unexpected '9' expecting an index that fits 32 bits",
        ),
        (
            "details->a=eq.x",
            "invalid value for `details`: not JSON at byte 0: expected a JSON value",
        ),
        (
            "details->a=is.true",
            "`is.true` is for boolean, and `details` is json",
        ),
        (
            "authors.name=eq.x",
            "'authors' is not an embedded resource in this request",
        ),
        ("secret=eq.x", "`secret` may not be read"),
        ("or=(margin.gt.1,pages.eq.1)", "`margin` may not be read"),
    ] {
        assert_eq!(condition(query), format!("error: {expected}"), "{query}");
    }
}

#[test]
fn every_mistake_is_told_and_a_refusal_first() {
    let errors = parse("pages=eq.x&nothing=eq.1&order=secret&limit=-1&limit=5&columns=abc").unwrap_err();
    let kinds: Vec<&QueryErrorKind> = errors.iter().map(|error| &error.kind).collect();
    assert_eq!(
        kinds,
        [
            &QueryErrorKind::Syntax,
            &QueryErrorKind::Value {
                field: "pages".to_owned()
            },
            &QueryErrorKind::UnknownField {
                field: "nothing".to_owned()
            },
            &QueryErrorKind::NotReadable {
                field: "secret".to_owned()
            },
            &QueryErrorKind::Repeated,
            &QueryErrorKind::Number,
        ]
    );
    let first = QueryErrors(errors).first().clone();
    assert_eq!((first.code(), first.parameter.as_str()), ("42501", "order"));
}

#[test]
fn orders_are_total() {
    for (query, expected) in [
        ("", "uid.asc"),
        ("order=title", "title.asc,uid.asc"),
        ("order=title.desc,pages.asc", "title.desc,pages.asc,uid.asc"),
        ("order=title.nullsfirst", "title.asc.nullsfirst,uid.asc"),
        (
            "order=title.desc.nullslast, uid.desc",
            "title.desc.nullslast,uid.desc",
        ),
        ("order=title.asc.nullslast,title.desc", "title.asc,uid.asc"),
        (
            "order=",
            "\"failed to parse order ()\" (line 1, column 1): unexpected end of input expecting field name (* or [a..z0..9_$])",
        ),
        (
            "order=title.ac",
            "\"failed to parse order (title.ac)\" (line 1, column 7): unexpected 'a' expecting \"asc\", \"desc\", \"nullsfirst\" or \"nullslast\"",
        ),
        (
            "order=title.descc",
            "\"failed to parse order (title.descc)\" (line 1, column 11): unexpected 'c' expecting \",\" or end of input",
        ),
        (
            "order=title.asc.x",
            "\"failed to parse order (title.asc.x)\" (line 1, column 11): unexpected 'x' expecting \"nullsfirst\" or \"nullslast\"",
        ),
        (
            "order=authors(name)",
            "'authors' is not an embedded resource in this request",
        ),
        ("order=titel", "`books` has no field `titel`"),
        ("order=details->a.desc", "details->a.desc,uid.asc"),
        (
            "order=details->>\"x y\",details->0",
            "details->>\"x y\".asc,details->0.asc,uid.asc",
        ),
    ] {
        let expected = if parse(query).is_ok() {
            expected.to_owned()
        } else {
            format!("error: {expected}")
        };
        assert_eq!(printed(query, "order"), expected, "{query}");
    }
}

#[test]
fn pages_are_bounded() {
    for (query, expected) in [
        ("", Ok((25, 0))),
        ("limit=10&offset=5", Ok((10, 5))),
        ("limit=0", Ok((0, 0))),
        ("limit=101", Ok((100, 0))),
        ("limit=99999999999999999999999", Ok((100, 0))),
        (
            "limit=-1",
            Err("`limit` is \"-1\", expected a whole number of 0 or more"),
        ),
        (
            "limit=",
            Err("`limit` is \"\", expected a whole number of 0 or more"),
        ),
        (
            "limit=1e3",
            Err("`limit` is \"1e3\", expected a whole number of 0 or more"),
        ),
        ("offset=9223372036854775807", Ok((25, 9_223_372_036_854_775_807))),
        (
            "offset=9223372036854775808",
            Err("`offset` is \"9223372036854775808\", expected a whole number of 0 or more"),
        ),
        (
            "offset=+1",
            Err("`offset` is \"+1\", expected a whole number of 0 or more"),
        ),
    ] {
        let found = parse(query)
            .map(|query| (query.limit, query.offset))
            .map_err(|errors| errors[0].to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{query}");
    }
}

#[test]
fn text_is_bounded_in_depth_and_number() {
    let deep = format!("or={}pages.eq.1{}", "(or".repeat(5000) + "(", ")".repeat(5001));
    let wide = format!("or=({})", vec!["pages.eq.1"; 5000].join(","));
    let long = format!("pages=in.({})", vec!["1"; 20_000].join(","));
    let many = "pages=eq.1&".repeat(5000);
    for query in [deep, wide, long, many] {
        assert_eq!(parse(&query).unwrap_err()[0].kind, QueryErrorKind::Syntax);
    }
}

#[test]
fn rules_read_values_of_the_caller() {
    let api = library();
    for (text, expected) in [
        ("status=eq.published", Ok(())),
        (
            "title=eq.$sub&or=(pages.eq.$claim(pages),title.eq.\"a&b\")",
            Ok(()),
        ),
        ("title=eq.$$5", Ok(())),
        ("details->>team=eq.$claim(team)&tags=ov.{a,b}", Ok(())),
        ("pages=eq(any).{1,2}", Ok(())),
        (
            "title=eq(any).{$sub}",
            Err(
                "invalid value for `title`: the values in {…} cannot come from the caller; those of `in.(…)` can",
            ),
        ),
        (
            "authors.name=eq.x",
            Err("a rule looks at the row alone, not at `authors`"),
        ),
        ("order=eq.x", Err("`books` has no field `order`")),
        (
            "title=eq.$me",
            Err(
                "invalid value for `title`: expected $sub or $claim(NAME), found $me; a dollar sign itself is written $$",
            ),
        ),
        (
            "title=like.$sub*",
            Err("invalid value for `title`: a pattern cannot come from the caller"),
        ),
        ("titel=eq.x", Err("`books` has no field `titel`")),
        ("select=title", Err("`books` has no field `select`")),
        (
            "title",
            Err("expected a filter such as \"status=eq.published\", found \"title\""),
        ),
    ] {
        let found = parse_rule(text, books(&api))
            .map(|_| ())
            .map_err(|errors| errors.to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{text}");
    }
}

#[test]
fn a_write_on_many_rows_takes_filters_and_columns_alone() {
    let api = library();
    let read = |query: &str| {
        Filtered::parse(super::pairs(query), &scope(&api)).map_err(|errors| errors.first().to_string())
    };
    let filtered = read("pages=gt.5&select=title").unwrap();
    assert!(filtered.is_filtered);
    assert_eq!(filtered.select.to_text(books(&api)), "title");
    assert!(
        !read("select=title,covers(artist)&covers.artist=eq.x")
            .unwrap()
            .is_filtered
    );
    assert!(
        read("select=title,covers()&covers=not.is.null")
            .unwrap()
            .is_filtered
    );
    assert!(read("or=(pages.gt.5)").unwrap().is_filtered);
    for name in ["order", "limit", "offset", "cursor", "columns", "on_conflict"] {
        let refused = read(&format!("pages=gt.5&{name}=1"));
        assert_eq!(
            refused.unwrap_err(),
            format!("`{name}` has no meaning on this route")
        );
    }
}

#[test]
fn where_the_rows_are_chosen_already_only_columns_and_embeds_are_read() {
    let api = library();
    let read = |query: &str| {
        Select::parse(super::pairs(query), &scope(&api)).map_err(|errors| errors.first().to_string())
    };
    let select = read("select=title,covers(artist)&covers.artist=eq.x&covers.order=artist").unwrap();
    assert_eq!(select.to_text(books(&api)), "title,covers!book_uid(artist)");
    for (query, expected) in [
        ("pages=eq.1", "`pages` has no meaning on this route"),
        ("or=(pages.eq.1)", "`or` has no meaning on this route"),
        ("order=title", "`order` has no meaning on this route"),
        ("limit=1", "`limit` has no meaning on this route"),
        ("cursor=x", "`cursor` has no meaning on this route"),
        (
            "select=covers!inner(artist)",
            "`covers!inner` would choose among rows, which has no meaning on this route",
        ),
        ("select=pages.sum()", "aggregates are for lists"),
    ] {
        assert_eq!(read(query).unwrap_err(), expected, "{query}");
    }
}

#[test]
fn a_cursor_is_handed_on_and_excludes_other_ways_of_paging() {
    let api = library();
    let read = |query: &str| Query::parse(super::pairs(query), &scope(&api));
    assert_eq!(read("cursor=abc").unwrap().cursor.as_deref(), Some("abc"));
    assert_eq!(read("").unwrap().cursor, None);
    for (query, expected) in [
        ("cursor=abc&offset=5", "`cursor` cannot be combined with `offset`"),
        (
            "cursor=abc&select=pages.sum()",
            "`cursor` cannot be combined with aggregates, whose groups are no rows",
        ),
    ] {
        assert_eq!(read(query).unwrap_err().first().to_string(), expected);
    }
}
