//! Conditions, orders and column lists as text that reads back as the same.
//!
//! It prints what the grammar can say; a comparison with NULL, which nobody can write, is not among that.

use std::fmt::Write as _;

use crate::definition::ResourceDefinition;
use crate::query::{
    Comparison, Condition, Direction, IsTest, Nulls, Operand, OrderTerm, PatternKind, Predicate, Query,
    Select, SelectItem, Test,
};
use crate::value::Value;

impl Query {
    /// The query as parameters that [`Query::parse`] reads back, not yet percent-encoded.
    pub fn to_parameters(&self, definition: &ResourceDefinition) -> Vec<(String, String)> {
        let mut parameters = vec![("select".to_owned(), self.select.to_text(definition))];
        if self.condition != Condition::Always {
            parameters.push(condition_parameter(&self.condition, definition));
        }
        parameters.push(("order".to_owned(), order_text(&self.order, definition)));
        parameters.push(("limit".to_owned(), self.limit.to_string()));
        if self.offset > 0 {
            parameters.push(("offset".to_owned(), self.offset.to_string()));
        }
        parameters
    }
}

impl Select {
    /// The columns as the value of `select=`.
    pub fn to_text(&self, definition: &ResourceDefinition) -> String {
        let names = self.0.iter().map(|item| match item {
            SelectItem::Field(id) => definition.field(*id).name.as_str(),
            SelectItem::Column(_) | SelectItem::Embed(_) => todo!(),
        });
        names.collect::<Vec<_>>().join(",")
    }
}

impl Condition {
    /// The condition as it stands inside `and=(…)`, such as `not.or(pages.gt.5,status.eq.draft)`.
    pub fn to_text(&self, definition: &ResourceDefinition) -> String {
        let mut text = String::new();
        write_condition(self, false, definition, &mut text);
        text
    }
}

fn order_text(order: &[OrderTerm], definition: &ResourceDefinition) -> String {
    let mut text = String::new();
    for term in order {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(operand_name(&term.operand, definition));
        text.push_str(match (term.direction, term.nulls) {
            (Direction::Ascending, Nulls::Last) => ".asc",
            (Direction::Ascending, Nulls::First) => ".asc.nullsfirst",
            (Direction::Descending, Nulls::First) => ".desc",
            (Direction::Descending, Nulls::Last) => ".desc.nullslast",
        });
    }
    text
}

/// As one parameter: `and=(…)`, `not.or=(…)`, or a field's.
fn condition_parameter(condition: &Condition, definition: &ResourceDefinition) -> (String, String) {
    let text = condition.to_text(definition);
    for key in ["and", "or", "not.and", "not.or"] {
        if let Some(value) = text.strip_prefix(key).filter(|value| value.starts_with('(')) {
            return (key.to_owned(), value.to_owned());
        }
    }
    // Alone, since a field's own parameter has no quotes.
    ("and".to_owned(), format!("({text})"))
}

fn write_condition(condition: &Condition, negated: bool, definition: &ResourceDefinition, text: &mut String) {
    match (condition, negated) {
        (Condition::Not(inner), _) => write_condition(inner, !negated, definition, text),
        (Condition::Never, false) | (Condition::Always, true) => write_nothing(false, definition, text),
        (Condition::Always, false) | (Condition::Never, true) => write_nothing(true, definition, text),
        (Condition::All(list), _) => write_branch("and", list, negated, definition, text),
        (Condition::Any(list), _) => write_branch("or", list, negated, definition, text),
        (Condition::Embedded(_), _) => todo!(),
        (Condition::Test(test), _) => write_test(test, negated, definition, text),
    }
}

/// `uid.in.()` matches nothing.
fn write_nothing(negated: bool, definition: &ResourceDefinition, text: &mut String) {
    text.push_str(&definition.field(definition.audit.uid).name);
    text.push_str(if negated { ".not.in.()" } else { ".in.()" });
}

fn write_branch(
    word: &str,
    conditions: &[Condition],
    negated: bool,
    definition: &ResourceDefinition,
    text: &mut String,
) {
    if conditions.is_empty() {
        return write_nothing((word == "and") != negated, definition, text);
    }
    if negated {
        text.push_str("not.");
    }
    text.push_str(word);
    for (position, condition) in conditions.iter().enumerate() {
        text.push(if position == 0 { '(' } else { ',' });
        write_condition(condition, false, definition, text);
    }
    text.push(')');
}

fn write_test(test: &Test, negated: bool, definition: &ResourceDefinition, text: &mut String) {
    text.push_str(operand_name(&test.operand, definition));
    text.push_str(if negated { ".not." } else { "." });
    match &test.predicate {
        Predicate::Compare(comparison, value) => {
            text.push_str(match comparison {
                Comparison::Eq => "eq.",
                Comparison::Neq => "neq.",
                Comparison::Gt => "gt.",
                Comparison::Gte => "gte.",
                Comparison::Lt => "lt.",
                Comparison::Lte => "lte.",
            });
            write_value(value, text);
        }
        Predicate::In(values) => {
            text.push_str("in.(");
            for (position, value) in values.iter().enumerate() {
                if position > 0 {
                    text.push(',');
                }
                write_value(value, text);
            }
            text.push(')');
        }
        Predicate::Is(is) => text.push_str(match is {
            IsTest::Null => "is.null",
            IsTest::NotNull => "is.not_null",
            IsTest::True => "is.true",
            IsTest::False => "is.false",
            IsTest::Unknown => "is.unknown",
        }),
        Predicate::IsDistinct(value) => {
            text.push_str("isdistinct.");
            write_value(value, text);
        }
        Predicate::CompareEach(..)
        | Predicate::MatchesEach(..)
        | Predicate::Search { .. }
        | Predicate::Contains(_)
        | Predicate::ContainedIn(_)
        | Predicate::Overlaps(_) => todo!(),
        Predicate::Matches(case, pattern) => {
            text.push_str(match case {
                PatternKind::Like => "like.",
                PatternKind::ILike => "ilike.",
                PatternKind::Regex => "match.",
                PatternKind::IRegex => "imatch.",
            });
            write_value(pattern, text);
        }
    }
}

fn operand_name<'a>(operand: &Operand, definition: &'a ResourceDefinition) -> &'a str {
    match operand {
        Operand::Field(id) => &definition.field(*id).name,
        Operand::Json { .. } => todo!(),
    }
}

/// A value in quotes, unless it is plain.
fn write_value(value: &Value, text: &mut String) {
    let mut bare = String::new();
    value.write_text(&mut bare);
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_.:+/".contains(character);
    if !bare.is_empty() && bare.chars().all(plain) {
        text.push_str(&bare);
        return;
    }
    text.push('"');
    for character in bare.chars() {
        if matches!(character, '"' | '\\') {
            text.push('\\');
        }
        let _ = text.write_char(character);
    }
    text.push('"');
}
