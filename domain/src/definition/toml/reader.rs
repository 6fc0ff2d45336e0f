//! A TOML document as an [`ApiSpec`]: which keys there are, and which kind of value each one takes.
//!
//! What the values mean together is not judged here. A key that cannot be read is reported and left out, and what
//! the rest of the check would only say because of that is silenced.

use toml_edit::{Document, Item, TableLike, Value};

use super::literal::literal;
use crate::definition::build::DefinitionError;
use crate::definition::nearest::did_you_mean;
use crate::definition::spec::{
    AccessSpec, ActorType, ApiSpec, AuditColumn, AuditSpec, DefaultSpec, FieldSpec, Literal, ResourceSpec,
    RuleSpec,
};
use crate::definition::{JsonEncoding, OnDelete};
use crate::field_type::{FieldType, ScalarType};

const API_KEYS: &[&str] = &["title", "version", "description"];
const RESOURCE_KEYS: &[&str] = &[
    "fields",
    "path",
    "table",
    "description",
    "page",
    "unique",
    "access",
    "aggregates",
    "allow_rollback",
    "require_if_match",
    "audit",
];
const FIELD_KEYS: &[&str] = &[
    "type",
    "required",
    "default",
    "min",
    "max",
    "min_length",
    "max_length",
    "pattern",
    "values",
    "precision",
    "scale",
    "unique",
    "references",
    "on_delete",
    "immutable",
    "read_only",
    "write_only",
    "read",
    "write",
    "column",
    "json",
    "db_type",
    "description",
    "example",
];
const AUDIT_KEYS: &[&str] = &[
    "uid",
    "created_at",
    "last_updated_at",
    "creator_uid",
    "last_updater_uid",
    "actor",
];
const OPERATIONS: &[&str] = &["read", "create", "update", "delete"];

/// How deep rules may be nested; nobody's are, and the check descends into them.
const RULE_DEPTH: usize = 8;

/// What was read.
pub(super) struct Read {
    pub(super) spec: ApiSpec,
    pub(super) mistakes: Vec<DefinitionError>,
    /// Paths below which nothing more is to be said, since a mistake there was told already.
    pub(super) silenced: Vec<Vec<String>>,
}

pub(super) fn read(document: &Document<&str>, source: &str) -> Read {
    let mut reader = Reader {
        source,
        path: Vec::new(),
        mistakes: Vec::new(),
        silenced: Vec::new(),
    };
    let spec = reader.api(document.as_table());
    Read {
        spec,
        mistakes: reader.mistakes,
        silenced: reader.silenced,
    }
}

struct Reader<'a> {
    source: &'a str,
    path: Vec<String>,
    mistakes: Vec<DefinitionError>,
    silenced: Vec<Vec<String>>,
}

impl Reader<'_> {
    fn api(&mut self, root: &dyn TableLike) -> ApiSpec {
        let mut spec = ApiSpec::default();
        let mut has_resources = false;
        self.entries(root, |reader, key, item| match key {
            "api" => {
                reader.table(
                    item,
                    "title = \"…\" and version = \"…\"",
                    |reader, key, item| match key {
                        "title" => reader.text(item).into_iter().for_each(|text| spec.title = text),
                        "version" => reader.text(item).into_iter().for_each(|text| spec.version = text),
                        "description" => spec.description = reader.text(item),
                        _ => reader.unknown(key, API_KEYS),
                    },
                );
            }
            "resources" => {
                has_resources = true;
                let known = reader.table(item, "one table per resource", |reader, name, item| {
                    if let Some(resource) = reader.resource(name, item) {
                        spec.resources.push(resource);
                    }
                });
                if known && spec.resources.is_empty() && reader.mistakes.is_empty() {
                    reader.mistake("expected at least one resource");
                }
            }
            _ => reader.unknown(key, &["api", "resources"]),
        });
        if !has_resources && self.mistakes.is_empty() {
            self.path.push("resources".to_owned());
            self.mistake("expected at least one resource, such as [resources.books.fields]");
            self.path.pop();
        }
        spec
    }

    fn resource(&mut self, name: &str, item: &Item) -> Option<ResourceSpec> {
        let mut spec = ResourceSpec {
            name: name.to_owned(),
            ..ResourceSpec::default()
        };
        let known = self.table(item, "its `fields` and options", |reader, key, item| match key {
            "fields" => {
                reader.table(item, "one entry per field", |reader, name, item| {
                    spec.fields.push(reader.field(name, item));
                });
            }
            "path" => spec.path = reader.text(item),
            "table" => spec.table = reader.text(item),
            "description" => spec.description = reader.text(item),
            "page" => {
                reader.table(item, "`default` and `max`", |reader, key, item| match key {
                    "default" => spec.page_default = reader.number(item),
                    "max" => spec.page_max = reader.number(item),
                    _ => reader.unknown(key, &["default", "max"]),
                });
            }
            "unique" => spec.unique = reader.unique_sets(item),
            "access" => spec.access = reader.access(item),
            "aggregates" => spec.aggregates = reader.boolean(item).unwrap_or_default(),
            "allow_rollback" => spec.allow_rollback = reader.boolean(item).unwrap_or_default(),
            "require_if_match" => spec.require_if_match = reader.boolean(item).unwrap_or_default(),
            "audit" => spec.audit = reader.audit(item),
            _ => reader.unknown(key, RESOURCE_KEYS),
        });
        known.then_some(spec)
    }

    fn field(&mut self, name: &str, item: &Item) -> FieldSpec {
        let mut spec = FieldSpec::text(name);
        let mut has_type = false;
        let known = self.table(
            item,
            "at least its type, such as { type = \"text\" }",
            |reader, key, item| match key {
                "type" => {
                    has_type = true;
                    match reader.field_type(item) {
                        Some(ty) => spec.ty = ty,
                        // Nothing that is said about a field of unknown type would be right.
                        None => reader.silence_parent(),
                    }
                }
                "required" => spec.required = reader.boolean(item).unwrap_or_default(),
                "default" => spec.default = reader.default(item),
                "min" => spec.min = reader.literal(item),
                "max" => spec.max = reader.literal(item),
                "min_length" => spec.min_length = reader.number(item),
                "max_length" => spec.max_length = reader.number(item),
                "pattern" => spec.pattern = reader.text(item),
                "values" => match reader.texts(item) {
                    Some(values) => spec.values = values,
                    None => reader.silence_parent(),
                },
                "precision" => spec.precision = reader.number(item),
                "scale" => spec.scale = reader.number(item),
                "unique" => spec.unique = reader.boolean(item).unwrap_or_default(),
                "references" => spec.references = reader.text(item),
                "on_delete" => {
                    spec.on_delete = reader.word(
                        item,
                        &[
                            ("restrict", OnDelete::Restrict),
                            ("cascade", OnDelete::Cascade),
                            ("set_null", OnDelete::SetNull),
                        ],
                    );
                }
                "immutable" => spec.immutable = reader.boolean(item).unwrap_or_default(),
                "read_only" => spec.read_only = reader.boolean(item).unwrap_or_default(),
                "write_only" => spec.write_only = reader.boolean(item).unwrap_or_default(),
                "read" => spec.read = reader.rule(item),
                "write" => spec.write = reader.rule(item),
                "column" => spec.column = reader.text(item),
                "json" => {
                    spec.json = reader
                        .word(item, &[("string", JsonEncoding::String)])
                        .unwrap_or(JsonEncoding::Native);
                }
                "db_type" => spec.db_type = reader.text(item),
                "description" => spec.description = reader.text(item),
                "example" => spec.example = reader.literal(item),
                _ => reader.unknown(key, FIELD_KEYS),
            },
        );
        if known && !has_type {
            self.mistake("expected a `type`, such as type = \"text\"");
            self.silenced.push(self.path.clone());
        }
        spec
    }

    fn field_type(&mut self, item: &Item) -> Option<FieldType> {
        let text = self.text(item)?;
        match text.parse() {
            Ok(ty) => Some(ty),
            Err(error) => {
                let word = text.strip_suffix("[]").unwrap_or(&text);
                let known = ScalarType::ALL.into_iter().map(ScalarType::name);
                self.mistake(format!("{error}{}", did_you_mean(word, known)));
                None
            }
        }
    }

    fn default(&mut self, item: &Item) -> DefaultSpec {
        let database = item.as_table_like().and_then(|table| table.get("database"));
        if let Some(database) = database {
            if database.as_bool() == Some(true) {
                return DefaultSpec::Database;
            }
            self.mistake("expected a value, or { database = true } to leave it to the column");
            return DefaultSpec::None;
        }
        match self.literal(item) {
            Some(literal) => DefaultSpec::Literal(literal),
            None => DefaultSpec::None,
        }
    }

    fn unique_sets(&mut self, item: &Item) -> Vec<Vec<String>> {
        const EXPECTED: &str = "expected lists of field names, such as unique = [[\"shelf\", \"place\"]]";
        let Some(array) = item.as_array() else {
            self.wrong_kind(item, EXPECTED);
            return Vec::new();
        };
        let mut sets = Vec::new();
        for (position, element) in array.iter().enumerate() {
            let names = element.as_array().and_then(|names| {
                names
                    .iter()
                    .map(|name| name.as_str().map(str::to_owned))
                    .collect::<Option<_>>()
            });
            if let Some(names) = names {
                sets.push(names);
            } else {
                self.path.push(position.to_string());
                self.mistake(EXPECTED);
                self.silenced.push(self.path.clone());
                self.path.pop();
                sets.push(Vec::new());
            }
        }
        sets
    }

    fn access(&mut self, item: &Item) -> AccessSpec {
        let mut spec = AccessSpec::default();
        self.table(
            item,
            "rules for `read`, `create`, `update` and `delete`",
            |reader, key, item| match key {
                "read" => spec.read = reader.rule(item),
                "create" => spec.create = reader.rule(item),
                "update" => spec.update = reader.rule(item),
                "delete" => spec.delete = reader.rule(item),
                _ => reader.unknown(key, OPERATIONS),
            },
        );
        spec
    }

    fn rule(&mut self, item: &Item) -> Option<RuleSpec> {
        match item {
            Item::Value(value) => self.rule_value(value, 0),
            Item::Table(table) => self.all_of(table, 0),
            Item::None | Item::ArrayOfTables(_) => {
                self.wrong_rule();
                None
            }
        }
    }

    fn rule_value(&mut self, value: &Value, depth: usize) -> Option<RuleSpec> {
        if depth > RULE_DEPTH {
            self.mistake(format!("rules are nested deeper than {RULE_DEPTH} levels"));
            return None;
        }
        match value {
            Value::String(word) => Some(RuleSpec::One(word.value().clone())),
            Value::Array(array) => self.rule_list(array, depth).map(RuleSpec::Any),
            Value::InlineTable(table) => self.all_of(table, depth),
            _ => {
                self.wrong_rule();
                None
            }
        }
    }

    fn all_of(&mut self, table: &dyn TableLike, depth: usize) -> Option<RuleSpec> {
        if let (1, Some(array)) = (table.len(), table.get("all").and_then(Item::as_array)) {
            self.path.push("all".to_owned());
            let rules = self.rule_list(array, depth);
            self.path.pop();
            rules.map(RuleSpec::All)
        } else {
            self.wrong_rule();
            None
        }
    }

    fn rule_list(&mut self, array: &toml_edit::Array, depth: usize) -> Option<Vec<RuleSpec>> {
        let mut rules = Vec::new();
        for (position, value) in array.iter().enumerate() {
            self.path.push(position.to_string());
            let rule = self.rule_value(value, depth + 1);
            self.path.pop();
            rules.push(rule);
        }
        rules.into_iter().collect()
    }

    fn wrong_rule(&mut self) {
        self.mistake(
            "expected a rule such as \"authenticated\", a list of rules of which any is enough, or { all = [ … ] }",
        );
    }

    fn audit(&mut self, item: &Item) -> AuditSpec {
        let mut spec = AuditSpec::default();
        self.table(item, "the names of the audit columns", |reader, key, item| match key {
            "uid" => {
                if item.as_bool() == Some(false) {
                    reader.mistake("expected a column of type uuid; a resource without a primary key cannot be served");
                } else {
                    spec.uid = reader.text(item);
                }
            }
            "created_at" => spec.created_at = reader.audit_column(item),
            "last_updated_at" => spec.last_updated_at = reader.audit_column(item),
            "creator_uid" => spec.creator_uid = reader.audit_column(item),
            "last_updater_uid" => spec.last_updater_uid = reader.audit_column(item),
            "actor" => {
                let words = [("text", ActorType::Text), ("uuid", ActorType::Uuid)];
                spec.actor = reader.word(item, &words).unwrap_or_default();
            }
            _ => reader.unknown(key, AUDIT_KEYS),
        });
        spec
    }

    fn audit_column(&mut self, item: &Item) -> AuditColumn {
        match item.as_value() {
            Some(Value::String(name)) => AuditColumn::Named(name.value().clone()),
            Some(Value::Boolean(present)) if *present.value() => AuditColumn::Standard,
            Some(Value::Boolean(_)) => AuditColumn::Absent,
            _ => {
                self.wrong_kind(
                    item,
                    "expected the column's name, or false where the table has no such column",
                );
                AuditColumn::Standard
            }
        }
    }
}

/// The kinds of values.
impl Reader<'_> {
    /// Visits the entries of a table; `false`, and a mistake, where `item` is none.
    fn table(&mut self, item: &Item, expected: &str, visit: impl FnMut(&mut Self, &str, &Item)) -> bool {
        let Some(table) = item.as_table_like() else {
            self.wrong_kind(item, &format!("expected a table with {expected}"));
            self.silenced.push(self.path.clone());
            return false;
        };
        self.entries(table, visit);
        true
    }

    fn entries(&mut self, table: &dyn TableLike, mut visit: impl FnMut(&mut Self, &str, &Item)) {
        for (key, item) in table.iter() {
            self.path.push(key.to_owned());
            visit(self, key, item);
            self.path.pop();
        }
    }

    fn text(&mut self, item: &Item) -> Option<String> {
        let text = item.as_str().map(str::to_owned);
        if text.is_none() {
            self.wrong_kind(item, "expected text in quotes");
        }
        text
    }

    fn boolean(&mut self, item: &Item) -> Option<bool> {
        let boolean = item.as_bool();
        if boolean.is_none() {
            self.wrong_kind(item, "expected true or false");
        }
        boolean
    }

    fn number<N: TryFrom<i64>>(&mut self, item: &Item) -> Option<N> {
        let number = item.as_integer().and_then(|number| N::try_from(number).ok());
        if number.is_none() {
            let bytes = size_of::<N>();
            let max = if bytes == 2 {
                i64::from(u16::MAX)
            } else {
                i64::from(u32::MAX)
            };
            self.wrong_kind(item, &format!("expected a whole number from 0 to {max}"));
        }
        number
    }

    fn texts(&mut self, item: &Item) -> Option<Vec<String>> {
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

    fn word<T: Copy>(&mut self, item: &Item, words: &[(&str, T)]) -> Option<T> {
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

    fn literal(&mut self, item: &Item) -> Option<Literal> {
        let literal = literal(item, self.source);
        if literal.is_none() {
            self.mistake("expected a value");
        }
        literal
    }
}

/// The mistakes.
impl Reader<'_> {
    fn mistake(&mut self, message: impl Into<String>) {
        self.mistakes.push(DefinitionError {
            path: self.path.clone(),
            message: message.into(),
        });
    }

    fn wrong_kind(&mut self, item: &Item, expected: &str) {
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

    fn unknown(&mut self, key: &str, known: &[&str]) {
        let guess = did_you_mean(key, known.iter().copied());
        let message = format!("unknown key{guess}");
        if guess.is_empty() {
            self.mistake(format!("{message}, expected one of {}", known.join(", ")));
        } else {
            self.mistake(message);
        }
    }

    fn silence_parent(&mut self) {
        self.silenced.push(self.path[..self.path.len() - 1].to_vec());
    }
}
