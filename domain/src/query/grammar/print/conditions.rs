//! Conditions and what they look at as text.

use super::embed_at;
use crate::definition::ResourceDefinition;
use crate::query::{
    Comparison, Condition, IsTest, JsonResult, JsonStep, Operand, PatternKind, Predicate, Quantifier,
    SearchKind, Select, Test,
};
use crate::value::Value;

pub(super) fn write_condition(
    condition: &Condition,
    negated: bool,
    definition: &ResourceDefinition,
    select: &Select,
    text: &mut String,
) {
    match (condition, negated) {
        (Condition::Not(inner), _) => write_condition(inner, !negated, definition, select, text),
        (Condition::Never, false) | (Condition::Always, true) => write_nothing(false, definition, text),
        (Condition::Always, false) | (Condition::Never, true) => write_nothing(true, definition, text),
        (Condition::All(list), _) => write_branch("and", list, negated, definition, select, text),
        (Condition::Any(list), _) => write_branch("or", list, negated, definition, select, text),
        (Condition::Embedded(position), _) => {
            if let Some(embed) = embed_at(select, *position) {
                write_name(&embed.name, text);
            }
            text.push_str(if negated { ".is.null" } else { ".not.is.null" });
        }
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
    select: &Select,
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
        write_condition(condition, false, definition, select, text);
    }
    text.push(')');
}

fn write_test(test: &Test, negated: bool, definition: &ResourceDefinition, text: &mut String) {
    write_operand(&test.operand, definition, text);
    text.push_str(if negated { ".not." } else { "." });
    match &test.predicate {
        Predicate::Compare(comparison, value) => {
            text.push_str(comparison_name(*comparison));
            text.push('.');
            write_value(value, text);
        }
        Predicate::CompareEach(comparison, quantifier, values) => {
            text.push_str(comparison_name(*comparison));
            write_each(*quantifier, values, text);
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
        Predicate::Matches(kind, pattern) => {
            text.push_str(pattern_name(*kind));
            text.push('.');
            write_value(pattern, text);
        }
        Predicate::MatchesEach(kind, quantifier, patterns) => {
            text.push_str(pattern_name(*kind));
            write_each(*quantifier, patterns, text);
        }
        Predicate::Search { kind, config, words } => {
            text.push_str(match kind {
                SearchKind::Query => "fts",
                SearchKind::Plain => "plfts",
                SearchKind::Phrase => "phfts",
                SearchKind::Web => "wfts",
            });
            if let Some(config) = config {
                text.push('(');
                text.push_str(config.name());
                text.push(')');
            }
            text.push('.');
            write_value(words, text);
        }
        Predicate::Contains(value) => {
            text.push_str("cs.");
            write_value(value, text);
        }
        Predicate::ContainedIn(value) => {
            text.push_str("cd.");
            write_value(value, text);
        }
        Predicate::Overlaps(value) => {
            text.push_str("ov.");
            write_value(value, text);
        }
    }
}

const fn comparison_name(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Eq => "eq",
        Comparison::Neq => "neq",
        Comparison::Gt => "gt",
        Comparison::Gte => "gte",
        Comparison::Lt => "lt",
        Comparison::Lte => "lte",
    }
}

const fn pattern_name(kind: PatternKind) -> &'static str {
    match kind {
        PatternKind::Like => "like",
        PatternKind::ILike => "ilike",
        PatternKind::Regex => "match",
        PatternKind::IRegex => "imatch",
    }
}

/// `(any).{a,b}`
fn write_each(quantifier: Quantifier, values: &[Value], text: &mut String) {
    text.push_str(match quantifier {
        Quantifier::Any => "(any).",
        Quantifier::All => "(all).",
    });
    write_value(&Value::Array(values.to_vec()), text);
}

pub(super) fn write_operand(operand: &Operand, definition: &ResourceDefinition, text: &mut String) {
    write_name(&definition.field(operand.field()).name, text);
    let Operand::Json { path, .. } = operand else {
        return;
    };
    for (position, step) in path.steps.iter().enumerate() {
        let is_last = position + 1 == path.steps.len();
        text.push_str(if is_last && path.result == JsonResult::Text {
            "->>"
        } else {
            "->"
        });
        match step {
            JsonStep::Index(index) => text.push_str(&index.to_string()),
            JsonStep::Key(key) => {
                let begins_plainly =
                    key.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
                if begins_plainly
                    && key
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                {
                    text.push_str(key);
                } else {
                    write_quoted(key, text);
                }
            }
        }
    }
}

/// A name, in quotes unless nothing in it could mean something else.
pub(super) fn write_name(name: &str, text: &mut String) {
    const WORDS: [&str; 8] = ["and", "or", "not", "order", "limit", "offset", "inner", "left"];
    let is_plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_plain && !name.is_empty() && name != "count" && !WORDS.contains(&name) {
        text.push_str(name);
    } else {
        write_quoted(name, text);
    }
}

/// A value in quotes, unless it is plain.
fn write_value(value: &Value, text: &mut String) {
    let mut bare = String::new();
    value.write_text(&mut bare);
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_.:+/".contains(character);
    if !bare.is_empty() && bare.chars().all(plain) {
        text.push_str(&bare);
    } else {
        write_quoted(&bare, text);
    }
}

fn write_quoted(bare: &str, text: &mut String) {
    text.push('"');
    for character in bare.chars() {
        if matches!(character, '"' | '\\') {
            text.push('\\');
        }
        text.push(character);
    }
    text.push('"');
}
