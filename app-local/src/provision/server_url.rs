//! Connection strings: made for a private server, turned to another database, printed without the password.
//!
//! It does not check them; the driver does.

use std::fmt::Write;
use std::path::Path;

/// The URL of a server behind a Unix socket in `directory`, for the superuser `postgres`.
pub(super) fn of_socket(directory: &Path) -> String {
    let mut host = String::new();
    for byte in directory.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                host.push(char::from(*byte));
            }
            other => {
                let _ = write!(host, "%{other:02X}");
            }
        }
    }
    format!("postgres:///postgres?host={host}&user=postgres")
}

/// The same server, another database. `database` holds letters, digits and underscores only.
pub(super) fn with_database(url: &str, database: &str) -> String {
    let Some(authority) = url.find("://").map(|at| at + 3) else {
        return format!("{url} dbname={database}");
    };
    let end = url[authority..]
        .find(['/', '?'])
        .map_or(url.len(), |at| authority + at);
    let query = url[authority..].find('?').map_or("", |at| &url[authority + at..]);
    format!("{}/{database}{query}", &url[..end])
}

/// For people's eyes.
pub(super) fn without_password(url: &str) -> String {
    let Some(authority) = url.find("://").map(|at| at + 3) else {
        // In `key=value` strings a password may hold quoted spaces; showing less is safe.
        return url
            .split_whitespace()
            .filter(|pair| {
                ["host=", "port=", "dbname=", "user="]
                    .iter()
                    .any(|key| pair.starts_with(key))
            })
            .collect::<Vec<_>>()
            .join(" ");
    };
    let end = url[authority..]
        .find(['/', '?'])
        .map_or(url.len(), |at| authority + at);
    let host = url[authority..end]
        .rfind('@')
        .map_or(authority, |at| authority + at + 1);
    // A query may hold `password=`, so it is left out altogether but for a socket's directory.
    let rest = url[end..].split('?').next().unwrap_or_default();
    let socket = url[end..]
        .split(['?', '&'])
        .find(|pair| pair.starts_with("host="))
        .map_or_else(String::new, |pair| format!("?{pair}"));
    format!("{}{}{rest}{socket}", &url[..authority], &url[host..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_url_is_understood_by_the_driver() {
        let config: Result<tokio_postgres::Config, _> = of_socket(Path::new("/tmp/a dir/ü&x")).parse();
        let hosts = config
            .map(|config| config.get_hosts().to_vec())
            .unwrap_or_default();
        assert_eq!(
            hosts,
            [tokio_postgres::config::Host::Unix("/tmp/a dir/ü&x".into())]
        );
    }

    #[test]
    fn another_database_of_the_same_server() {
        for (url, expected) in [
            (
                "postgres://u:p@h:1/a?sslmode=require",
                "postgres://u:p@h:1/t?sslmode=require",
            ),
            ("postgres://h", "postgres://h/t"),
            ("postgres://h?x=/y", "postgres://h/t?x=/y"),
            ("postgres:///a?host=/s", "postgres:///t?host=/s"),
            ("host=h dbname=a", "host=h dbname=a dbname=t"),
        ] {
            assert_eq!(with_database(url, "t"), expected);
        }
    }

    #[test]
    fn no_password_is_shown() {
        for (url, expected) in [
            ("postgres://u:p@h:1/a?password=p", "postgres://h:1/a"),
            ("postgres:///a?host=/s&password=p", "postgres:///a?host=/s"),
            ("host=h password='p q' dbname=a", "host=h dbname=a"),
        ] {
            assert_eq!(without_password(url), expected);
        }
    }
}
