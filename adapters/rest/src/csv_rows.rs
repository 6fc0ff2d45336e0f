//! CSV that holds rows (RFC 4180): a line of names, then a line for each row. NULL is an empty value, empty text a quoted one.
//!
//! What the values mean is not known here. A reader of our own, since those for general use do not tell `""` from nothing.

/// A table of texts: its names, and for each row as many values.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CsvRows {
    pub(crate) names: Vec<String>,
    pub(crate) rows: Vec<Vec<Option<String>>>,
}

/// Reads a whole body.
///
/// # Errors
/// The first mistake, and in which line it is.
pub(crate) fn read(body: &[u8]) -> Result<CsvRows, String> {
    let text = std::str::from_utf8(body)
        .map_err(|error| format!("the body is not UTF-8 at byte {}", error.valid_up_to()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { rest: text, line: 1 };
    let Some(header) = reader.row()? else {
        return Err("the body is empty, expected a line of names".to_owned());
    };
    let mut names: Vec<String> = Vec::with_capacity(header.len());
    for name in header {
        let name = name.unwrap_or_default();
        if name.is_empty() {
            return Err("a name in the first line is empty".to_owned());
        }
        if names.contains(&name) {
            return Err(format!(
                "the name {:?} is in the first line twice",
                name.chars().take(63).collect::<String>()
            ));
        }
        names.push(name);
    }
    let mut rows = Vec::new();
    loop {
        let line = reader.line;
        let Some(row) = reader.row()? else {
            return Ok(CsvRows { names, rows });
        };
        if row.len() != names.len() {
            return Err(format!(
                "line {line} has {} values, expected {}",
                row.len(),
                names.len()
            ));
        }
        rows.push(row);
    }
}

struct Reader<'t> {
    rest: &'t str,
    line: usize,
}

impl Reader<'_> {
    /// The values of the next line, `None` at the end. A line break at the very end begins no further row.
    fn row(&mut self) -> Result<Option<Vec<Option<String>>>, String> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let mut values = Vec::new();
        loop {
            values.push(self.value()?);
            if let Some(rest) = self.rest.strip_prefix(',') {
                self.rest = rest;
                continue;
            }
            let rest = self.rest.strip_prefix('\r').unwrap_or(self.rest);
            self.rest = rest.strip_prefix('\n').unwrap_or(rest);
            self.line += 1;
            return Ok(Some(values));
        }
    }

    fn value(&mut self) -> Result<Option<String>, String> {
        let Some(quoted) = self.rest.strip_prefix('"') else {
            let end = self.rest.find([',', '\r', '\n']).unwrap_or(self.rest.len());
            let (value, rest) = self.rest.split_at(end);
            if value.contains('"') {
                return Err(format!(
                    "line {} has a quote within a value that is not quoted",
                    self.line
                ));
            }
            self.rest = rest;
            return Ok((!value.is_empty()).then(|| value.to_owned()));
        };
        let mut value = String::new();
        let mut rest = quoted;
        loop {
            let Some(end) = rest.find('"') else {
                return Err(format!(
                    "the quoted value that begins in line {} does not end",
                    self.line
                ));
            };
            value.push_str(&rest[..end]);
            rest = &rest[end + 1..];
            let Some(after) = rest.strip_prefix('"') else {
                break;
            };
            value.push('"');
            rest = after;
        }
        if !(rest.is_empty() || rest.starts_with([',', '\r', '\n'])) {
            return Err(format!("line {} has text behind a quoted value", self.line));
        }
        self.line += value.matches('\n').count();
        self.rest = rest;
        Ok(Some(value))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn null_and_empty_text_are_told_apart() {
        let table = read(b"a,\"b\",c\r\n1,,\"\"\n\"x \"\"y\"\",\nz\",2,3").unwrap();
        assert_eq!(table.names, ["a", "b", "c"]);
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            table.rows,
            [
                vec![some("1"), None, some("")],
                vec![some("x \"y\",\nz"), some("2"), some("3")]
            ]
        );
        assert_eq!(read(b"a\n").unwrap().rows, Vec::<Vec<_>>::new());
        assert_eq!(read(b"a\n\n").unwrap().rows, [vec![None]]);
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        for (body, message) in [
            (&b""[..], "the body is empty, expected a line of names"),
            (b"a,,b\n", "a name in the first line is empty"),
            (b"a,a\n", "the name \"a\" is in the first line twice"),
            (b"a,b\n1,2\n3\n", "line 3 has 1 values, expected 2"),
            (
                b"a\n\"1\n2\"\nx\"y\n",
                "line 4 has a quote within a value that is not quoted",
            ),
            (b"a\n\"1", "the quoted value that begins in line 2 does not end"),
            (b"a\n\"1\"2\n", "line 2 has text behind a quoted value"),
            (b"a\xff\n", "the body is not UTF-8 at byte 1"),
        ] {
            assert_eq!(read(body).unwrap_err(), message);
        }
    }
}
