//! Names of types in casts: Rowstamp's own, and those that PostgreSQL's users type.

use super::super::error::{QueryError, QueryErrorKind, excerpt};
use crate::definition::ResourceDefinition;
use crate::field_type::{FieldType, ScalarType};
use crate::query::{Aggregate, Expression, can_cast};

/// The type of this name, however its letters are written.
fn named(name: &str) -> Option<ScalarType> {
    let words: Vec<String> = name
        .split_ascii_whitespace()
        .map(str::to_ascii_lowercase)
        .collect();
    Some(match words.join(" ").as_str() {
        "text" | "varchar" | "character varying" => ScalarType::Text,
        "integer" | "int" | "int4" => ScalarType::Integer,
        "bigint" | "int8" => ScalarType::BigInt,
        "float" | "float8" | "double precision" => ScalarType::Float,
        "decimal" | "numeric" => ScalarType::Decimal,
        "boolean" | "bool" => ScalarType::Boolean,
        "uuid" => ScalarType::Uuid,
        "date" => ScalarType::Date,
        "time" | "time without time zone" => ScalarType::Time,
        "timestamp" | "timestamptz" | "timestamp with time zone" => ScalarType::Timestamp,
        "json" | "jsonb" => ScalarType::Json,
        "bytes" | "bytea" => ScalarType::Bytes,
        _ => return None,
    })
}

/// `expression::name`
pub(super) fn cast(
    expression: Expression,
    name: &str,
    definition: &ResourceDefinition,
) -> Result<Expression, Box<QueryError>> {
    let Some(to) = named(name) else {
        let message = format!("there is no type {:?} to cast to", excerpt(name));
        let hint = "text, integer, bigint, float, decimal, boolean, uuid, date, time, timestamp, json and bytes are types";
        return Err(QueryError::new(QueryErrorKind::UnknownType, "select", message)
            .with_hint(hint)
            .into());
    };
    let from = expression.ty(definition);
    if can_cast(from, to) {
        return Ok(Expression::Cast(Box::new(expression), to));
    }
    let message = format!("{from} cannot be cast to {}", to.name());
    Err(QueryError::new(QueryErrorKind::Cast, "select", message).into())
}

/// `expression.sum()` and its kin.
pub(super) fn aggregate(
    aggregate: Aggregate,
    expression: Expression,
    definition: &ResourceDefinition,
) -> Result<Expression, Box<QueryError>> {
    let ty = expression.ty(definition);
    let (word, fits) = match aggregate {
        Aggregate::Count => ("count()", true),
        Aggregate::Sum => ("sum()", is_number(ty)),
        Aggregate::Avg => ("avg()", is_number(ty)),
        Aggregate::Min => ("min()", has_extremes(ty)),
        Aggregate::Max => ("max()", has_extremes(ty)),
    };
    if fits {
        return Ok(Expression::Aggregate(aggregate, Box::new(expression)));
    }
    let name = expression
        .operand()
        .map(|operand| definition.field(operand.field()).name.clone())
        .unwrap_or_default();
    let message = format!("`{word}` is not for {ty}, which `{name}` is");
    Err(QueryError::new(QueryErrorKind::Operator { field: name }, "select", message).into())
}

const fn is_number(ty: FieldType) -> bool {
    use ScalarType::{BigInt, Decimal, Float, Integer};
    !ty.array && matches!(ty.scalar, Integer | BigInt | Float | Decimal)
}

/// Whether PostgreSQL 15 has `min` and `max` of the type.
const fn has_extremes(ty: FieldType) -> bool {
    use ScalarType::{Date, Enum, Text, Time, Timestamp};
    is_number(ty) || (!ty.array && matches!(ty.scalar, Text | Enum | Date | Time | Timestamp))
}
