//! A database that somebody named, in `DATABASE_URL` or in libpq's variables.
//!
//! It is asked for nothing here: whether it answers is found out, with a better message, by whoever connects.

use super::{ProvisionOptions, Server, Way, server_url};

/// The connection string, where the variables name a database.
pub(super) fn from_vars(var: &impl Fn(&str) -> Option<String>) -> Option<String> {
    let set = |name| var(name).filter(|text| !text.is_empty());
    if let Some(url) = set("DATABASE_URL") {
        return Some(url);
    }
    // A user or a password alone says nothing about where the database is.
    if set("PGHOST").is_none() && set("PGDATABASE").is_none() {
        return None;
    }
    let names = [
        ("PGHOST", "host"),
        ("PGPORT", "port"),
        ("PGDATABASE", "dbname"),
        ("PGUSER", "user"),
        ("PGPASSWORD", "password"),
        ("PGSSLMODE", "sslmode"),
        ("PGSSLROOTCERT", "sslrootcert"),
    ];
    let pairs: Vec<String> = names
        .into_iter()
        .filter_map(|(variable, key)| Some((key, set(variable)?)))
        .map(|(key, value)| format!("{key}={}", quoted(&value)))
        .collect();
    Some(pairs.join(" "))
}

/// A value of a libpq connection string (PostgreSQL manual, 34.1.1.1).
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
}

pub(super) fn server(options: &ProvisionOptions) -> Result<Server, String> {
    let Some(url) = options.given.clone() else {
        return Err("neither DATABASE_URL nor PGHOST or PGDATABASE is set".to_owned());
    };
    Ok(Server {
        description: format!(
            "the database that was named ({})",
            server_url::without_password(&url)
        ),
        url,
        way: Way::Url,
        skipped: Vec::new(),
        lease: None,
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn vars<'a>(pairs: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        |name| {
            pairs
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        }
    }

    #[test]
    fn variables_name_a_database_or_nothing() {
        for (set, expected) in [
            (&[][..], None),
            (&[("PGUSER", "me")], None),
            (&[("DATABASE_URL", "")], None),
            (
                &[("DATABASE_URL", "postgres://x/y"), ("PGHOST", "z")],
                Some("postgres://x/y"),
            ),
            (
                &[("PGHOST", "db"), ("PGPASSWORD", "it's")],
                Some(r"host='db' password='it\'s'"),
            ),
            (&[("PGDATABASE", "books")], Some("dbname='books'")),
        ] {
            assert_eq!(from_vars(&vars(set)).as_deref(), expected);
        }
    }

    #[test]
    fn a_password_is_not_described() {
        let mut options = ProvisionOptions::kept_in("x");
        options.given = Some("postgres://me:hush@db/books".to_owned());
        let server = server(&options).unwrap();
        assert!(!server.describe().contains("hush"), "{}", server.describe());
        assert!(server.describe().contains("db/books"), "{}", server.describe());
    }
}
