//! The shape of an operation: everything its SQL depends on and nothing else, as a few bytes.
//!
//! Values leave no trace here but for their number where each becomes a parameter of its own, and limits that stand in the text.

use std::sync::Arc;

use rowstamp_domain::definition::FieldId;
use rowstamp_domain::field_type::FieldType;
use rowstamp_domain::operation::{Count, List, Operation, Precondition, Representation};
use rowstamp_domain::query::{
    Comparison, Condition, Direction, IsTest, Nulls, Operand, PatternKind, Predicate, Select, SelectItem,
};
use rowstamp_domain::value::Value;

/// Writes the shape of `operation`. Two operations of equal shape have the same SQL.
///
/// The resource is told by its address: whoever keeps a shape keeps the definition too, so that the address is not
/// given to another.
pub(super) fn write(operation: &Operation, key: &mut Vec<u8>) {
    key.clear();
    let resource = operation.resource();
    key.extend_from_slice(&(Arc::as_ptr(resource) as usize).to_ne_bytes());
    let ty = |field: FieldId| resource.field(field).ty;
    match operation {
        Operation::Read(read) => {
            key.push(0);
            select(&read.select, read.representation, key);
            condition(&read.visible, &ty, key);
        }
        Operation::List(op) => list(op, &ty, key),
        Operation::Insert(insert) => {
            key.push(if insert.rows.len() == 1 { 2 } else { 3 });
            select(&insert.select, insert.representation, key);
            count(insert.columns.len(), key);
            for column in &insert.columns {
                field(*column, key);
            }
            condition(&insert.permitted, &ty, key);
            condition(&insert.visible, &ty, key);
        }
        Operation::Update(update) => {
            key.push(4);
            item_update(update, &ty, key);
        }
        Operation::Replace(replace) => {
            key.push(5);
            item_update(&replace.update, &ty, key);
            match &replace.create {
                None => key.push(0),
                Some(create) => {
                    key.push(1);
                    fields(&create.values, key);
                    condition(&create.permitted, &ty, key);
                }
            }
        }
        Operation::UpdateMany(_) | Operation::DeleteMany(_) => unimplemented!(),
        Operation::Delete(delete) => {
            key.push(6);
            select(&delete.select, delete.representation, key);
            condition(&delete.visible, &ty, key);
            condition(&delete.permitted, &ty, key);
            precondition(&delete.precondition, key);
        }
    }
}

fn list(list: &List, ty: &impl Fn(FieldId) -> FieldType, key: &mut Vec<u8>) {
    key.push(1);
    select(&list.query.select, list.representation, key);
    condition(&list.visible, ty, key);
    condition(&list.query.condition, ty, key);
    count(list.query.order.len(), key);
    for term in &list.query.order {
        field(term.operand.field(), key);
        key.push(match (term.direction, term.nulls) {
            (Direction::Ascending, Nulls::First) => 0,
            (Direction::Ascending, Nulls::Last) => 1,
            (Direction::Descending, Nulls::First) => 2,
            (Direction::Descending, Nulls::Last) => 3,
        });
    }
    key.push(match list.count {
        Count::None => 0,
        Count::Exact => 1,
        Count::Planned => 2,
        Count::Estimated { .. } => 3,
    });
    key.push(u8::from(list.query.offset > 0));
    match super::read::limit_in_text(list) {
        None => key.push(0),
        Some(limit) => {
            key.push(1);
            key.extend_from_slice(&limit.to_ne_bytes());
        }
    }
}

fn item_update(
    update: &rowstamp_domain::operation::Update,
    ty: &impl Fn(FieldId) -> FieldType,
    key: &mut Vec<u8>,
) {
    select(&update.select, update.representation, key);
    condition(&update.visible, ty, key);
    condition(&update.permitted, ty, key);
    fields(&update.set, key);
    fields(&update.expect, key);
    precondition(&update.precondition, key);
}

/// Numbers are written in two bytes; more columns or parts than that cannot be.
fn count(number: usize, key: &mut Vec<u8>) {
    key.extend_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_ne_bytes());
}

fn field(id: FieldId, key: &mut Vec<u8>) {
    key.extend_from_slice(&id.number().to_ne_bytes());
}

fn fields(values: &[(FieldId, Value)], key: &mut Vec<u8>) {
    count(values.len(), key);
    for (id, _) in values {
        field(*id, key);
    }
}

fn select(select: &Select, representation: Representation, key: &mut Vec<u8>) {
    if representation == Representation::Nothing {
        key.push(0);
        return;
    }
    key.push(1);
    count(select.0.len(), key);
    for item in select.0.iter() {
        let SelectItem::Field(id) = item else {
            unimplemented!()
        };
        field(*id, key);
    }
}

fn precondition(precondition: &Precondition, key: &mut Vec<u8>) {
    key.push(match precondition {
        Precondition::None => 0,
        Precondition::Exists => 1,
        Precondition::VersionIn(_) => 2,
        Precondition::Absent => 3,
    });
}

fn condition(condition_: &Condition, ty: &impl Fn(FieldId) -> FieldType, key: &mut Vec<u8>) {
    match condition_ {
        Condition::Always => key.push(0),
        Condition::Never => key.push(1),
        Condition::All(parts) => {
            key.push(2);
            count(parts.len(), key);
            for part in parts {
                condition(part, ty, key);
            }
        }
        Condition::Any(parts) => {
            key.push(3);
            count(parts.len(), key);
            for part in parts {
                condition(part, ty, key);
            }
        }
        Condition::Not(inner) => {
            key.push(4);
            condition(inner, ty, key);
        }
        Condition::Embedded(_) => unimplemented!(),
        Condition::Test(test) => {
            let Operand::Field(id) = test.operand else {
                unimplemented!()
            };
            predicate(&test.predicate, ty(id), key);
            field(id, key);
        }
    }
}

fn predicate(predicate: &Predicate, ty: FieldType, key: &mut Vec<u8>) {
    match predicate {
        Predicate::Compare(comparison, _) => key.push(match comparison {
            Comparison::Eq => 10,
            Comparison::Neq => 11,
            Comparison::Gt => 12,
            Comparison::Gte => 13,
            Comparison::Lt => 14,
            Comparison::Lte => 15,
        }),
        Predicate::In(values) => {
            key.push(16);
            if ty.array {
                count(values.len(), key);
            }
        }
        Predicate::Is(is) => key.push(match is {
            IsTest::Null => 20,
            IsTest::NotNull => 21,
            IsTest::True => 22,
            IsTest::False => 23,
            IsTest::Unknown => 24,
        }),
        Predicate::IsDistinct(_) => key.push(17),
        Predicate::CompareEach(..)
        | Predicate::MatchesEach(..)
        | Predicate::Search { .. }
        | Predicate::Contains(_)
        | Predicate::ContainedIn(_)
        | Predicate::Overlaps(_) => unimplemented!(),
        Predicate::Matches(case, _) => key.push(match case {
            PatternKind::Like => 18,
            PatternKind::ILike => 19,
            PatternKind::Regex => 25,
            PatternKind::IRegex => 26,
        }),
    }
}
