//! What `serve` says when it is ready: where it listens, what it serves from where, and what to type next.
//!
//! A pure function of what is there; it prints nothing itself.

use std::fmt::Write;

use rowstamp_domain::definition::ApiDefinition;

/// What there is to say.
pub(crate) struct Greeting<'a> {
    pub(crate) definition: &'a ApiDefinition,
    /// `http://127.0.0.1:8080`, base path included.
    pub(crate) address: &'a str,
    /// Where the rows are.
    pub(crate) database: &'a str,
    /// How to get at the rows by other means, where the database is private.
    pub(crate) database_url: Option<&'a str>,
    /// A token that is good now, in development mode.
    pub(crate) token: Option<&'a str>,
    /// What was typed to start this program: `target/debug/rowstamp` under `cargo run`.
    pub(crate) program: &'a str,
    /// Whether this is the example.
    pub(crate) is_example: bool,
}

impl Greeting<'_> {
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let Self {
            definition, address, ..
        } = self;
        writeln!(
            out,
            "\n{} {} is served at {address}",
            definition.title, definition.version
        )?;
        for resource in &definition.resources {
            writeln!(out, "  {address}/{}", resource.path)?;
        }
        writeln!(out, "  {address}/openapi.json")?;
        writeln!(out, "\nRows are kept in {}", self.database)?;
        if let Some(url) = self.database_url {
            writeln!(out, "  psql '{url}'")?;
        }
        if let Some(token) = self.token {
            writeln!(
                out,
                "\nA token for today; more with: {} token SUB --group GROUP",
                self.program
            )?;
            writeln!(out, "  export TOKEN={token}")?;
        }
        writeln!(out, "\nTry")?;
        if self.is_example {
            self.try_the_example(out)?;
        } else if let Some(first) = definition.resources.first() {
            writeln!(
                out,
                "  curl {}'{address}/{}?limit=10'",
                self.authorization(),
                first.path
            )?;
        }
        writeln!(out, "\nCtrl-C stops it.")
    }

    fn try_the_example(&self, out: &mut String) -> std::fmt::Result {
        let address = self.address;
        let authorization = self.authorization();
        let json = "-H 'Content-Type: application/json'";
        writeln!(
            out,
            "  curl {authorization}{json} -d '{{\"name\": \"Ursula K. Le Guin\"}}' {address}/authors"
        )?;
        writeln!(
            out,
            "  curl {authorization}{json} -d '{{\"title\": \"The Dispossessed\", \"pages\": 387, \"tags\": [\"utopia\"]}}' \
             {address}/books"
        )?;
        writeln!(
            out,
            "  curl '{address}/books?select=uid,title,creator_uid,created_at&order=title'"
        )
    }

    const fn authorization(&self) -> &'static str {
        if self.token.is_some() {
            "-H \"Authorization: Bearer $TOKEN\" "
        } else {
            ""
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use crate::definitions::EXAMPLE;

    fn greeting(token: Option<&str>, is_example: bool) -> String {
        let definition = rowstamp_domain::definition::toml::parse("library.toml", EXAMPLE).unwrap();
        let greeting = Greeting {
            definition: &definition,
            address: "http://127.0.0.1:8080",
            database: "PostgreSQL 18.6, installed in /usr/lib/postgresql/18/bin",
            database_url: token.map(|_| "postgres:///postgres?host=/tmp/s&user=postgres"),
            token,
            program: "rowstamp",
            is_example,
        };
        greeting.text()
    }

    #[test]
    fn the_example_comes_with_addresses_a_token_and_lines_to_paste() {
        insta::assert_snapshot!(greeting(Some("a.b.c"), true).trim(), @r#"
        Library 1.0.0 is served at http://127.0.0.1:8080
          http://127.0.0.1:8080/authors
          http://127.0.0.1:8080/books
          http://127.0.0.1:8080/loans
          http://127.0.0.1:8080/openapi.json

        Rows are kept in PostgreSQL 18.6, installed in /usr/lib/postgresql/18/bin
          psql 'postgres:///postgres?host=/tmp/s&user=postgres'

        A token for today; more with: rowstamp token SUB --group GROUP
          export TOKEN=a.b.c

        Try
          curl -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '{"name": "Ursula K. Le Guin"}' http://127.0.0.1:8080/authors
          curl -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '{"title": "The Dispossessed", "pages": 387, "tags": ["utopia"]}' http://127.0.0.1:8080/books
          curl 'http://127.0.0.1:8080/books?select=uid,title,creator_uid,created_at&order=title'

        Ctrl-C stops it.
        "#);
    }

    #[test]
    fn elsewhere_there_is_no_token_and_no_way_into_the_database() {
        let text = greeting(None, false);
        for word in ["TOKEN", "token", "psql"] {
            assert!(!text.contains(word), "{word} is in: {text}");
        }
    }
}
