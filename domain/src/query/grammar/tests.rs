#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use proptest::prelude::*;

use super::{QueryError, QueryErrorKind};
use crate::definition::{FieldId, ResourceDefinition, toml};
use crate::query::{
    Comparison, Condition, Direction, IsTest, Nulls, Operand, OrderTerm, PatternKind, Predicate, Query,
    SelectItem, Test,
};
use crate::value::Value;

fn books() -> Arc<ResourceDefinition> {
    let text = r#"
        [resources.books]
        page = { default = 25, max = 100 }
        [resources.books.fields]
        title    = { type = "text", required = true }
        pages    = { type = "integer" }
        price    = { type = "decimal" }
        in_print = { type = "boolean" }
        status   = { type = "enum", values = ["draft", "published"] }
        tags     = { type = "text[]" }
        details  = { type = "json" }
        printed  = { type = "date" }
        secret   = { type = "text", write_only = true }
        margin   = { type = "decimal", read = "group:staff" }
    "#;
    Arc::clone(
        toml::parse("books.toml", text)
            .unwrap()
            .resource("books")
            .unwrap(),
    )
}

fn parse(query: &str) -> Result<Query, Vec<QueryError>> {
    let books = books();
    let margin = books.field_id("margin").unwrap();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    Query::parse(
        pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))),
        &books,
        |id| id != margin,
    )
    .map_err(|errors| errors.0)
}

/// What a condition means, as text: names, and values as Rust shows their text.
fn condition(query: &str) -> String {
    match parse(query) {
        Ok(query) => query.condition.to_text(&books()),
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
        ("title=match.x", "the operator `match` is not supported yet"),
        ("tags=cs.{a}", "the operator `cs` is not supported yet"),
        (
            "title=eq(any).{a,b}",
            "(any), (all) and languages after an operator are not supported yet",
        ),
        (
            "tags=adj.[1,2]",
            "the operator `adj` is for ranges, and there are no range types",
        ),
        ("details->a=eq.1", "JSON paths are not supported yet"),
        ("or=(details->>a.eq.1)", "JSON paths are not supported yet"),
        (
            "authors.name=eq.x",
            "filters on embedded resources (`authors`) are not supported yet",
        ),
        ("secret=eq.x", "`secret` may not be read"),
        ("or=(margin.gt.1,pages.eq.1)", "`margin` may not be read"),
    ] {
        assert_eq!(condition(query), format!("error: {expected}"), "{query}");
    }
}

#[test]
fn every_mistake_is_told_and_a_refusal_first() {
    let errors = parse("pages=eq.x&nothing=eq.1&order=secret&limit=-1&limit=5&cursor=abc").unwrap_err();
    let kinds: Vec<&QueryErrorKind> = errors.iter().map(|error| &error.kind).collect();
    assert_eq!(
        kinds,
        [
            &QueryErrorKind::Value {
                field: "pages".to_owned()
            },
            &QueryErrorKind::UnknownField {
                field: "nothing".to_owned()
            },
            &QueryErrorKind::Repeated,
            &QueryErrorKind::Unsupported,
            &QueryErrorKind::NotReadable {
                field: "secret".to_owned()
            },
            &QueryErrorKind::Number,
        ]
    );
    let first = super::QueryErrors(errors).first().clone();
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
            "ordering by an embedded resource is not supported yet",
        ),
        ("order=titel", "`books` has no field `titel`"),
        ("order=details->a", "JSON paths are not supported yet"),
    ] {
        let found = match parse(query) {
            Ok(parsed) => {
                let parameters = parsed.to_parameters(&books());
                parameters.into_iter().find(|(key, _)| key == "order").unwrap().1
            }
            Err(errors) => errors[0].to_string(),
        };
        assert_eq!(found, expected, "{query}");
    }
}

#[test]
fn a_column_list_names_each_column_once_and_leaves_out_what_may_not_be_read() {
    const ALL: &str = "uid,title,pages,price,in_print,status,tags,details,printed,created_at,last_updated_at,creator_uid,last_updater_uid";
    for (query, expected) in [
        ("", ALL),
        ("select=", ALL),
        ("select=*", ALL),
        ("select=title, uid", "title,uid"),
        ("select=title,title", "title"),
        ("select=price,*", &format!("price,{}", ALL.replace("price,", ""))),
        ("select=titel", "`books` has no field `titel`"),
        ("select=margin", "`margin` may not be read"),
        ("select=secret", "`secret` may not be read"),
        ("select=name:title", "renaming columns is not supported yet"),
        ("select=price::text", "casting columns is not supported yet"),
        ("select=price.sum()", "aggregates are not supported yet"),
        ("select=count()", "aggregates are not supported yet"),
        (
            "select=*,authors(name)",
            "embedding (`authors`) is not supported yet",
        ),
        (
            "select=author:authors!inner(name)",
            "embedding (`authors`) is not supported yet",
        ),
        (
            "select=...authors(name)",
            "embedding (`authors`) is not supported yet",
        ),
        ("select=details->a", "JSON paths are not supported yet"),
        (
            "select=title,",
            "\"failed to parse select parameter (title,)\" (line 1, column 7): unexpected end of input expecting field name (* or [a..z0..9_$])",
        ),
    ] {
        let found = match parse(query) {
            Ok(parsed) => parsed.select.to_text(&books()),
            Err(errors) => errors[0].to_string(),
        };
        assert_eq!(found, expected, "{query}");
    }
}

#[test]
fn the_default_columns_are_shared_where_everything_may_be_read() {
    let books = books();
    let query = Query::parse([], &books, |_| true).unwrap();
    assert!(Arc::ptr_eq(&query.select.0, &books.select_all().0));
    assert_eq!(query.select.0.len(), books.fields.len() - 1);
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
    let books = books();
    for (text, expected) in [
        ("status=eq.published", Ok(())),
        (
            "title=eq.$sub&or=(pages.eq.$claim(pages),title.eq.\"a&b\")",
            Ok(()),
        ),
        ("title=eq.$$5", Ok(())),
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
        let found = super::parse_rule(text, &books)
            .map(|_| ())
            .map_err(|errors| errors.to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{text}");
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{0,4}", "[ -~]{0,8}", "[\"\\\\,(){}.é ]{0,6}"]
}

fn test() -> impl Strategy<Value = Condition> {
    let books = books();
    let id = move |name: &str| books.field_id(name).unwrap();
    let (title, pages, tags, in_print) = (id("title"), id("pages"), id("tags"), id("in_print"));
    let comparison = prop_oneof![
        Just(Comparison::Eq),
        Just(Comparison::Neq),
        Just(Comparison::Gt),
        Just(Comparison::Gte),
        Just(Comparison::Lt),
        Just(Comparison::Lte),
    ];
    let tests = prop_oneof![
        (comparison.clone(), text())
            .prop_map(move |(comparison, text)| (title, Predicate::Compare(comparison, Value::Text(text)))),
        (comparison, any::<i32>()).prop_map(move |(comparison, number)| (
            pages,
            Predicate::Compare(comparison, Value::Integer(number))
        )),
        proptest::collection::vec(text(), 1..4)
            .prop_map(move |texts| { (title, Predicate::In(texts.into_iter().map(Value::Text).collect())) }),
        proptest::collection::vec(text(), 0..3).prop_map(move |texts| {
            let array = Value::Array(texts.into_iter().map(Value::Text).collect());
            (tags, Predicate::IsDistinct(array))
        }),
        prop_oneof![
            Just(IsTest::True),
            Just(IsTest::False),
            Just(IsTest::Unknown),
            Just(IsTest::Null)
        ]
        .prop_map(move |is| (in_print, Predicate::Is(is))),
        (
            text(),
            prop_oneof![Just(PatternKind::Like), Just(PatternKind::ILike)]
        )
            .prop_map(move |(pattern, case)| {
                // A star is a wildcard in text, and a lone backslash at the end is refused.
                let pattern = Value::Text(pattern.replace(['*', '\\'], "%"));
                (title, Predicate::Matches(case, pattern))
            }),
    ];
    tests.prop_map(|(id, predicate): (FieldId, Predicate)| {
        Condition::Test(Test {
            operand: Operand::Field(id),
            predicate,
        })
    })
}

fn conditions() -> impl Strategy<Value = Condition> {
    let leaf = prop_oneof![8 => test(), 1 => Just(Condition::Always), 1 => Just(Condition::Never)];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Condition::all),
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Condition::any),
            inner.prop_map(Condition::negate),
        ]
    })
}

fn queries() -> impl Strategy<Value = Query> {
    let term =
        (1_u16..9, any::<bool>(), any::<bool>()).prop_map(|(field, descending, nulls_first)| OrderTerm {
            embed: None,
            operand: Operand::Field(FieldId::new(field)),
            direction: if descending {
                Direction::Descending
            } else {
                Direction::Ascending
            },
            nulls: if nulls_first { Nulls::First } else { Nulls::Last },
        });
    let order = proptest::collection::vec(term, 0..4);
    let columns = proptest::collection::btree_set(0_u16..9, 1..6);
    (conditions(), order, columns, 0_u32..=100, 0_u64..1_000_000).prop_map(
        |(condition, mut order, columns, limit, offset)| {
            let mut seen = Vec::new();
            order.retain(|term| {
                let new = !seen.contains(&term.operand);
                seen.push(term.operand.clone());
                new
            });
            super::bind::append_uid(&mut order, &books());
            let columns = columns
                .into_iter()
                .map(|field| SelectItem::Field(FieldId::new(field)));
            let select = crate::query::Select(columns.collect());
            Query {
                select,
                condition,
                order,
                after: None,
                limit,
                offset,
            }
        },
    )
}

proptest! {
    #[test]
    fn what_is_printed_reads_back_as_the_same(query in queries()) {
        let books = books();
        let parameters = query.to_parameters(&books);
        let pairs = parameters.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let read = Query::parse(pairs, &books, |_| true);
        prop_assert_eq!(read.as_ref(), Ok(&query), "{:?}", parameters);
    }

    #[test]
    fn random_text_never_panics(
        key in prop_oneof!["[a-z.]{0,8}", "(and|or|not\\.or|title|pages|order|select|details->[a\"]{0,2})", ".{0,12}"],
        value in prop_oneof![".{0,40}", "[a-z().,\"\\\\*{}:>-]{0,40}", "\\(?(title|pages|not)\\.(eq|in|is|like)\\.[(a\",)\\\\]{0,12}"],
    ) {
        let books = books();
        let _ = Query::parse([(key.as_str(), value.as_str())], &books, |_| true);
        let _ = super::parse_rule(&format!("{key}={value}"), &books);
    }
}
