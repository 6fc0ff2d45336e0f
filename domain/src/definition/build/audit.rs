//! The stamps as fields: around the declared ones, in the columns that the definition says.

use super::{Mistakes, names};
use crate::definition::spec::{ActorType, AuditColumn, AuditSpec};
use crate::definition::{AuditFields, Default, Field, FieldId, FieldRole, JsonEncoding};
use crate::field_type::{FieldType, ScalarType};

/// `uid`, the declared fields, then the other stamps.
pub(super) fn surround(
    declared: Vec<Field>,
    spec: &AuditSpec,
    mistakes: &mut Mistakes,
) -> (Vec<Field>, AuditFields) {
    let actor = match spec.actor {
        ActorType::Text => ScalarType::Text,
        ActorType::Uuid => ScalarType::Uuid,
    };
    let uid = spec.uid.clone().map_or(AuditColumn::Standard, AuditColumn::Named);
    let uid = stamp("uid", &uid, FieldRole::Uid, ScalarType::Uuid, mistakes)
        .expect("a column that is not declared absent is there");
    let mut fields = vec![uid];
    fields.extend(declared);

    let mut add = |name, column, role, ty| {
        let field = stamp(name, column, role, ty, mistakes)?;
        fields.push(field);
        u16::try_from(fields.len() - 1).ok().map(FieldId::new)
    };
    let audit = AuditFields {
        uid: FieldId::new(0),
        created_at: add(
            "created_at",
            &spec.created_at,
            FieldRole::CreatedAt,
            ScalarType::Timestamp,
        ),
        last_updated_at: add(
            "last_updated_at",
            &spec.last_updated_at,
            FieldRole::LastUpdatedAt,
            ScalarType::Timestamp,
        ),
        creator_uid: add("creator_uid", &spec.creator_uid, FieldRole::CreatorUid, actor),
        last_updater_uid: add(
            "last_updater_uid",
            &spec.last_updater_uid,
            FieldRole::LastUpdaterUid,
            actor,
        ),
    };
    (fields, audit)
}

fn stamp(
    name: &str,
    column: &AuditColumn,
    role: FieldRole,
    ty: ScalarType,
    mistakes: &mut Mistakes,
) -> Option<Field> {
    let column = match column {
        AuditColumn::Standard => name,
        AuditColumn::Named(column) => {
            if let Err(message) = names::check_identifier(column) {
                mistakes.add(&["audit", name], message);
            }
            column
        }
        AuditColumn::Absent => return None,
    };
    Some(Field {
        name: name.to_owned(),
        column: column.to_owned(),
        ty: FieldType::scalar(ty),
        role,
        // Nobody created what an anonymous caller created.
        required: !matches!(role, FieldRole::CreatorUid | FieldRole::LastUpdaterUid),
        default: Default::None,
        min: None,
        max: None,
        min_length: None,
        max_length: None,
        pattern: None,
        values: Vec::new(),
        precision: None,
        scale: None,
        unique: false,
        references: None,
        immutable: false,
        read_only: true,
        write_only: false,
        read: None,
        write: None,
        json: JsonEncoding::Native,
        db_type: None,
        description: None,
        example: None,
    })
}
