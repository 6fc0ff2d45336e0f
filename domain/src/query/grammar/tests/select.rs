//! Column lists by example: what they mean, printed in full.

use std::sync::Arc;

use super::{books, library, printed};
use crate::query::{Query, Scope};

const ALL: &str = "uid,title,pages,price,in_print,status,tags,details,printed,isbn,author_uid,editor_uid,publisher_uid,sequel_of,created_at,last_updated_at,creator_uid,last_updater_uid";

fn check(cases: &[(&str, &str)]) {
    for (query, expected) in cases {
        assert_eq!(printed(query, "select"), *expected, "{query}");
    }
}

#[test]
fn each_column_is_there_once_and_what_may_not_be_read_is_left_out() {
    check(&[
        ("", ALL),
        ("select=", ALL),
        ("select=*", ALL),
        ("select=title, uid", "title,uid"),
        ("select=title,title", "title"),
        ("select=price,*", &format!("price,{}", ALL.replace("price,", ""))),
        ("select=*,price", ALL),
        ("select=titel", "error: `books` has no field `titel`"),
        ("select=margin", "error: `margin` may not be read"),
        ("select=secret", "error: `secret` may not be read"),
        ("select=x:secret::text", "error: `secret` may not be read"),
        (
            "select=title,",
            "error: \"failed to parse select parameter (title,)\" (line 1, column 7): unexpected end of input expecting field name (* or [a..z0..9_$])",
        ),
    ]);
}

#[test]
fn columns_are_renamed_cast_and_taken_from_json() {
    check(&[
        ("select=name:title", "name:title"),
        ("select=title:title", "title"),
        ("select=\"a name\":title", "\"a name\":title"),
        ("select=price::text", "price::text"),
        ("select=price::int8", "price::bigint"),
        ("select=price::double precision", "price::float"),
        ("select=n:details->a->>0::int", "n:details->a->>0::integer"),
        ("select=details->a", "details->a"),
        ("select=a:details->a", "details->a"),
        ("select=details->0", "details->0"),
        ("select=details->a->\"b c\"", "details->a->\"b c\""),
        ("select=created_at::date", "created_at::date"),
        ("select=pages::date", "error: integer cannot be cast to date"),
        ("select=tags::json", "error: text[] cannot be cast to json"),
        (
            "select=pages::money",
            "error: there is no type \"money\" to cast to",
        ),
        ("select=title->a", "error: `->` is for json, and `title` is text"),
        ("select=a:title,a:pages", "error: two columns would be named `a`"),
        (
            "select=title,title:pages",
            "error: two columns would be named `title`",
        ),
        (
            "select=pages,pages::text",
            "error: two columns would be named `pages`",
        ),
        (
            "select=*,title:pages::text",
            &format!("{},title:pages::text", ALL.replace("title,", "")),
        ),
        (
            "select=\"a\u{1}b\":title",
            "error: a name may not hold control characters",
        ),
        ("select=\"\":title", "error: a name has from 1 to 100 characters"),
    ]);
}

#[test]
fn aggregates_group_by_all_other_columns() {
    check(&[
        ("select=count()", "count()"),
        ("select=n:count()::text", "n:count()::text"),
        ("select=count", "count()"),
        ("select=n:count::text", "n:count()::text"),
        ("select=status,pages.sum()", "status,pages.sum()"),
        (
            "select=details->n::int.avg()::text",
            "details->n::integer.avg()::text",
        ),
        (
            "select=printed.min(),max:title.max()",
            "printed.min(),title.max()",
        ),
        (
            "select=title.sum()",
            "error: `sum()` is not for text, which `title` is",
        ),
        (
            "select=in_print.max()",
            "error: `max()` is not for boolean, which `in_print` is",
        ),
        (
            "select=pages.sum(),price.sum()",
            "error: two columns would be named `sum`",
        ),
        (
            "select=pages.median()",
            "error: \"failed to parse select parameter (pages.median())\" (line 1, column 7): unexpected 'm' expecting \"sum()\", \"avg()\", \"count()\", \"max()\" or \"min()\"",
        ),
        (
            "select=a:printed,b:printed::text,count()",
            "error: rows cannot be grouped by two columns made of the same field",
        ),
        (
            "select=authors!author_uid(count())",
            "error: Use of aggregate functions is not allowed: `authors` does not allow them",
        ),
    ]);
    for (query, expected) in [
        ("select=count()", ""),
        (
            "select=status,pages.sum(),printed::text",
            "status.asc,printed.asc",
        ),
        (
            "select=status,in_print,count()&order=in_print.desc",
            "in_print.desc,status.asc",
        ),
        (
            "select=status,author:authors!author_uid(name),count()",
            "status.asc,author(name).asc",
        ),
        (
            "select=status,count()&order=title",
            "error: groups cannot be ordered by `title`, which is not one of the columns that group",
        ),
    ] {
        assert_eq!(printed(query, "order"), expected, "{query}");
    }
}

#[test]
fn the_default_columns_are_shared_where_everything_may_be_read() {
    struct Everything;
    impl crate::query::Reach for Everything {
        fn may_read(&self, _: &crate::definition::ResourceDefinition, _: crate::definition::FieldId) -> bool {
            true
        }
        fn embedded(
            &self,
            _: &crate::definition::ResourceDefinition,
        ) -> Result<crate::query::Condition, crate::query::Unreachable> {
            Ok(crate::query::Condition::Always)
        }
    }
    let api = library();
    let scope = Scope {
        api: &api,
        resource: books(&api),
        reach: &Everything,
    };
    let query = Query::parse([], &scope).unwrap().query;
    assert!(Arc::ptr_eq(&query.select.0, &books(&api).select_all().0));
    assert_eq!(query.select.0.len(), books(&api).fields.len() - 1);
}
