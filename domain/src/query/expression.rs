//! Columns of an answer that are more than a field: renamed, cast, parts of JSON, aggregates.

use crate::definition::{JsonEncoding, ResourceDefinition};
use crate::field_type::{FieldType, ScalarType};

use super::{JsonResult, Operand};

/// A column under a name of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Column {
    /// Its name in the answer.
    pub name: String,
    /// What it holds.
    pub expression: Expression,
}

/// What a column of an answer holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Expression {
    /// A field, or a part of one.
    Operand(Operand),
    /// `::type`
    Cast(Box<Expression>, ScalarType),
    /// `.sum()` and its kin, over the rows of a group.
    Aggregate(Aggregate, Box<Expression>),
    /// `count()`: the rows of a group.
    CountRows,
}

/// Functions over the rows of a group; rows where their argument is NULL do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Aggregate {
    /// How many; `bigint`.
    Count,
    /// Of numbers: `bigint` of `integer`, `decimal` of `bigint` and `decimal`, `float` of `float`.
    Sum,
    /// Of numbers: `float` of `float`, else `decimal`.
    Avg,
    /// The smallest, of the argument's type.
    Min,
    /// The greatest, of the argument's type.
    Max,
}

impl Expression {
    /// Whether it is over the rows of a group.
    pub fn is_aggregate(&self) -> bool {
        match self {
            Self::Operand(_) => false,
            Self::Cast(inner, _) => inner.is_aggregate(),
            Self::Aggregate(..) | Self::CountRows => true,
        }
    }

    /// How its numbers appear in JSON: as those of the field do whose values they are, or are made of.
    pub fn json(&self, definition: &ResourceDefinition) -> JsonEncoding {
        match self {
            Self::Operand(Operand::Field(id)) => definition.field(*id).json,
            Self::Aggregate(Aggregate::Sum | Aggregate::Avg | Aggregate::Min | Aggregate::Max, inner) => {
                inner.json(definition)
            }
            Self::Operand(Operand::Json { .. })
            | Self::Cast(..)
            | Self::CountRows
            | Self::Aggregate(Aggregate::Count, _) => JsonEncoding::Native,
        }
    }

    /// The type of its values.
    pub fn ty(&self, definition: &ResourceDefinition) -> FieldType {
        match self {
            Self::Operand(operand) => operand.ty(definition),
            Self::Cast(_, scalar) => FieldType::scalar(*scalar),
            Self::CountRows | Self::Aggregate(Aggregate::Count, _) => FieldType::scalar(ScalarType::BigInt),
            Self::Aggregate(Aggregate::Min | Aggregate::Max, inner) => inner.ty(definition),
            Self::Aggregate(Aggregate::Sum, inner) => FieldType::scalar(match inner.ty(definition).scalar {
                ScalarType::Integer => ScalarType::BigInt,
                ScalarType::Float => ScalarType::Float,
                _ => ScalarType::Decimal,
            }),
            Self::Aggregate(Aggregate::Avg, inner) => FieldType::scalar(match inner.ty(definition).scalar {
                ScalarType::Float => ScalarType::Float,
                _ => ScalarType::Decimal,
            }),
        }
    }
}

impl Expression {
    /// What is looked at in the end, whatever is made of it; nothing for `count()`.
    pub fn operand(&self) -> Option<&Operand> {
        match self {
            Self::Operand(operand) => Some(operand),
            Self::Cast(inner, _) | Self::Aggregate(_, inner) => inner.operand(),
            Self::CountRows => None,
        }
    }
}

/// Whether values of a type can be cast: to `text` from everything, among numbers, from `text` and from JSON values to what they can hold,
/// and between points in time and their parts. A value that cannot follow is an error when the query is carried out.
pub const fn can_cast(from: FieldType, to: ScalarType) -> bool {
    use ScalarType::{
        BigInt, Boolean, Bytes, Date, Decimal, Float, Integer, Json, Text, Time, Timestamp, Uuid,
    };
    if matches!(to, Text) {
        return true;
    }
    if from.array {
        return false;
    }
    matches!(
        (from.scalar, to),
        (
            Integer | BigInt | Float | Decimal,
            Integer | BigInt | Float | Decimal
        ) | (
            Text,
            Integer | BigInt | Float | Decimal | Boolean | Uuid | Date | Time | Timestamp | Json
        ) | (Json, Integer | BigInt | Float | Decimal | Boolean | Json)
            | (Timestamp, Date | Time | Timestamp)
            | (Date, Timestamp | Date)
            | (Time, Time)
            | (Boolean, Boolean)
            | (Uuid, Uuid)
            | (Bytes, Bytes)
    )
}

impl Operand {
    /// The type of its values.
    pub fn ty(&self, definition: &ResourceDefinition) -> FieldType {
        match self {
            Self::Field(id) => definition.field(*id).ty,
            Self::Json { path, .. } => FieldType::scalar(match path.result {
                JsonResult::Json => ScalarType::Json,
                JsonResult::Text => ScalarType::Text,
            }),
        }
    }
}
