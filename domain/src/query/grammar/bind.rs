//! Names and values given their fields and types, and what is not served refused by name.
//!
//! What may be read by whom is the caller's knowledge; it is asked for each field.

use super::error::{QueryError, QueryErrorKind, excerpt};
use super::syntax::{self, Joint, Name, Operand as Text, Tree};
use crate::definition::nearest::did_you_mean;
use crate::definition::{Field, FieldId, ResourceDefinition};
use crate::field_type::{FieldType, ScalarType};
use crate::query::{
    Comparison, Condition, Direction, IsTest, LikeCase, Nulls, Operand, OrderTerm, Predicate, Select,
    SelectItem, Test,
};
use crate::value::Value;

/// How the values of a condition are read.
pub(super) trait Values {
    /// What a condition holds.
    type Value;

    /// A value for `field`, or what was expected.
    fn value(&self, text: &str, field: &Field) -> Result<Self::Value, String>;

    /// A pattern of `like`, in SQL's form.
    fn pattern(&self, pattern: &str) -> Result<Self::Value, String>;
}

/// Values as they are written.
pub(super) struct Plain;

impl Values for Plain {
    type Value = Value;

    fn value(&self, text: &str, field: &Field) -> Result<Value, String> {
        read_value(text, field)
    }

    fn pattern(&self, pattern: &str) -> Result<Value, String> {
        read_pattern(pattern)
    }
}

pub(super) fn read_pattern(pattern: &str) -> Result<Value, String> {
    Value::read_text(pattern, FieldType::scalar(ScalarType::Text)).map_err(|error| error.to_string())
}

/// `text` as a value of the field's type; an enum's must be one of its own.
pub(super) fn read_value(text: &str, field: &Field) -> Result<Value, String> {
    let value = Value::read_text(text, field.ty).map_err(|error| error.to_string())?;
    if field.ty.scalar == ScalarType::Enum && !is_member(&value, field) {
        return Err(format!(
            "expected one of {}, found {:?}",
            field.values.join(", "),
            excerpt(text)
        ));
    }
    Ok(value)
}

fn is_member(value: &Value, field: &Field) -> bool {
    match value {
        Value::Text(text) => field.values.contains(text),
        Value::Array(elements) => elements.iter().all(|element| is_member(element, field)),
        _ => true,
    }
}

/// Gives names and values their meaning, and collects what has none.
pub(super) struct Binder<'a, R, V> {
    pub(super) definition: &'a ResourceDefinition,
    pub(super) readable: R,
    pub(super) values: V,
    pub(super) errors: Vec<QueryError>,
}

impl<R: Fn(FieldId) -> bool, V: Values> Binder<'_, R, V> {
    /// A part with a mistake becomes `Always`; nobody sees it, since there are errors then.
    pub(super) fn tree(&mut self, tree: &Tree<'_>) -> Condition<V::Value> {
        match tree {
            Tree::Filter(name, operation) => self.filter(name, operation),
            Tree::Branch {
                negated,
                joint,
                children,
            } => self.branch(*negated, *joint, children),
        }
    }

    pub(super) fn branch(
        &mut self,
        negated: bool,
        joint: Joint,
        children: &[Tree<'_>],
    ) -> Condition<V::Value> {
        let children = children.iter().map(|child| self.tree(child));
        let condition = match joint {
            Joint::And => Condition::all(children),
            Joint::Or => Condition::any(children),
        };
        if negated { condition.negate() } else { condition }
    }

    pub(super) fn filter(
        &mut self,
        name: &Name<'_>,
        operation: &syntax::Operation<'_>,
    ) -> Condition<V::Value> {
        let Some(id) = self.field(name, &name.field) else {
            return Condition::Always;
        };
        match self.predicate(self.definition.field(id), operation) {
            Ok(Some(predicate)) => {
                let condition = Condition::Test(Test {
                    operand: Operand::Field(id),
                    predicate,
                });
                if operation.negated {
                    condition.negate()
                } else {
                    condition
                }
            }
            // Nothing is in an empty list.
            Ok(None) if operation.negated => Condition::Always,
            Ok(None) => Condition::Never,
            Err(error) => {
                self.errors.push(*error);
                Condition::Always
            }
        }
    }

    fn predicate(
        &self,
        field: &Field,
        operation: &syntax::Operation<'_>,
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
                    LikeCase::Sensitive
                } else {
                    LikeCase::Insensitive
                };
                Ok(Some(Predicate::Like { pattern, case }))
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

    /// `order`, with `uid` as the last term where it is not there already.
    pub(super) fn order(&mut self, terms: &[syntax::OrderTerm<'_>]) -> Vec<OrderTerm> {
        let mut order: Vec<OrderTerm> = Vec::with_capacity(terms.len() + 1);
        for term in terms {
            if term.embedded {
                self.errors.push(QueryError::unsupported(
                    "order",
                    "ordering by an embedded resource is",
                ));
                continue;
            }
            let Some(id) = self.field(&term.name, "order") else {
                continue;
            };
            let operand = Operand::Field(id);
            // The first mention decides; a later one could not order anything.
            if order.iter().any(|known| known.operand == operand) {
                continue;
            }
            let (direction, usual) = if term.descending {
                (Direction::Descending, Nulls::First)
            } else {
                (Direction::Ascending, Nulls::Last)
            };
            let nulls = match term.nulls_first {
                None => usual,
                Some(true) => Nulls::First,
                Some(false) => Nulls::Last,
            };
            order.push(OrderTerm {
                operand,
                direction,
                nulls,
            });
        }
        append_uid(&mut order, self.definition);
        order
    }

    /// The columns, each once and in the order of its first mention; all that may be read where none is named.
    pub(super) fn select(&mut self, items: &[syntax::SelectItem<'_>]) -> Select {
        if let [] | [syntax::SelectItem::Star] = items {
            return self.definition.select_readable(&self.readable);
        }
        let mut columns = Vec::with_capacity(items.len());
        let mut seen = vec![false; self.definition.fields.len()];
        let mut add = |columns: &mut Vec<SelectItem>, id: FieldId| {
            if !std::mem::replace(&mut seen[id.index()], true) {
                columns.push(SelectItem::Field(id));
            }
        };
        for item in items {
            match item {
                syntax::SelectItem::Star => {
                    for item in self.definition.select_readable(&self.readable).0.iter() {
                        let SelectItem::Field(id) = item;
                        add(&mut columns, *id);
                    }
                }
                syntax::SelectItem::Column {
                    alias,
                    name,
                    cast,
                    aggregate,
                } => {
                    let unsupported = [
                        (aggregate.is_some(), "aggregates are"),
                        (alias.is_some(), "renaming columns is"),
                        (cast.is_some(), "casting columns is"),
                    ];
                    if let Some((_, what)) = unsupported.into_iter().find(|(given, _)| *given) {
                        self.errors.push(QueryError::unsupported("select", what));
                    } else if let Some(id) = self.field(name, "select") {
                        add(&mut columns, id);
                    }
                }
                syntax::SelectItem::Embed(name) => {
                    let what = format!("embedding (`{}`) is", excerpt(name));
                    self.errors.push(QueryError::unsupported("select", &what));
                }
            }
        }
        Select(columns.into())
    }

    fn field(&mut self, name: &Name<'_>, parameter: &str) -> Option<FieldId> {
        if !name.json_path.is_empty() {
            self.errors
                .push(QueryError::unsupported(parameter, "JSON paths are"));
            return None;
        }
        match self.definition.field_id(&name.field) {
            None => {
                self.errors
                    .push(unknown_field(&name.field, parameter, self.definition));
                None
            }
            Some(id) if !(self.readable)(id) => {
                let field = name.field.clone().into_owned();
                let message = format!("`{field}` may not be read");
                self.errors.push(QueryError::new(
                    QueryErrorKind::NotReadable { field },
                    parameter,
                    message,
                ));
                None
            }
            Some(id) => Some(id),
        }
    }
}

impl<R, V> Binder<'_, R, V> {
    /// A parameter that is neither reserved nor a field, whatever its value.
    pub(super) fn unknown_parameter(&mut self, name: &Name<'_>, parameter: &str) {
        self.errors
            .push(unknown_field(&name.field, parameter, self.definition));
    }
}

pub(super) fn append_uid(order: &mut Vec<OrderTerm>, definition: &ResourceDefinition) {
    let operand = Operand::Field(definition.audit.uid);
    if !order.iter().any(|term| term.operand == operand) {
        order.push(OrderTerm {
            operand,
            direction: Direction::Ascending,
            nulls: Nulls::Last,
        });
    }
}

fn unknown_field(name: &str, parameter: &str, definition: &ResourceDefinition) -> QueryError {
    let field = excerpt(name).into_owned();
    let message = format!("`{}` has no field `{}`", definition.name, field.escape_debug());
    let error = QueryError::new(QueryErrorKind::UnknownField { field }, parameter, message);
    let known = definition
        .fields
        .iter()
        .filter(|field| field.read.is_none() && !field.write_only);
    let guess = did_you_mean(name, known.map(|field| field.name.as_str()));
    if guess.is_empty() {
        error
    } else {
        error.with_hint(guess.trim_start_matches("; "))
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
