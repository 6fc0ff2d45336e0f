//! The one function that puts an identifier into SQL.

/// Appends an identifier in double quotes. Names reach this from definitions only.
pub(crate) fn identifier(name: &str, sql: &mut String) {
    sql.push('"');
    for part in name.split_inclusive('"') {
        sql.push_str(part);
        if part.ends_with('"') {
            sql.push('"');
        }
    }
    sql.push('"');
}

/// Appends a name that may have a schema before a dot, each part in quotes.
pub(crate) fn qualified(name: &str, sql: &mut String) {
    for (index, part) in name.split('.').enumerate() {
        if index > 0 {
            sql.push('.');
        }
        identifier(part, sql);
    }
}

/// An identifier in quotes, on its own.
pub(crate) fn quoted(name: &str) -> String {
    let mut sql = String::with_capacity(name.len() + 2);
    identifier(name, &mut sql);
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_in_a_name_are_doubled() {
        for (name, expected) in [
            ("title", r#""title""#),
            (r#"a"b"#, r#""a""b""#),
            (r#"""#, r#""""""#),
            ("Ä b", r#""Ä b""#),
        ] {
            assert_eq!(quoted(name), expected);
        }
        let mut sql = String::new();
        qualified("public.status", &mut sql);
        assert_eq!(sql, r#""public"."status""#);
    }
}
