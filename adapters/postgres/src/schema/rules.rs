//! What access rules say of a resource as a whole: whether an operation is for anybody, and which fields decide whose a row is.

use rowstamp_domain::access::AccessRule;
use rowstamp_domain::definition::{Field, FieldId, ResourceDefinition};
use rowstamp_domain::query::{Comparison, Condition, Operand, Predicate, RuleValue};

/// Whether a rule lets nobody in, whoever asks.
pub(super) fn is_for_nobody(rule: &AccessRule) -> bool {
    match rule {
        AccessRule::Nobody => true,
        AccessRule::Any(rules) => rules.iter().all(is_for_nobody),
        AccessRule::All(rules) => rules.iter().any(is_for_nobody),
        _ => false,
    }
}

/// Whether a caller can give the field a value.
pub(super) const fn is_given(field: &Field) -> bool {
    !field.read_only && !matches!(&field.write, Some(AccessRule::Nobody))
}

/// The fields by which rules find the rows of a caller among all, as far as equality does: those of lists by the rule of reading, those of
/// changes and deletions of many rows by their own rules too. Without an index on them each would read the whole table.
pub(super) fn fields_of_rules(resource: &ResourceDefinition) -> Vec<FieldId> {
    let access = &resource.access;
    let mut fields = Vec::new();
    for rule in [&access.read, &access.update, &access.delete] {
        of_rule(rule, &mut fields);
    }
    fields
}

fn of_rule(rule: &AccessRule, into: &mut Vec<FieldId>) {
    match rule {
        AccessRule::Owner(field) => into.push(*field),
        AccessRule::Rows(condition) => of_condition(condition, into),
        AccessRule::Any(rules) | AccessRule::All(rules) => {
            for rule in rules {
                of_rule(rule, into);
            }
        }
        AccessRule::Anyone
        | AccessRule::Authenticated
        | AccessRule::Group(_)
        | AccessRule::Scope(_)
        | AccessRule::Nobody => {}
    }
}

/// A value that is the same for every caller selects too many rows for an index to help.
fn of_condition(condition: &Condition<RuleValue>, into: &mut Vec<FieldId>) {
    match condition {
        Condition::All(conditions) | Condition::Any(conditions) => {
            for condition in conditions {
                of_condition(condition, into);
            }
        }
        Condition::Test(test) => {
            if let (
                Operand::Field(field),
                Predicate::Compare(Comparison::Eq, RuleValue::Subject | RuleValue::Claim(_)),
            ) = (&test.operand, &test.predicate)
            {
                into.push(*field);
            }
        }
        _ => {}
    }
}
