//! A definition as somebody declared it, before it was checked: what TOML and the derive macro produce.
//!
//! Specs hold no decisions; defaults are filled in and mistakes are found by
//! [`ApiDefinition::build`](super::ApiDefinition::build).

use crate::definition::{JsonEncoding, OnDelete};
use crate::field_type::{FieldType, ScalarType};

/// An API as declared.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ApiSpec {
    /// `[api] title`.
    pub title: String,
    /// `[api] version`.
    pub version: String,
    /// `[api] description`.
    pub description: Option<String>,
    /// The resources, in order.
    pub resources: Vec<ResourceSpec>,
}

/// A resource as declared; absent options are `None`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ResourceSpec {
    /// Its name.
    pub name: String,
    /// `path`; the name where absent.
    pub path: Option<String>,
    /// `table`: `table` or `schema.table`; the name where absent.
    pub table: Option<String>,
    /// `description`.
    pub description: Option<String>,
    /// `page.default`.
    pub page_default: Option<u32>,
    /// `page.max`.
    pub page_max: Option<u32>,
    /// The declared fields, in order.
    pub fields: Vec<FieldSpec>,
    /// `unique = [["a","b"]]`.
    pub unique: Vec<Vec<String>>,
    /// `access`.
    pub access: AccessSpec,
    /// `aggregates`.
    pub aggregates: bool,
    /// `allow_rollback`.
    pub allow_rollback: bool,
    /// `require_if_match`.
    pub require_if_match: bool,
    /// `audit`.
    pub audit: AuditSpec,
}

/// A field as declared.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldSpec {
    /// Its name.
    pub name: String,
    /// `type`.
    pub ty: FieldType,
    /// `required`; a derived field that is not an `Option` is required.
    pub required: bool,
    /// `default`.
    pub default: DefaultSpec,
    /// `min`.
    pub min: Option<Literal>,
    /// `max`.
    pub max: Option<Literal>,
    /// `min_length`.
    pub min_length: Option<u32>,
    /// `max_length`.
    pub max_length: Option<u32>,
    /// `pattern`.
    pub pattern: Option<String>,
    /// `values`.
    pub values: Vec<String>,
    /// `precision`.
    pub precision: Option<u16>,
    /// `scale`.
    pub scale: Option<u16>,
    /// `unique`.
    pub unique: bool,
    /// `references`: a resource's name.
    pub references: Option<String>,
    /// `on_delete`.
    pub on_delete: Option<OnDelete>,
    /// `immutable`.
    pub immutable: bool,
    /// `read_only`.
    pub read_only: bool,
    /// `write_only`.
    pub write_only: bool,
    /// `read`.
    pub read: Option<RuleSpec>,
    /// `write`.
    pub write: Option<RuleSpec>,
    /// `column`; the name where absent.
    pub column: Option<String>,
    /// `json`.
    pub json: JsonEncoding,
    /// `db_type`.
    pub db_type: Option<String>,
    /// `description`.
    pub description: Option<String>,
    /// `example`.
    pub example: Option<Literal>,
}

impl FieldSpec {
    /// A field with no options.
    pub fn new(name: impl Into<String>, ty: FieldType) -> Self {
        Self {
            name: name.into(),
            ty,
            required: false,
            default: DefaultSpec::None,
            min: None,
            max: None,
            min_length: None,
            max_length: None,
            pattern: None,
            values: Vec::new(),
            precision: None,
            scale: None,
            unique: false,
            references: None,
            on_delete: None,
            immutable: false,
            read_only: false,
            write_only: false,
            read: None,
            write: None,
            column: None,
            json: JsonEncoding::Native,
            db_type: None,
            description: None,
            example: None,
        }
    }

    /// A text field with no options.
    pub fn text(name: impl Into<String>) -> Self {
        Self::new(name, FieldType::scalar(ScalarType::Text))
    }
}

/// A value as written in a definition: one JSON value as text, so that no digit of a number is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal(pub String);

impl Literal {
    /// The literal for a piece of text: a JSON string.
    pub fn text(text: &str) -> Self {
        Self(serde_json::Value::from(text).to_string())
    }
}

/// `default` as declared.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum DefaultSpec {
    /// Absent.
    #[default]
    None,
    /// A value.
    Literal(Literal),
    /// `{ database = true }`.
    Database,
}

/// `access` as declared.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AccessSpec {
    /// Who may read.
    pub read: Option<RuleSpec>,
    /// Who may create.
    pub create: Option<RuleSpec>,
    /// Who may update.
    pub update: Option<RuleSpec>,
    /// Who may delete.
    pub delete: Option<RuleSpec>,
}

/// A rule as declared.
#[derive(Debug, Clone, PartialEq)]
pub enum RuleSpec {
    /// A word (`anyone`, `owner`, `group:editors`) or a row filter (`status=eq.published`).
    One(String),
    /// A list: any of these.
    Any(Vec<RuleSpec>),
    /// `{ all = [ … ] }`: every one of these.
    All(Vec<RuleSpec>),
}

/// `audit` as declared.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AuditSpec {
    /// The column of `uid`; it cannot be absent.
    pub uid: Option<String>,
    /// The column of `created_at`.
    pub created_at: AuditColumn,
    /// The column of `last_updated_at`.
    pub last_updated_at: AuditColumn,
    /// The column of `creator_uid`.
    pub creator_uid: AuditColumn,
    /// The column of `last_updater_uid`.
    pub last_updater_uid: AuditColumn,
    /// `actor`: the type of the two `…_uid` columns of callers.
    pub actor: ActorType,
}

/// Where a stamp is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AuditColumn {
    /// In the column of its own name.
    #[default]
    Standard,
    /// In this column.
    Named(String),
    /// Nowhere: the table has no such column.
    Absent,
}

/// The type of `creator_uid` and `last_updater_uid`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ActorType {
    /// `text`, since a `sub` need not be a UUID.
    #[default]
    Text,
    /// `uuid`, where it always is.
    Uuid,
}
