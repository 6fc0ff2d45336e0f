//! Operators given their meaning for a field.

use super::super::error::{QueryError, QueryErrorKind};
use super::super::syntax::{Operand as Text, Operation};
use super::{Binder, Values};
use crate::definition::Field;
use crate::field_type::{FieldType, ScalarType};
use crate::query::{Comparison, IsTest, PatternKind, Predicate};

impl<R, V: Values> Binder<'_, R, V> {
    /// What is asked of the field; nothing where its value would have to be in an empty list.
    pub(super) fn predicate(
        &self,
        field: &Field,
        operation: &Operation<'_>,
    ) -> Result<Option<Predicate<V::Value>>, Box<QueryError>> {
        if operation.modifier.is_some() {
            let what = "(any), (all) and languages after an operator are";
            return Err(QueryError::unsupported(&field.name, what).into());
        }
        let bad_value = |expected: String| -> Box<QueryError> {
            let kind = QueryErrorKind::Value {
                field: field.name.clone(),
            };
            QueryError::new(kind, &field.name, format!("invalid value for `{}`", field.name))
                .with_details(expected)
                .into()
        };
        let one = match &operation.operand {
            Text::One(text) => text.as_ref(),
            Text::List(list) if list.is_empty() => return Ok(None),
            Text::List(list) => {
                let values: Result<_, _> = list.iter().map(|text| self.values.value(text, field)).collect();
                return Ok(Some(Predicate::In(values.map_err(bad_value)?)));
            }
        };
        let compare = |comparison| {
            let value = self.values.value(one, field).map_err(bad_value)?;
            Ok(Some(Predicate::Compare(comparison, value)))
        };
        match operation.operator {
            "eq" => compare(Comparison::Eq),
            "neq" => compare(Comparison::Neq),
            "gt" => compare(Comparison::Gt),
            "gte" => compare(Comparison::Gte),
            "lt" => compare(Comparison::Lt),
            "lte" => compare(Comparison::Lte),
            "is" => is_test(one, field).map(|test| Some(Predicate::Is(test))),
            "isdistinct" => {
                let value = self.values.value(one, field).map_err(bad_value)?;
                Ok(Some(Predicate::IsDistinct(value)))
            }
            "like" | "ilike" => {
                if field.ty != FieldType::scalar(ScalarType::Text) {
                    return Err(wrong_type(field, operation.operator, "text").into());
                }
                if one.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1 {
                    return Err(bad_value(
                        "a pattern may not end with a lone backslash".to_owned(),
                    ));
                }
                let pattern = self.values.pattern(&one.replace('*', "%")).map_err(bad_value)?;
                let case = if operation.operator == "like" {
                    PatternKind::Like
                } else {
                    PatternKind::ILike
                };
                Ok(Some(Predicate::Matches(case, pattern)))
            }
            "sl" | "sr" | "nxr" | "nxl" | "adj" => {
                let message = format!(
                    "the operator `{}` is for ranges, and there are no range types",
                    operation.operator
                );
                Err(QueryError::new(QueryErrorKind::Unsupported, &field.name, message).into())
            }
            other => Err(QueryError::unsupported(&field.name, &format!("the operator `{other}` is")).into()),
        }
    }
}

fn is_test(text: &str, field: &Field) -> Result<IsTest, Box<QueryError>> {
    let words = [
        ("null", IsTest::Null),
        ("not_null", IsTest::NotNull),
        ("true", IsTest::True),
        ("false", IsTest::False),
        ("unknown", IsTest::Unknown),
    ];
    let Some((_, test)) = words
        .into_iter()
        .find(|(word, _)| text.eq_ignore_ascii_case(word))
    else {
        let expected = "isVal: (null, not_null, true, false, unknown)";
        return Err(QueryError::syntax(&field.name, "filter", text, 0, expected).into());
    };
    let is_boolean = field.ty == FieldType::scalar(ScalarType::Boolean);
    if matches!(test, IsTest::Null | IsTest::NotNull) || is_boolean {
        Ok(test)
    } else {
        Err(wrong_type(field, &format!("is.{text}"), "boolean").into())
    }
}

fn wrong_type(field: &Field, operator: &str, types: &str) -> QueryError {
    let kind = QueryErrorKind::Operator {
        field: field.name.clone(),
    };
    let message = format!(
        "`{operator}` is for {types}, and `{}` is {}",
        field.name, field.ty
    );
    QueryError::new(kind, &field.name, message)
}
