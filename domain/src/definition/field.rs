//! One field of a resource: its type and every option a definition can give it.

use std::fmt;
use std::sync::Arc;

use crate::access::AccessRule;
use crate::field_type::FieldType;
use crate::value::Value;

/// Position of a field in [`ResourceDefinition::fields`](super::ResourceDefinition::fields).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldId(u16);

impl FieldId {
    /// The field at this position.
    pub const fn new(position: u16) -> Self {
        Self(position)
    }

    /// The position, for indexing.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The position as the small number it is.
    pub const fn number(self) -> u16 {
        self.0
    }
}

/// A field, checked together with its resource.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Field {
    /// Its name in JSON and queries.
    pub name: String,
    /// Its column in the table.
    pub column: String,
    /// Its type.
    pub ty: FieldType,
    /// Whether it is declared or one of the stamps.
    pub role: FieldRole,
    /// NOT NULL.
    pub required: bool,
    /// What an absent value becomes at creation.
    pub default: Default,
    /// Smallest value allowed (of each element, in an array).
    pub min: Option<Value>,
    /// Greatest value allowed (of each element, in an array).
    pub max: Option<Value>,
    /// Fewest characters (text), bytes (bytes) or elements (arrays).
    pub min_length: Option<u32>,
    /// Most characters (text), bytes (bytes) or elements (arrays).
    pub max_length: Option<u32>,
    /// What text must match (each element, in an array).
    pub pattern: Option<Pattern>,
    /// The values of an enum, in order; empty for other types.
    pub values: Vec<String>,
    /// Total digits of a decimal: the `p` of `numeric(p,s)`.
    pub precision: Option<u16>,
    /// Digits after the point of a decimal: the `s` of `numeric(p,s)`.
    pub scale: Option<u16>,
    /// No two rows have the same value.
    pub unique: bool,
    /// The resource whose `uid` this is.
    pub references: Option<Reference>,
    /// Only given at creation.
    pub immutable: bool,
    /// Never written by a caller.
    pub read_only: bool,
    /// Never shown to a caller.
    pub write_only: bool,
    /// Who may see it, where not everyone who sees the row.
    pub read: Option<AccessRule>,
    /// Who may write it, where not everyone who writes the row.
    pub write: Option<AccessRule>,
    /// How its numbers appear in JSON.
    pub json: JsonEncoding,
    /// An existing database type that holds it, such as `public.status`.
    pub db_type: Option<String>,
    /// Words for the OpenAPI document.
    pub description: Option<String>,
    /// An example for the OpenAPI document.
    pub example: Option<Value>,
}

impl Field {
    /// Whether the server alone writes it as a stamp.
    pub const fn is_audit(&self) -> bool {
        !matches!(self.role, FieldRole::Declared)
    }
}

/// What a field is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldRole {
    /// The primary key, a UUID.
    Uid,
    /// When the row was created.
    CreatedAt,
    /// When the row was last written.
    LastUpdatedAt,
    /// Who created the row.
    CreatorUid,
    /// Who last wrote the row.
    LastUpdaterUid,
    /// Declared by the definition.
    Declared,
}

/// What an absent value becomes at creation.
#[derive(Debug, Clone, PartialEq)]
pub enum Default {
    /// NULL; for a required field the value must then be given.
    None,
    /// This value.
    Value(Value),
    /// Whatever the column's own DEFAULT says.
    Database,
}

/// How a field's numbers appear in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JsonEncoding {
    /// As JSON numbers with every digit kept.
    Native,
    /// As strings of digits, for readers whose numbers are doubles.
    String,
}

/// A reference to another resource's `uid`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The name of the resource referred to.
    pub resource: String,
    /// What happens to this row when that one is deleted.
    pub on_delete: OnDelete,
}

/// What happens to a referring row when the row it refers to is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, std::default::Default)]
pub enum OnDelete {
    /// The deletion is refused (`restrict`).
    #[default]
    Restrict,
    /// The referring row goes too (`cascade`).
    Cascade,
    /// The reference becomes NULL (`set_null`).
    SetNull,
}

/// A regular expression that text must match; equal when its source is.
#[derive(Clone)]
pub struct Pattern(Arc<regex::Regex>);

impl Pattern {
    /// Compiles `source`, in the syntax of the `regex` crate; like JSON Schema's it is not anchored.
    ///
    /// # Errors
    /// What is wrong with the expression.
    pub fn new(source: &str) -> Result<Self, regex::Error> {
        regex::Regex::new(source).map(|regex| Self(Arc::new(regex)))
    }

    /// The expression as written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether `text` holds a match.
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({:?})", self.as_str())
    }
}
