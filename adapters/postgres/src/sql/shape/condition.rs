//! The shape of conditions and of what they look at.

use rowstamp_domain::definition::ResourceDefinition;
use rowstamp_domain::field_type::FieldType;
use rowstamp_domain::query::{
    Comparison, Condition, IsTest, JsonResult, JsonStep, Operand, PatternKind, Predicate, Quantifier,
    SearchKind,
};

use super::{count, field};

pub(super) fn condition(condition_: &Condition, resource: &ResourceDefinition, key: &mut Vec<u8>) {
    match condition_ {
        Condition::Always => key.push(0),
        Condition::Never => key.push(1),
        Condition::All(parts) => joint(2, parts, resource, key),
        Condition::Any(parts) => joint(3, parts, resource, key),
        Condition::Not(inner) => {
            key.push(4);
            condition(inner, resource, key);
        }
        // The embed itself is told with the columns.
        Condition::Embedded(position) => {
            key.push(5);
            count(*position, key);
        }
        Condition::Test(test) => {
            predicate(&test.predicate, test.operand.ty(resource), key);
            operand(&test.operand, key);
        }
    }
}

fn joint(word: u8, parts: &[Condition], resource: &ResourceDefinition, key: &mut Vec<u8>) {
    key.push(word);
    count(parts.len(), key);
    for part in parts {
        condition(part, resource, key);
    }
}

/// Keys and indexes of a path are parameters, and only of which kind each is, is told.
pub(super) fn operand(operand: &Operand, key: &mut Vec<u8>) {
    field(operand.field(), key);
    match operand {
        Operand::Field(_) => key.push(0),
        Operand::Json { path, .. } => {
            key.push(match path.result {
                JsonResult::Json => 1,
                JsonResult::Text => 2,
            });
            count(path.steps.len(), key);
            for step in path.steps.iter() {
                key.push(match step {
                    JsonStep::Key(_) => 0,
                    JsonStep::Index(_) => 1,
                });
            }
        }
    }
}

fn predicate(predicate: &Predicate, ty: FieldType, key: &mut Vec<u8>) {
    match predicate {
        Predicate::Compare(sign, _) => {
            key.push(10);
            key.push(comparison(*sign));
        }
        Predicate::In(values) => {
            key.push(16);
            if ty.array {
                count(values.len(), key);
            }
        }
        Predicate::IsDistinct(_) => key.push(17),
        Predicate::Is(is) => key.push(match is {
            IsTest::Null => 20,
            IsTest::NotNull => 21,
            IsTest::True => 22,
            IsTest::False => 23,
            IsTest::Unknown => 24,
        }),
        Predicate::CompareEach(sign, quantifier_, values) => {
            key.extend_from_slice(&[25, comparison(*sign), quantifier(*quantifier_)]);
            if ty.array {
                count(values.len(), key);
            }
        }
        Predicate::Matches(kind, _) => key.extend_from_slice(&[26, pattern(*kind)]),
        Predicate::MatchesEach(kind, quantifier_, _) => {
            key.extend_from_slice(&[27, pattern(*kind), quantifier(*quantifier_)]);
        }
        Predicate::Search { kind, config, .. } => {
            key.push(28);
            key.push(match kind {
                SearchKind::Query => 0,
                SearchKind::Plain => 1,
                SearchKind::Phrase => 2,
                SearchKind::Web => 3,
            });
            let name = config.map_or("", |config| config.name());
            count(name.len(), key);
            key.extend_from_slice(name.as_bytes());
        }
        Predicate::Contains(_) => key.push(29),
        Predicate::ContainedIn(_) => key.push(30),
        Predicate::Overlaps(_) => key.push(31),
    }
}

const fn comparison(comparison: Comparison) -> u8 {
    match comparison {
        Comparison::Eq => 0,
        Comparison::Neq => 1,
        Comparison::Gt => 2,
        Comparison::Gte => 3,
        Comparison::Lt => 4,
        Comparison::Lte => 5,
    }
}

const fn quantifier(quantifier: Quantifier) -> u8 {
    match quantifier {
        Quantifier::Any => 0,
        Quantifier::All => 1,
    }
}

const fn pattern(kind: PatternKind) -> u8 {
    match kind {
        PatternKind::Like => 0,
        PatternKind::ILike => 1,
        PatternKind::Regex => 2,
        PatternKind::IRegex => 3,
    }
}
