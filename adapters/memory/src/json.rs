//! The JSON values of `jsonb` taken apart: paths, containment, and members that are null left out.
//!
//! Text is read as PostgreSQL prints it, normalised; what is no JSON at all is taken for null.

use std::fmt::Write as _;

use rowstamp_domain::query::{JsonPath, JsonResult, JsonStep};
use rowstamp_domain::value::{Json, Value};

/// A JSON value as a tree.
#[derive(Debug, Clone)]
pub(crate) enum Tree {
    /// `null`, `true`, `false`, or a number, as written.
    Plain(String),
    Text(String),
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

impl Tree {
    pub(crate) fn read(json: &Json) -> Self {
        let mut reader = Reader {
            characters: json.as_str().chars().peekable(),
        };
        reader.value()
    }

    pub(crate) fn to_json(&self) -> Json {
        let mut text = String::new();
        self.push(&mut text);
        Json::from_jsonb_text(text)
    }

    fn push(&self, out: &mut String) {
        match self {
            Self::Plain(word) => out.push_str(word),
            Self::Text(text) => out.push_str(&Value::Text(text.clone()).to_json()),
            Self::Array(elements) => {
                out.push('[');
                for (index, element) in elements.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { ", " });
                    element.push(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (index, (key, value)) in members.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { ", " });
                    let key = Value::Text(key.clone()).to_json();
                    write!(out, "{key}: ").expect("a String takes all");
                    value.push(out);
                }
                out.push('}');
            }
        }
    }

    fn is_null(&self) -> bool {
        matches!(self, Self::Plain(word) if word == "null")
    }

    /// Without the members that are null, at any depth; elements of arrays stay.
    pub(crate) fn stripped(self) -> Self {
        match self {
            Self::Array(elements) => Self::Array(elements.into_iter().map(Self::stripped).collect()),
            Self::Object(members) => Self::Object(
                members
                    .into_iter()
                    .filter(|(_, value)| !value.is_null())
                    .map(|(key, value)| (key, value.stripped()))
                    .collect(),
            ),
            scalar => scalar,
        }
    }

    /// Every text in it that is a value, in order.
    pub(crate) fn texts(&self) -> Vec<&str> {
        match self {
            Self::Plain(_) => Vec::new(),
            Self::Text(text) => vec![text],
            Self::Array(elements) => elements.iter().flat_map(Self::texts).collect(),
            Self::Object(members) => members.iter().flat_map(|(_, value)| value.texts()).collect(),
        }
    }

    fn step(self, step: &JsonStep) -> Option<Self> {
        match (self, step) {
            (Self::Object(members), JsonStep::Key(key)) => members
                .into_iter()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value),
            (Self::Array(mut elements), JsonStep::Index(index)) => {
                let at = if *index < 0 {
                    elements.len().checked_sub(index.unsigned_abs() as usize)?
                } else {
                    usize::try_from(*index).ok()?
                };
                (at < elements.len()).then(|| elements.swap_remove(at))
            }
            // To PostgreSQL, a value that is no container is the one element of an array.
            (scalar @ (Self::Plain(_) | Self::Text(_)), JsonStep::Index(0 | -1)) => Some(scalar),
            _ => None,
        }
    }

    /// `@>` between values of which neither is inside another.
    pub(crate) fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            // An array contains a value that stands by itself if it is one of its elements.
            (Self::Array(elements), Self::Plain(_) | Self::Text(_)) => {
                elements.iter().any(|element| element.contains_inside(other))
            }
            _ => self.contains_inside(other),
        }
    }

    fn contains_inside(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Array(elements), Self::Array(wanted)) => wanted
                .iter()
                .all(|wanted| elements.iter().any(|element| element.contains_inside(wanted))),
            (Self::Object(members), Self::Object(wanted)) => wanted.iter().all(|(key, wanted)| {
                members
                    .iter()
                    .any(|(name, value)| name == key && value.contains_inside(wanted))
            }),
            (Self::Plain(_) | Self::Text(_), Self::Plain(_) | Self::Text(_)) => {
                // Equality is that of `jsonb`, to which 1.0 is 1.
                self.to_json() == other.to_json()
            }
            _ => false,
        }
    }
}

/// What a path finds in a JSON value; NULL where it leads nowhere.
pub(crate) fn at_path(value: &Value, path: &JsonPath) -> Value {
    let Value::Json(json) = value else {
        return Value::Null;
    };
    let found = path.steps.iter().try_fold(Tree::read(json), Tree::step);
    match (found, path.result) {
        (None, _) => Value::Null,
        (Some(tree), JsonResult::Json) => Value::Json(tree.to_json()),
        (Some(tree), JsonResult::Text) if tree.is_null() => Value::Null,
        (Some(Tree::Text(text)), JsonResult::Text) => Value::Text(text),
        (Some(tree), JsonResult::Text) => Value::Text(tree.to_json().as_str().to_owned()),
    }
}

struct Reader<'a> {
    characters: std::iter::Peekable<std::str::Chars<'a>>,
}

impl Reader<'_> {
    fn take(&mut self, wanted: char) -> bool {
        while self.characters.next_if(char::is_ascii_whitespace).is_some() {}
        self.characters.next_if_eq(&wanted).is_some()
    }

    fn value(&mut self) -> Tree {
        if self.take('"') {
            return Tree::Text(self.text());
        }
        if self.take('[') {
            let mut elements = Vec::new();
            while !self.take(']') && self.characters.peek().is_some() {
                elements.push(self.value());
                self.take(',');
            }
            return Tree::Array(elements);
        }
        if self.take('{') {
            let mut members = Vec::new();
            while !self.take('}') && self.take('"') {
                let key = self.text();
                self.take(':');
                members.push((key, self.value()));
                self.take(',');
            }
            return Tree::Object(members);
        }
        let mut word = String::new();
        while let Some(character) = self.characters.next_if(|next| !",]} ".contains(*next)) {
            word.push(character);
        }
        if word.is_empty() {
            self.characters.next();
            word.push_str("null");
        }
        Tree::Plain(word)
    }

    /// What follows an opening quote. Only characters that JSON cannot hold otherwise are escaped.
    fn text(&mut self) -> String {
        let mut text = String::new();
        while let Some(character) = self.characters.next() {
            match character {
                '"' => break,
                '\\' => text.extend(self.escaped()),
                other => text.push(other),
            }
        }
        text
    }

    fn escaped(&mut self) -> Option<char> {
        Some(match self.characters.next()? {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'u' => {
                let digits: String = self.characters.by_ref().take(4).collect();
                char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
            }
            other => other,
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test may panic")]

    use super::*;

    fn tree(text: &str) -> Tree {
        Tree::read(&Json::parse(text).unwrap())
    }

    #[test]
    fn what_is_read_is_written_the_same() {
        for text in [
            "null",
            "1.50",
            "[]",
            "{}",
            r#"[1, "a\"\\\n\u0001é😀", {"a": {"b": [true, null]}, "": -0.5}]"#,
        ] {
            assert_eq!(tree(text).to_json().as_str(), Json::parse(text).unwrap().as_str());
        }
    }

    #[test]
    fn containment_is_that_of_jsonb() {
        for (left, right, contains) in [
            ("{}", "{}", true),
            ("[]", "{}", false),
            (r#"{"a": 1, "b": 2}"#, r#"{"a": 1.0}"#, true),
            (r#"{"a": [1, 2]}"#, r#"{"a": [2]}"#, true),
            (r#"{"a": [1, 2]}"#, r#"{"a": 2}"#, false),
            (r#"{"a": {"b": 1}}"#, r#"{"b": 1}"#, false),
            ("[1, 2, [1, 3]]", "[1, 1]", true),
            ("[1, 2, [1, 3]]", "[[3]]", true),
            ("[1, 2, [1, 3]]", "[3]", false),
            ("[1, 2]", "2", true),
            ("2", "[2]", false),
            (r#"["a"]"#, r#""a""#, true),
            ("[[1]]", "1", false),
            ("null", "null", true),
            ("[null]", "null", true),
            ("1", "true", false),
        ] {
            assert_eq!(tree(left).contains(&tree(right)), contains, "{left} @> {right}");
        }
    }

    #[test]
    fn members_that_are_null_go_and_elements_stay() {
        let json = tree(r#"{"a": null, "b": [null, {"c": null, "d": 1}]}"#)
            .stripped()
            .to_json();
        assert_eq!(json.as_str(), r#"{"b": [null, {"d": 1}]}"#);
    }
}
