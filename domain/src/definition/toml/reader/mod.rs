//! A TOML document as an [`ApiSpec`]: which keys there are, and which kind of value each one takes.
//!
//! What the values mean together is not judged here. A key that cannot be read is reported and left out, and what
//! the rest of the check would only say because of that is silenced.

mod kinds;
mod rules;

use toml_edit::{Document, Item, TableLike};

use crate::definition::build::DefinitionError;
use crate::definition::nearest::did_you_mean;
use crate::definition::spec::{ApiSpec, DefaultSpec, FieldSpec, ResourceSpec};
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
                    spec.resources.push(reader.resource(name, item));
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

    fn resource(&mut self, name: &str, item: &Item) -> ResourceSpec {
        let mut spec = ResourceSpec {
            name: name.to_owned(),
            ..ResourceSpec::default()
        };
        self.table(item, "its `fields` and options", |reader, key, item| match key {
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
        spec
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
                "precision" => spec.precision = reader.digits(item),
                "scale" => spec.scale = reader.digits(item),
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
}
