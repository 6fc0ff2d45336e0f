//! Access rules: words, lists and row filters, checked against the resource they guard.

use std::collections::HashSet;

use super::Mistakes;
use crate::access::{Access, AccessRule};
use crate::definition::nearest::did_you_mean;
use crate::definition::spec::{AccessSpec, RuleSpec};
use crate::definition::{Default, FieldId, ResourceDefinition};
use crate::query::grammar;
use crate::query::{Condition, RuleValue};

const WORDS: [&str; 6] = ["anyone", "authenticated", "owner", "nobody", "group:", "scope:"];

/// The rules of a resource; what is not declared is for the authenticated.
pub(super) fn build_access(
    spec: &AccessSpec,
    definition: &ResourceDefinition,
    mistakes: &mut Mistakes,
) -> Access {
    let mut build = |operation, rule: &Option<RuleSpec>| match rule {
        None => AccessRule::Authenticated,
        Some(rule) => mistakes.within(&["access", operation], |mistakes| {
            let rule = build_rule(rule, &Subject::Rows { definition }, mistakes);
            if operation == "create" {
                check_new_rows(&rule, definition, mistakes);
            }
            rule
        }),
    };
    Access {
        read: build("read", &spec.read),
        create: build("create", &spec.create),
        update: build("update", &spec.update),
        delete: build("delete", &spec.delete),
    }
}

/// The rule of a field, which is about the caller alone.
pub(super) fn build_field_rule(
    rule: Option<&RuleSpec>,
    key: &str,
    mistakes: &mut Mistakes,
) -> Option<AccessRule> {
    let rule = rule?;
    Some(mistakes.within(&[key], |mistakes| build_rule(rule, &Subject::Field, mistakes)))
}

/// What a rule is about.
enum Subject<'a> {
    Rows { definition: &'a ResourceDefinition },
    Field,
}

fn build_rule(spec: &RuleSpec, subject: &Subject<'_>, mistakes: &mut Mistakes) -> AccessRule {
    match spec {
        RuleSpec::One(text) => build_word(text, subject, mistakes),
        RuleSpec::Any(rules) => AccessRule::Any(build_list(rules, &[], subject, mistakes)),
        RuleSpec::All(rules) => AccessRule::All(build_list(rules, &["all"], subject, mistakes)),
    }
}

fn build_list(
    rules: &[RuleSpec],
    keys: &[&str],
    subject: &Subject<'_>,
    mistakes: &mut Mistakes,
) -> Vec<AccessRule> {
    mistakes.within(keys, |mistakes| {
        if rules.is_empty() {
            mistakes.add(
                &[],
                "expected at least one rule; \"nobody\" is the rule that allows no one",
            );
        }
        let rules = rules.iter().enumerate();
        rules
            .map(|(position, rule)| {
                mistakes.within(&[&position.to_string()], |mistakes| {
                    build_rule(rule, subject, mistakes)
                })
            })
            .collect()
    })
}

fn build_word(text: &str, subject: &Subject<'_>, mistakes: &mut Mistakes) -> AccessRule {
    if let Some(rule) = rule_of_caller(text) {
        if let AccessRule::Group(name) | AccessRule::Scope(name) = &rule
            && name.is_empty()
        {
            mistakes.add(&[], format!("expected a name after `{text}`"));
        }
        return rule;
    }
    let is_filter = text.contains('=');
    match subject {
        Subject::Field if text == "owner" || is_filter => {
            mistakes.add(
                &[],
                "the rule of a field cannot depend on the row; expected a rule about the caller",
            );
        }
        Subject::Rows { definition } if text == "owner" => match definition.audit.creator_uid {
            Some(creator) => return AccessRule::Owner(creator),
            None => mistakes.add(&[], "nobody owns rows without a `creator_uid` column"),
        },
        Subject::Rows { definition } if is_filter => match grammar::parse_rule(text, definition) {
            Ok(condition) => return AccessRule::Rows(condition),
            Err(errors) => {
                for error in errors.0 {
                    mistakes.add(&[], error.to_string());
                }
            }
        },
        _ => {
            let filter = match subject {
                Subject::Rows { .. } => ", or a row filter such as \"status=eq.published\"",
                Subject::Field => "",
            };
            let owner = match subject {
                Subject::Rows { .. } => "owner, ",
                Subject::Field => "",
            };
            mistakes.add(
                &[],
                format!(
                    "unknown rule `{}`{}, expected anyone, authenticated, {owner}group:NAME, scope:NAME, nobody{filter}",
                    text.escape_debug(),
                    did_you_mean(text, WORDS),
                ),
            );
        }
    }
    AccessRule::Nobody
}

fn rule_of_caller(text: &str) -> Option<AccessRule> {
    Some(match text {
        "anyone" => AccessRule::Anyone,
        "authenticated" => AccessRule::Authenticated,
        "nobody" => AccessRule::Nobody,
        _ => match text.split_once(':')? {
            ("group", name) => AccessRule::Group(name.to_owned()),
            ("scope", name) => AccessRule::Scope(name.to_owned()),
            _ => return None,
        },
    })
}

/// A new row is judged before it is written, when what the database will fill in is not known yet.
fn check_new_rows(rule: &AccessRule, definition: &ResourceDefinition, mistakes: &mut Mistakes) {
    let mut read = HashSet::new();
    rule_fields(rule, &mut read);
    let mut unknown: Vec<FieldId> = read
        .into_iter()
        .filter(|id| definition.field(*id).default == Default::Database)
        .collect();
    unknown.sort_unstable();
    for id in unknown {
        mistakes.add(
            &[],
            format!(
                "`{}` is left to the database, so a rule for new rows cannot look at it",
                definition.field(id).name
            ),
        );
    }
}

fn rule_fields(rule: &AccessRule, fields: &mut HashSet<FieldId>) {
    match rule {
        AccessRule::Rows(condition) => condition_fields(condition, fields),
        AccessRule::Any(rules) | AccessRule::All(rules) => {
            for rule in rules {
                rule_fields(rule, fields);
            }
        }
        _ => {}
    }
}

fn condition_fields(condition: &Condition<RuleValue>, fields: &mut HashSet<FieldId>) {
    match condition {
        Condition::Always | Condition::Never | Condition::Embedded(_) => {}
        Condition::All(conditions) | Condition::Any(conditions) => {
            for condition in conditions {
                condition_fields(condition, fields);
            }
        }
        Condition::Not(condition) => condition_fields(condition, fields),
        Condition::Test(test) => {
            fields.insert(test.operand.field());
        }
    }
}
