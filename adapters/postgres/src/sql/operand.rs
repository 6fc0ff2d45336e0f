//! What conditions, orders and columns look at: a field, or a part of a JSON value.

use rowstamp_domain::definition::{Field, ResourceDefinition};
use rowstamp_domain::query::{Aggregate, Expression, JsonResult, JsonStep, Operand};
use tokio_postgres::types::Type;

use super::condition::{self, Row};
use super::writer::{Writer, sql_type};
use crate::params::Param;

/// The field that an operand is, where it is one as a whole.
pub(super) fn whole_field<'s>(resource: &'s ResourceDefinition, operand: &Operand) -> Option<&'s Field> {
    match operand {
        Operand::Field(id) => Some(resource.field(*id)),
        Operand::Json { .. } => None,
    }
}

/// Writes an operand as it is compared. The keys and indexes of a path are parameters.
pub(super) fn write<'a>(
    w: &mut Writer<'a>,
    resource: &ResourceDefinition,
    operand: &'a Operand,
    row: &Row<'_>,
) {
    let Operand::Json { field, path } = operand else {
        return condition::operand(w, resource, operand.field(), row);
    };
    w.push("(");
    condition::operand(w, resource, *field, row);
    let last = path.steps.len().saturating_sub(1);
    for (index, step) in path.steps.iter().enumerate() {
        w.push(if index == last && path.result == JsonResult::Text {
            "->>"
        } else {
            "->"
        });
        let number = match step {
            JsonStep::Key(key) => w.param(Param::Text(key), Type::TEXT),
            JsonStep::Index(index) => w.param(Param::Integer(*index), Type::INT4),
        };
        w.number(number);
    }
    w.push(")");
}

/// Writes an expression without aggregates as it is compared.
pub(super) fn write_expression<'a>(
    w: &mut Writer<'a>,
    resource: &ResourceDefinition,
    expression: &'a Expression,
    row: &Row<'_>,
) {
    match expression {
        Expression::Operand(operand) => write(w, resource, operand, row),
        Expression::Cast(inner, scalar) => {
            write_expression(w, resource, inner, row);
            w.push("::");
            w.push(sql_type(*scalar));
        }
        // Aggregates are written over the columns of a group.
        Expression::Aggregate(_, inner) => write_expression(w, resource, inner, row),
        Expression::CountRows => w.push("true"),
    }
}

/// The field whose own type an expression has in the database.
pub(super) fn typed_field<'s>(
    resource: &'s ResourceDefinition,
    expression: &Expression,
) -> Option<&'s Field> {
    match expression {
        Expression::Operand(operand) => whole_field(resource, operand),
        Expression::Aggregate(Aggregate::Min | Aggregate::Max, inner) => typed_field(resource, inner),
        Expression::Cast(..) | Expression::Aggregate(..) | Expression::CountRows => None,
    }
}
