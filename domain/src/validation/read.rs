//! Typed values from the members of a body. What they may be beyond their type is not judged here.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::{MOST_VIOLATIONS, Pointer, Violation};
use crate::body::Members;
use crate::definition::{Field, ResourceDefinition};
use crate::field_type::{FieldType, ScalarType};
use crate::record::Record;
use crate::value::{Value, ValueError};

/// The longest name that a field can have.
const LONGEST_NAME_BYTES: usize = 63;

/// Reads every member as a value of its field.
///
/// What cannot be read is absent from the record and told in `violations`; so is a member that is no field.
pub fn read(
    definition: &Arc<ResourceDefinition>,
    members: &Members<'_>,
    violations: &mut Vec<Violation>,
) -> Record {
    let mut record = Record::new(Arc::clone(definition));
    for (name, text) in members {
        let Some(id) = definition.field_id(name) else {
            if violations.len() < MOST_VIOLATIONS {
                let pointer = Pointer::Key(&Pointer::Root, beginning(name));
                violations.push(Violation::new(&pointer, "unknown_field", unknown(definition)));
            }
            continue;
        };
        let field = definition.field(id);
        match Value::read_json(text, field.ty) {
            Ok(value) => record.put(id, value),
            Err(error) => explain(field, text, &error, violations),
        }
    }
    record
}

/// As much of an unknown name as tells which one it is; no field's name is longer.
fn beginning(name: &str) -> &str {
    &name[..name.floor_char_boundary(LONGEST_NAME_BYTES)]
}

fn unknown(definition: &ResourceDefinition) -> String {
    format!("{} has no such field", definition.name)
}

/// Names the elements of an array that are wrong, where it is they that are.
fn explain(field: &Field, text: &str, error: &ValueError, violations: &mut Vec<Violation>) {
    let pointer = Pointer::Key(&Pointer::Root, &field.name);
    let before = violations.len();
    if field.ty.array && field.ty.scalar != ScalarType::Json {
        explain_elements(text, field.ty.scalar, &pointer, violations);
    }
    if violations.len() == before {
        violations.push(Violation::new(&pointer, error.code(), error.to_string()));
    }
}

fn explain_elements(text: &str, scalar: ScalarType, pointer: &Pointer<'_>, violations: &mut Vec<Violation>) {
    let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(text) else {
        return;
    };
    for (index, element) in elements.into_iter().enumerate() {
        if violations.len() >= MOST_VIOLATIONS {
            return;
        }
        let pointer = Pointer::Index(pointer, index);
        if element.get().starts_with('[') {
            explain_elements(element.get(), scalar, &pointer, violations);
        } else if let Err(error) = Value::read_json(element.get(), FieldType::scalar(scalar)) {
            violations.push(Violation::new(&pointer, error.code(), error.to_string()));
        }
    }
}
