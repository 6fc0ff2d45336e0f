//! Columns of an answer that are more than a field, of one row or over the rows of a group.

use std::cmp::Ordering;

use rowstamp_domain::definition::ResourceDefinition;
use rowstamp_domain::field_type::ScalarType;
use rowstamp_domain::query::{Aggregate, Expression};
use rowstamp_domain::value::{Decimal, Value};
use rowstamp_ports::{QueryFault, StoreError};

use crate::cast::{cast, decimal};
use crate::condition::operand;
use crate::number;

/// What an expression is for a row, or NULL where there is no row.
pub(crate) fn of_row(expression: &Expression, row: Option<&[Value]>) -> Result<Value, StoreError> {
    match expression {
        Expression::Operand(wanted) => Ok(row.map_or(Value::Null, |row| operand(wanted, row))),
        Expression::Cast(inner, to) => cast(of_row(inner, row)?, *to),
        Expression::Aggregate(..) | Expression::CountRows => Err(StoreError::Internal),
    }
}

/// What an expression with an aggregate is for the rows of a group, some of which may be missing.
pub(crate) fn of_group(
    resource: &ResourceDefinition,
    expression: &Expression,
    rows: &[Option<&[Value]>],
) -> Result<Value, StoreError> {
    match expression {
        Expression::Operand(_) => of_row(expression, rows.first().copied().flatten()),
        Expression::Cast(inner, to) => cast(of_group(resource, inner, rows)?, *to),
        Expression::CountRows => count(rows.len()),
        Expression::Aggregate(function, inner) => {
            let mut values = Vec::with_capacity(rows.len());
            for row in rows {
                let value = of_row(inner, *row)?;
                if !value.is_null() {
                    values.push(value);
                }
            }
            aggregate(*function, inner.ty(resource).scalar, values)
        }
    }
}

fn aggregate(function: Aggregate, ty: ScalarType, values: Vec<Value>) -> Result<Value, StoreError> {
    if function == Aggregate::Count {
        return count(values.len());
    }
    if values.is_empty() {
        return Ok(Value::Null);
    }
    let result = match function {
        Aggregate::Count => None,
        Aggregate::Min => extreme(values, Ordering::Less),
        Aggregate::Max => extreme(values, Ordering::Greater),
        Aggregate::Sum if ty == ScalarType::Float => Some(Value::Float(floats(&values).sum())),
        #[expect(clippy::cast_precision_loss, reason = "PostgreSQL counts in floats too")]
        Aggregate::Avg if ty == ScalarType::Float => {
            Some(Value::Float(floats(&values).sum::<f64>() / values.len() as f64))
        }
        Aggregate::Sum => number::sum(&decimals(&values)).and_then(|sum| match ty {
            ScalarType::Integer => cast(Value::Decimal(sum), ScalarType::BigInt).ok(),
            _ => Some(Value::Decimal(sum)),
        }),
        Aggregate::Avg => number::mean(&decimals(&values)).map(Value::Decimal),
    };
    result.ok_or(StoreError::InvalidQuery(QueryFault::Value))
}

fn count(rows: usize) -> Result<Value, StoreError> {
    i64::try_from(rows)
        .map(Value::BigInt)
        .map_err(|_| StoreError::Internal)
}

/// The first of the values than which none is more extreme.
fn extreme(values: Vec<Value>, direction: Ordering) -> Option<Value> {
    values.into_iter().reduce(|best, value| {
        if value.compare(&best) == Some(direction) {
            value
        } else {
            best
        }
    })
}

fn floats(values: &[Value]) -> impl Iterator<Item = f64> {
    values.iter().filter_map(|value| match value {
        Value::Float(number) => Some(*number),
        _ => None,
    })
}

fn decimals(values: &[Value]) -> Vec<Decimal> {
    values.iter().filter_map(decimal).collect()
}
