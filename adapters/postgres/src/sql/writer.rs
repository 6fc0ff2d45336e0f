//! Collects a statement's text and its parameters in one pass, so that the two cannot part.
//!
//! Where the text is known already, the same pass collects the parameters alone.

use std::fmt::Write as _;

use rowstamp_domain::definition::{Field, ResourceDefinition};
use rowstamp_domain::field_type::{FieldType, ScalarType};
use tokio_postgres::types::Type;

use super::quote;
use crate::params::Param;

/// A statement in the making.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    text: Option<Text>,
    params: Vec<Param<'a>>,
    aliases: usize,
}

/// What a row is called in a statement: `t` is the row that the operation is about, `e1`, `e2`, … are others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Alias(usize);

impl Alias {
    /// The row that the operation is about.
    pub(crate) const ROOT: Self = Self(0);
}

#[derive(Debug, Default)]
struct Text {
    sql: String,
    types: Vec<Type>,
}

/// The number of a parameter: 1 is `$1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number(pub(crate) usize);

impl<'a> Writer<'a> {
    /// Collects text, types and parameters.
    pub(crate) fn with_text() -> Self {
        Self {
            text: Some(Text::default()),
            params: Vec::new(),
            aliases: 0,
        }
    }

    /// Collects parameters only.
    pub(crate) fn params_only() -> Self {
        Self {
            text: None,
            params: Vec::with_capacity(16),
            aliases: 0,
        }
    }

    /// Whether text is wanted; a caller may skip what has no parameters in it.
    pub(crate) const fn wants_text(&self) -> bool {
        self.text.is_some()
    }

    pub(crate) fn push(&mut self, sql: &str) {
        if let Some(text) = &mut self.text {
            text.sql.push_str(sql);
        }
    }

    /// Adds a parameter without mentioning it yet.
    pub(crate) fn param(&mut self, param: Param<'a>, ty: Type) -> Number {
        self.params.push(param);
        if let Some(text) = &mut self.text {
            text.types.push(ty);
        }
        Number(self.params.len())
    }

    /// Mentions a parameter.
    pub(crate) fn number(&mut self, number: Number) {
        if let Some(text) = &mut self.text {
            let _ = write!(text.sql, "${}", number.0);
        }
    }

    /// Mentions a numbered name, such as `c3`.
    pub(crate) fn indexed(&mut self, name: &str, index: usize) {
        if let Some(text) = &mut self.text {
            let _ = write!(text.sql, "{name}{index}");
        }
    }

    pub(crate) fn identifier(&mut self, name: &str) {
        if let Some(text) = &mut self.text {
            quote::identifier(name, &mut text.sql);
        }
    }

    /// The table's name.
    pub(crate) fn table(&mut self, resource: &ResourceDefinition) {
        if let Some(text) = &mut self.text {
            table(resource, &mut text.sql);
        }
    }

    /// A name that no other row of the statement has.
    pub(crate) const fn new_alias(&mut self) -> Alias {
        self.aliases += 1;
        Alias(self.aliases)
    }

    /// Mentions a row by its name.
    pub(crate) fn alias(&mut self, alias: Alias) {
        match alias {
            Alias::ROOT => self.push("t"),
            Alias(number) => self.indexed("e", number),
        }
    }

    /// A column of the row `t`.
    pub(crate) fn column(&mut self, field: &Field) {
        self.column_of(Alias::ROOT, field);
    }

    /// A column of a row.
    pub(crate) fn column_of(&mut self, alias: Alias, field: &Field) {
        if self.wants_text() {
            self.alias(alias);
            self.push(".");
            self.identifier(&field.column);
        }
    }

    /// A column of a row by its number, such as `e2.c3`.
    pub(crate) fn numbered_of(&mut self, alias: Alias, index: usize) {
        self.alias(alias);
        self.indexed(".c", index);
    }

    /// A cast to the column's own type, where that is not the one that parameters have.
    pub(crate) fn cast_in(&mut self, field: &Field) {
        if let (Some(text), Some(db_type)) = (&mut self.text, &field.db_type) {
            text.sql.push_str("::");
            db_type_name(db_type, field.ty.array, &mut text.sql);
        }
    }

    /// A cast to the field's plain type, where the column's own is one that the driver would have to ask about.
    pub(crate) fn cast_out(&mut self, field: &Field) {
        if field.db_type.is_some() {
            self.push("::");
            self.push(sql_type(field.ty.scalar));
            if field.ty.array {
                self.push("[]");
            }
        }
    }

    /// Where the text stands now; see [`Writer::repeat`].
    pub(crate) fn mark(&self) -> usize {
        self.text.as_ref().map_or(0, |text| text.sql.len())
    }

    /// Writes once more what was written between two marks, parameters and all.
    pub(crate) fn repeat(&mut self, from: usize, to: usize) {
        if let Some(text) = &mut self.text {
            text.sql.extend_from_within(from..to);
        }
    }

    pub(crate) fn into_params(self) -> Vec<Param<'a>> {
        self.params
    }

    /// Text and parameter types, where they were wanted.
    pub(crate) fn into_text(self) -> Option<(String, Vec<Type>)> {
        self.text.map(|text| (text.sql, text.types))
    }
}

/// Appends a table's name.
pub(crate) fn table(resource: &ResourceDefinition, sql: &mut String) {
    if let Some(schema) = &resource.table.schema {
        quote::identifier(schema, sql);
        sql.push('.');
    }
    quote::identifier(&resource.table.table, sql);
}

/// Appends the type that a definition names for a column; for an array field it is the type of the elements.
pub(crate) fn db_type_name(db_type: &str, array: bool, sql: &mut String) {
    quote::qualified(db_type.trim_end_matches("[]"), sql);
    if array {
        sql.push_str("[]");
    }
}

/// The SQL name of a scalar type.
pub(crate) const fn sql_type(scalar: ScalarType) -> &'static str {
    match scalar {
        ScalarType::Text | ScalarType::Enum => "text",
        ScalarType::Integer => "integer",
        ScalarType::BigInt => "bigint",
        ScalarType::Float => "double precision",
        ScalarType::Decimal => "numeric",
        ScalarType::Boolean => "boolean",
        ScalarType::Uuid => "uuid",
        ScalarType::Date => "date",
        ScalarType::Time => "time",
        ScalarType::Timestamp => "timestamptz",
        ScalarType::Json => "jsonb",
        ScalarType::Bytes => "bytea",
    }
}

/// The type that a parameter for a field has.
pub(crate) const fn param_type(ty: FieldType) -> Type {
    if ty.array {
        array_type(ty.scalar)
    } else {
        scalar_type(ty.scalar)
    }
}

const fn scalar_type(scalar: ScalarType) -> Type {
    match scalar {
        ScalarType::Text | ScalarType::Enum => Type::TEXT,
        ScalarType::Integer => Type::INT4,
        ScalarType::BigInt => Type::INT8,
        ScalarType::Float => Type::FLOAT8,
        ScalarType::Decimal => Type::NUMERIC,
        ScalarType::Boolean => Type::BOOL,
        ScalarType::Uuid => Type::UUID,
        ScalarType::Date => Type::DATE,
        ScalarType::Time => Type::TIME,
        ScalarType::Timestamp => Type::TIMESTAMPTZ,
        ScalarType::Json => Type::JSONB,
        ScalarType::Bytes => Type::BYTEA,
    }
}

/// The type of a parameter that holds many values of a scalar type.
pub(crate) const fn array_type(scalar: ScalarType) -> Type {
    match scalar {
        ScalarType::Text | ScalarType::Enum => Type::TEXT_ARRAY,
        ScalarType::Integer => Type::INT4_ARRAY,
        ScalarType::BigInt => Type::INT8_ARRAY,
        ScalarType::Float => Type::FLOAT8_ARRAY,
        ScalarType::Decimal => Type::NUMERIC_ARRAY,
        ScalarType::Boolean => Type::BOOL_ARRAY,
        ScalarType::Uuid => Type::UUID_ARRAY,
        ScalarType::Date => Type::DATE_ARRAY,
        ScalarType::Time => Type::TIME_ARRAY,
        ScalarType::Timestamp => Type::TIMESTAMPTZ_ARRAY,
        ScalarType::Json => Type::JSONB_ARRAY,
        ScalarType::Bytes => Type::BYTEA_ARRAY,
    }
}
