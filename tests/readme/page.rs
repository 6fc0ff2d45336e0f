//! A page taken apart into what is typed and what is answered, and answers compared with what was printed.
//!
//! Nothing is run here.

use serde_json::Value;

/// The address that pages show; each session has another.
pub(crate) const ADDRESS: &str = "127.0.0.1:8080";

/// One command and what the page says it answers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) command: String,
    pub(crate) expected: String,
}

/// Every command of every `console` block, in order. A line that ends in a backslash, or within single quotes, goes on in the next.
pub(crate) fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if !inside {
        } else if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step {
                command: command.to_owned(),
                expected: String::new(),
            });
        } else if let Some(step) = steps.last_mut() {
            let unfinished = step.expected.is_empty() && goes_on(&step.command);
            let part = if unfinished {
                &mut step.command
            } else {
                &mut step.expected
            };
            if unfinished || !part.is_empty() {
                part.push('\n');
            }
            part.push_str(line);
        }
    }
    steps
}

fn goes_on(command: &str) -> bool {
    command.ends_with('\\') || command.matches('\'').count() % 2 == 1
}

impl Step {
    /// The one command that is not typed into the session, since the session is about what it starts.
    pub(crate) fn starts_the_server(&self) -> bool {
        self.command == "cargo run" || self.command == "rowstamp"
    }

    /// What is wrong with an answer, if anything.
    pub(crate) fn compare(&self, said: &str) -> Option<String> {
        let same = match (json(&self.expected), json(said)) {
            (Some(expected), Some(said)) => expected == said,
            _ => match (http(&self.expected), http(said)) {
                (Some(expected), Some(said)) => expected.is_answered_by(&said),
                _ => lines_match(&self.expected, said),
            },
        };
        (!same).then(|| {
            format!(
                "$ {}\n--- the page says\n{}\n--- it said\n{said}\n",
                self.command, self.expected
            )
        })
    }
}

fn json(text: &str) -> Option<Value> {
    serde_json::from_str(&masked(text)).ok()
}

/// An answer as `curl -i` shows it.
struct Http {
    status: String,
    fields: Vec<String>,
    body: String,
}

fn http(text: &str) -> Option<Http> {
    let text = masked(&text.replace('\r', ""));
    let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    let mut lines = head.lines().map(str::to_owned);
    let status = lines.next().filter(|line| line.starts_with("HTTP/"))?;
    Some(Http {
        status: status.trim_end().to_owned(),
        fields: lines.collect(),
        body: body.trim().to_owned(),
    })
}

impl Http {
    /// A page shows the fields that matter; an answer has more.
    fn is_answered_by(&self, said: &Self) -> bool {
        let body = match (json(&self.body), json(&said.body)) {
            (Some(expected), Some(said)) => expected == said,
            _ => self.body == said.body,
        };
        self.status == said.status && body && self.fields.iter().all(|field| said.fields.contains(field))
    }
}

/// `…` at the end of a line stands for the rest of it, a line `...` for any lines.
fn lines_match(expected: &str, said: &str) -> bool {
    let (expected, said) = (masked(expected), masked(said));
    let mut said = said.lines().map(str::trim_end);
    let mut anything = false;
    for line in expected.lines() {
        if line == "..." {
            anything = true;
            continue;
        }
        let fits = |said: &str| match line.strip_suffix('…') {
            Some(start) => said.starts_with(start),
            None => said == line,
        };
        let found = if anything {
            said.any(fits)
        } else {
            said.next().is_some_and(fits)
        };
        if !found {
            return false;
        }
        anything = false;
    }
    anything || said.next().is_none()
}

/// The text with every uid, time and entity tag made the same.
fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut word = String::new();
    for character in text.chars().chain(std::iter::once('\n')) {
        if character.is_ascii_alphanumeric() || matches!(character, '-' | ':' | '.' | '+') {
            word.push(character);
            continue;
        }
        out.push_str(mask(&word).unwrap_or(&word));
        word.clear();
        out.push(character);
    }
    out.pop();
    out
}

fn mask(word: &str) -> Option<&'static str> {
    let shape: String = word
        .chars()
        .map(|character| match character {
            '0'..='9' => '0',
            'a'..='f' => 'a',
            other => other,
        })
        .collect();
    let groups: Vec<usize> = word.split('-').map(str::len).collect();
    let hexadecimal = shape
        .chars()
        .all(|character| matches!(character, '0' | 'a' | '-'));
    if hexadecimal && groups == [8, 4, 4, 4, 12] {
        Some("UID")
    } else if shape.starts_with("0000-00-00T00:00:00") {
        Some("TIME")
    } else if hexadecimal && groups.len() == 2 && groups[0] > 9 && groups[1] == 8 {
        Some("VERSION")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(expected: &str) -> Step {
        Step {
            command: String::new(),
            expected: expected.to_owned(),
        }
    }

    #[test]
    fn commands_are_told_from_answers() {
        let page = "text\n```sh\nother\n```\n```console\n$ one \\\n  more\nsaid\n  two\n$ two\n$ three '\n\nsaid'\nno\n```\n";
        let steps = steps(page);
        assert_eq!(steps[0].command, "one \\\n  more");
        assert_eq!(steps[0].expected, "said\n  two");
        assert_eq!(
            (steps[1].command.as_str(), steps[1].expected.as_str()),
            ("two", "")
        );
        assert_eq!(
            (steps[2].command.as_str(), steps[2].expected.as_str()),
            ("three '\n\nsaid'", "no")
        );
    }

    #[test]
    fn answers_differ_in_what_no_page_can_know_alone() {
        let uid = r#"{"uid":"01a20475-eee0-76db-a8a5-6cb6efcfee34","at":"2026-11-22T18:12:47.456599+00:00"}"#;
        let other =
            r#"{"uid":"01a20475-ef04-7504-adf7-7ec242e9ec36","at":"2027-01-02T00:00:00.000001+00:00"}"#;
        for (expected, said, same) in [
            (uid, other, true),
            ("{\"a\":1,\n \"b\":2}", "{\"b\":2,\"a\":1}", true),
            ("{\"a\":1}", "{\"a\":2}", false),
            (uid, "{}", false),
            (
                "HTTP/1.1 200 OK\netag: \"848686367492812-c5219ab4\"\n\n[]",
                "HTTP/1.1 200 OK\r\nvary: A\r\netag: \"848686367492999-c5219ab4\"\r\n\r\n[]",
                true,
            ),
            (
                "HTTP/1.1 200 OK\nlink: a\n\n[]",
                "HTTP/1.1 200 OK\r\n\r\n[]",
                false,
            ),
            ("a…\n...\nend", "abc\nx\ny\nend", true),
            ("a…\n...\nend", "abc\nx\ny", false),
            ("204", "204", true),
            ("204", "404", false),
            ("", "", true),
            ("", "said something", false),
        ] {
            assert_eq!(step(expected).compare(said).is_none(), same, "{expected} {said}");
        }
    }
}
