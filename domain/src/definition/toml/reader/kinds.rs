//! Values of each kind, and the words for one that is of another.

use toml_edit::{Item, TableLike, Value};

use super::Reader;
use crate::definition::build::DefinitionError;
use crate::definition::nearest::did_you_mean;
use crate::definition::spec::Literal;
use crate::definition::toml::literal::literal;

/// The kinds of values.
impl Reader<'_> {
    /// Visits the entries of a table; `false`, and a mistake, where `item` is none.
    pub(super) fn table(
        &mut self,
        item: &Item,
        expected: &str,
        visit: impl FnMut(&mut Self, &str, &Item),
    ) -> bool {
        let Some(table) = item.as_table_like() else {
            self.wrong_kind(item, &format!("expected a table with {expected}"));
            self.silenced.push(self.path.clone());
            return false;
        };
        self.entries(table, visit);
        true
    }

    pub(super) fn entries(&mut self, table: &dyn TableLike, mut visit: impl FnMut(&mut Self, &str, &Item)) {
        for (key, item) in table.iter() {
            self.path.push(key.to_owned());
            visit(self, key, item);
            self.path.pop();
        }
    }

    pub(super) fn text(&mut self, item: &Item) -> Option<String> {
        let text = item.as_str().map(str::to_owned);
        if text.is_none() {
            self.wrong_kind(item, "expected text in quotes");
        }
        text
    }

    pub(super) fn boolean(&mut self, item: &Item) -> Option<bool> {
        let boolean = item.as_bool();
        if boolean.is_none() {
            self.wrong_kind(item, "expected true or false");
        }
        boolean
    }

    pub(super) fn number(&mut self, item: &Item) -> Option<u32> {
        self.whole(item, &u32::MAX)
    }

    pub(super) fn digits(&mut self, item: &Item) -> Option<u16> {
        self.whole(item, &u16::MAX)
    }

    fn whole<N: TryFrom<i64> + std::fmt::Display>(&mut self, item: &Item, max: &N) -> Option<N> {
        let number = item.as_integer().and_then(|number| N::try_from(number).ok());
        if number.is_none() {
            self.wrong_kind(item, &format!("expected a whole number from 0 to {max}"));
        }
        number
    }

    pub(super) fn texts(&mut self, item: &Item) -> Option<Vec<String>> {
        let texts = item.as_array().and_then(|array| {
            array
                .iter()
                .map(|value| value.as_str().map(str::to_owned))
                .collect()
        });
        if texts.is_none() {
            self.wrong_kind(
                item,
                "expected a list of texts, such as [\"draft\", \"published\"]",
            );
        }
        texts
    }

    pub(super) fn word<T: Copy>(&mut self, item: &Item, words: &[(&str, T)]) -> Option<T> {
        let found = item
            .as_str()
            .and_then(|text| words.iter().find(|(word, _)| *word == text));
        if found.is_none() {
            let list: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            let guess = did_you_mean(
                item.as_str().unwrap_or_default(),
                words.iter().map(|(word, _)| *word),
            );
            self.wrong_kind(item, &format!("expected {}{guess}", list.join(" or ")));
        }
        found.map(|(_, value)| *value)
    }

    pub(super) fn literal(&mut self, item: &Item) -> Option<Literal> {
        let literal = literal(item, self.source);
        if literal.is_none() {
            self.mistake("expected a value");
        }
        literal
    }
}

/// The mistakes.
impl Reader<'_> {
    pub(super) fn mistake(&mut self, message: impl Into<String>) {
        self.mistakes.push(DefinitionError {
            path: self.path.clone(),
            message: message.into(),
        });
    }

    pub(super) fn wrong_kind(&mut self, item: &Item, expected: &str) {
        let found = match item {
            Item::None => "nothing",
            Item::Table(_) | Item::Value(Value::InlineTable(_)) => "a table",
            Item::ArrayOfTables(_) => "a list of tables",
            Item::Value(Value::String(_)) => "text",
            Item::Value(Value::Integer(_) | Value::Float(_)) => "a number",
            Item::Value(Value::Boolean(_)) => "true or false",
            Item::Value(Value::Datetime(_)) => "a date or time",
            Item::Value(Value::Array(_)) => "a list",
        };
        // Where the kind is right and the value is not, the value itself says more.
        let found = match item {
            Item::Value(Value::String(text)) => {
                format!("{:?}", text.value().chars().take(60).collect::<String>())
            }
            Item::Value(Value::Integer(number)) => number.value().to_string(),
            _ => found.to_owned(),
        };
        self.mistake(format!("{expected}, found {found}"));
    }

    pub(super) fn unknown(&mut self, key: &str, known: &[&str]) {
        let guess = did_you_mean(key, known.iter().copied());
        let message = format!("unknown key{guess}");
        if guess.is_empty() {
            self.mistake(format!("{message}, expected one of {}", known.join(", ")));
        } else {
            self.mistake(message);
        }
    }

    pub(super) fn silence_parent(&mut self) {
        self.silenced.push(self.path[..self.path.len() - 1].to_vec());
    }
}
