//! Fields by name, and the sets of them that are unique.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::{Mistakes, names};
use crate::definition::nearest::did_you_mean;
use crate::definition::{Field, FieldId, ResourceDefinition};

/// Fields by name; a name or column taken twice is a mistake of the later one.
pub(super) fn index(fields: &[Field], mistakes: &mut Mistakes) -> HashMap<String, FieldId, RandomState> {
    let mut by_name = HashMap::with_capacity_and_hasher(fields.len(), RandomState::default());
    let mut columns: HashMap<&str, &str> = HashMap::with_capacity(fields.len());
    // Stamps come first here, so that the declared field is the one told of.
    let (stamps, declared): (Vec<_>, Vec<_>) =
        fields.iter().zip(0..).partition(|(field, _)| field.is_audit());
    for (field, position) in stamps.into_iter().chain(declared) {
        if by_name.contains_key(&field.name) {
            // A stamp's name has been refused as such.
            if !names::AUDIT_NAMES.contains(&field.name.as_str()) {
                mistakes.add(
                    &["fields", &field.name],
                    "a field of this name is declared already",
                );
            }
            continue;
        }
        by_name.insert(field.name.clone(), FieldId::new(position));
        if let Some(other) = columns.insert(&field.column, &field.name) {
            let message = format!("the column `{}` is that of `{other}` already", field.column);
            if field.is_audit() {
                mistakes.add(&["audit", &field.name], message);
            } else {
                mistakes.add(&["fields", &field.name, "column"], message);
            }
        }
    }
    by_name
}

pub(super) fn unique_sets(
    declared: &[Vec<String>],
    definition: &ResourceDefinition,
    mistakes: &mut Mistakes,
) -> Vec<Vec<FieldId>> {
    let single = definition
        .field_ids()
        .filter(|id| definition.field(*id).unique)
        .map(|id| vec![id]);
    let mut sets: Vec<Vec<FieldId>> = single.collect();
    for (position, names) in declared.iter().enumerate() {
        let position = position.to_string();
        let keys = ["unique", position.as_str()];
        if names.is_empty() {
            mistakes.add(&keys, "expected at least one field name");
            continue;
        }
        let mut set = Vec::with_capacity(names.len());
        for name in names {
            match definition.field_id(name) {
                None => {
                    let known = definition.fields.iter().map(|field| field.name.as_str());
                    mistakes.add(
                        &keys,
                        format!("there is no field `{name}`{}", did_you_mean(name, known)),
                    );
                }
                Some(id) if set.contains(&id) => mistakes.add(&keys, format!("`{name}` is named twice")),
                Some(id) => set.push(id),
            }
        }
        let same = |other: &Vec<FieldId>| other.len() == set.len() && set.iter().all(|id| other.contains(id));
        if set.len() == names.len() {
            if set == [definition.audit.uid] || sets.iter().any(same) {
                mistakes.add(&keys, format!("{} is unique already", names.join(", ")));
            } else {
                sets.push(set);
            }
        }
    }
    sets
}
