//! What the database has, but not as the definitions want it. Pure.
//!
//! Only what would make a request fail or change a value silently is told; a column may be wider than its field. The values in a
//! CHECK are not compared.

use rowstamp_domain::definition::{
    ApiDefinition, Default, Field, FieldId, OnDelete, Reference, ResourceDefinition,
};
use rowstamp_domain::field_type::ScalarType;

use super::inspect::{Found, FoundColumn, FoundTable};
use super::missing::{column_type, plain_name};
use crate::encode::Encoding;

/// One line for each difference, in the order of the definitions.
pub(super) fn differing(api: &ApiDefinition, found: &Found) -> Vec<String> {
    let mut list = Vec::new();
    let tables = api.resources.iter().zip(&found.tables);
    for (resource, table) in tables.filter_map(|(resource, table)| Some((resource, table.as_ref()?))) {
        for field in &resource.fields {
            if let Some(column) = table.columns.get(&field.column) {
                let name = format!("column {}.{}", plain_name(resource), field.column);
                list.extend(of_column(field, column, table.is_table).map(|what| format!("{name} {what}")));
            }
        }
        foreign_keys(api, resource, table, &mut list);
        unnamed_columns(resource, table, &mut list);
    }
    list
}

/// What is the matter with a column, most serious first; one thing is told.
fn of_column(field: &Field, column: &FoundColumn, in_table: bool) -> Option<String> {
    let holds = column
        .driver_type
        .as_ref()
        .is_none_or(|ty| Encoding::of(field.ty, false, ty).is_some());
    if !holds {
        return Some(format!("is {}, not {}", column.ty, column_type(field)));
    }
    if let Some(narrow) = narrower(field, &column.ty) {
        return Some(narrow);
    }
    // A view says nothing about these.
    if !in_table {
        return None;
    }
    if field.default == Default::Database && !column.has_default {
        return Some("has no DEFAULT, though its field is left to it".to_owned());
    }
    match (field.required, column.not_null) {
        (true, false) => Some("may be NULL, though its field is required".to_owned()),
        (false, true) => Some("must not be NULL, though its field is optional".to_owned()),
        _ => None,
    }
}

/// Where a column holds less than its field allows.
fn narrower(field: &Field, ty: &str) -> Option<String> {
    let bounds = |name: &str| -> Option<Vec<u32>> {
        let inner = ty.trim_end_matches("[]").strip_prefix(name)?.strip_suffix(')')?;
        inner
            .split(',')
            .map(|number| number.trim().parse().ok())
            .collect()
    };
    match field.ty.scalar {
        ScalarType::Decimal => {
            let [precision, scale] = bounds("numeric(")?[..] else {
                return None;
            };
            let fits = field.precision.is_some_and(|wanted| {
                let (wanted, wanted_scale) = (u32::from(wanted), u32::from(field.scale.unwrap_or(0)));
                wanted_scale <= scale
                    && wanted.saturating_sub(wanted_scale) <= precision.saturating_sub(scale)
            });
            (!fits).then(|| format!("is {ty}, not {}: it would round or refuse", column_type(field)))
        }
        ScalarType::Text => {
            let [length] = bounds("character varying(")?[..] else {
                return None;
            };
            let fits = field.max_length.is_some_and(|wanted| wanted <= length);
            (!fits).then(|| format!("is {ty}, which is shorter than its field"))
        }
        _ => None,
    }
}

fn foreign_keys(
    api: &ApiDefinition,
    resource: &ResourceDefinition,
    table: &FoundTable,
    list: &mut Vec<String>,
) {
    for field in &resource.fields {
        let Some(reference) = &field.references else {
            continue;
        };
        let Some(key) = table
            .foreign_keys
            .iter()
            .find(|key| *key.columns == [field.column.as_str()])
        else {
            continue;
        };
        let name = format!("foreign key of {}.{}", plain_name(resource), field.column);
        let target = api
            .resources
            .iter()
            .position(|resource| resource.name == reference.resource);
        if key.target != target {
            list.push(format!("{name} does not lead to {}", reference.resource));
        } else if !does(reference, &key.on_delete) {
            list.push(format!(
                "{name} does not do on deletion what its definition says ({})",
                words(reference.on_delete)
            ));
        }
    }
}

/// Whether a foreign key with PostgreSQL's letter (`confdeltype`) does what a reference says.
fn does(reference: &Reference, letter: &str) -> bool {
    match reference.on_delete {
        // NO ACTION refuses too, at the end of the statement.
        OnDelete::Restrict => matches!(letter, "r" | "a"),
        OnDelete::Cascade => letter == "c",
        OnDelete::SetNull => letter == "n",
    }
}

const fn words(on_delete: OnDelete) -> &'static str {
    match on_delete {
        OnDelete::Restrict => "restrict",
        OnDelete::Cascade => "cascade",
        OnDelete::SetNull => "set_null",
    }
}

/// Columns of nobody's that no INSERT can leave out.
fn unnamed_columns(resource: &ResourceDefinition, table: &FoundTable, list: &mut Vec<String>) {
    if !table.is_table {
        return;
    }
    let is_named = |name: &str| resource.fields.iter().any(|field| field.column == name);
    let mut names: Vec<&String> = table
        .columns
        .iter()
        .filter(|(name, column)| column.not_null && !column.has_default && !is_named(name))
        .map(|(name, _)| name)
        .collect();
    names.sort_unstable();
    list.extend(names.into_iter().map(|name| {
        format!(
            "column {}.{name} is in no definition, must not be NULL and has no DEFAULT: no row can be created",
            plain_name(resource)
        )
    }));
}

/// The fields by which a resource's read rule finds the rows of a caller, as far as equality does: without an index on them
/// every list would read the whole table.
pub(super) fn fields_of_read_rule(resource: &ResourceDefinition) -> Vec<FieldId> {
    let mut fields = Vec::new();
    rule::fields(&resource.access.read, &mut fields);
    fields
}

mod rule {
    use rowstamp_domain::access::AccessRule;
    use rowstamp_domain::definition::FieldId;
    use rowstamp_domain::query::{Comparison, Condition, Operand, Predicate, RuleValue};

    pub(super) fn fields(rule: &AccessRule, into: &mut Vec<FieldId>) {
        match rule {
            AccessRule::Owner(field) => into.push(*field),
            AccessRule::Rows(condition) => of_condition(condition, into),
            AccessRule::Any(rules) | AccessRule::All(rules) => {
                for rule in rules {
                    fields(rule, into);
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
}
