//! Operations of every kind on a resource, with something harmless in the place of all that a request would bring.
//!
//! They are as demanding as requests can be: rules and preconditions that have to be judged, every column that can be given.

use std::sync::Arc;

use rowstamp_domain::definition::{Default, Field, FieldId, ResourceDefinition};
use rowstamp_domain::operation::{
    ConflictAction, Count, Delete, DeleteMany, Insert, List, Merge, NewRow, OnConflict, Operation,
    Precondition, Read, Replace, Representation, RowBound, Stamp, Update, UpdateMany,
};
use rowstamp_domain::query::{
    Comparison, Condition, Direction, Nulls, Operand, OrderTerm, Predicate, Query, Select, Test,
};
use rowstamp_domain::value::{Timestamp, Value};
use uuid::Uuid;

use super::rules::{is_for_nobody, is_given};

/// What stands in the place of everything that a request brings.
pub(super) struct StandIns<'a> {
    resource: &'a Arc<ResourceDefinition>,
    /// A condition that is neither always nor never true.
    condition: Condition,
    /// The rules of creation and of change.
    create: Condition,
    update: Condition,
    visible: Condition,
    select: Select,
    row: Representation,
    rows: Representation,
    stamp: Stamp,
}

impl<'a> StandIns<'a> {
    pub(super) fn of(resource: &'a Arc<ResourceDefinition>) -> Self {
        let condition = Condition::Test(Test {
            operand: Operand::Field(resource.audit.uid),
            predicate: Predicate::Compare(Comparison::Eq, Value::Uuid(Uuid::nil())),
        });
        // Whoever may write but not read is shown nothing.
        let shows = !is_for_nobody(&resource.access.read);
        let shown = |representation| {
            if shows {
                representation
            } else {
                Representation::Nothing
            }
        };
        // What only others may do is judged all the same, by PUT and upserts.
        let ruled = |rule| {
            if is_for_nobody(rule) {
                Condition::Never
            } else {
                condition.clone()
            }
        };
        Self {
            resource,
            create: ruled(&resource.access.create),
            update: ruled(&resource.access.update),
            visible: if shows {
                condition.clone()
            } else {
                Condition::Always
            },
            condition,
            select: if shows {
                resource.select_all().clone()
            } else {
                Select([].into())
            },
            row: shown(Representation::JsonObject),
            rows: shown(Representation::JsonArray),
            stamp: Stamp {
                now: Timestamp::from_micros_since_2000(0).expect("it is the year 2000"),
                actor: Value::Null,
            },
        }
    }

    pub(super) fn read(&self) -> Operation {
        Operation::Read(Read {
            resource: Arc::clone(self.resource),
            uid: Uuid::nil(),
            visible: self.visible.clone(),
            select: self.select.clone(),
            representation: self.row,
        })
    }

    pub(super) fn list(&self) -> Operation {
        Operation::List(List {
            resource: Arc::clone(self.resource),
            visible: self.visible.clone(),
            query: Query {
                after: None,
                select: self.select.clone(),
                condition: self.condition.clone(),
                order: vec![OrderTerm {
                    embed: None,
                    operand: Operand::Field(self.resource.audit.uid),
                    direction: Direction::Ascending,
                    nulls: Nulls::Last,
                }],
                limit: 1,
                offset: 0,
            },
            count: Count::Exact,
            look_ahead: true,
            representation: self.rows,
        })
    }

    pub(super) fn insert(&self, rows: usize, conflict: Option<OnConflict>) -> Insert {
        let columns: Vec<FieldId> = self.created().collect();
        Insert {
            resource: Arc::clone(self.resource),
            rows: vec![vec![Value::Null; columns.len()]; rows],
            columns,
            permitted: self.create.clone(),
            conflict,
            bound: RowBound::Any,
            visible: self.visible.clone(),
            select: self.select.clone(),
            representation: if rows == 1 { self.row } else { self.rows },
        }
    }

    pub(super) fn merge(&self) -> ConflictAction {
        ConflictAction::Merge(Box::new(Merge {
            set: self.changed().collect(),
            given: None,
            expect: Vec::new(),
            visible: self.visible.clone(),
            permitted: self.update.clone(),
            stamp: self.stamp.clone(),
        }))
    }

    pub(super) fn replace(&self) -> Operation {
        Operation::Replace(Replace {
            update: Update {
                // One that demands a row would leave nothing to be created.
                precondition: Precondition::None,
                ..self.update()
            },
            create: (self.create != Condition::Never).then(|| NewRow {
                values: self.created().map(|id| (id, Value::Null)).collect(),
                permitted: self.create.clone(),
            }),
        })
    }

    pub(super) fn update(&self) -> Update {
        Update {
            resource: Arc::clone(self.resource),
            uid: Uuid::nil(),
            visible: self.visible.clone(),
            permitted: self.update.clone(),
            set: self.set(),
            expect: Vec::new(),
            stamp: self.stamp.clone(),
            precondition: Precondition::VersionIn(vec![self.stamp.now]),
            select: self.select.clone(),
            representation: self.row,
        }
    }

    pub(super) fn update_many(&self) -> Operation {
        Operation::UpdateMany(UpdateMany {
            resource: Arc::clone(self.resource),
            condition: self.condition.clone(),
            visible: self.visible.clone(),
            permitted: self.update.clone(),
            set: self.set(),
            expect: Vec::new(),
            stamp: self.stamp.clone(),
            bound: RowBound::Any,
            select: self.select.clone(),
            representation: self.rows,
        })
    }

    pub(super) fn delete(&self) -> Operation {
        Operation::Delete(Delete {
            resource: Arc::clone(self.resource),
            uid: Uuid::nil(),
            visible: self.visible.clone(),
            permitted: self.condition.clone(),
            precondition: Precondition::VersionIn(vec![self.stamp.now]),
            select: self.select.clone(),
            representation: self.row,
        })
    }

    pub(super) fn delete_many(&self) -> Operation {
        Operation::DeleteMany(DeleteMany {
            resource: Arc::clone(self.resource),
            condition: self.condition.clone(),
            visible: self.visible.clone(),
            permitted: self.condition.clone(),
            bound: RowBound::Any,
            select: self.select.clone(),
            representation: self.rows,
        })
    }

    /// The columns that a new row can be given.
    fn created(&self) -> impl Iterator<Item = FieldId> {
        self.fields(|field| field.is_audit() || is_given(field) || matches!(field.default, Default::Value(_)))
    }

    /// The columns that a row can be given later, stamps apart.
    fn changed(&self) -> impl Iterator<Item = FieldId> {
        self.fields(|field| !field.is_audit() && is_given(field) && !field.immutable)
    }

    fn set(&self) -> Vec<(FieldId, Value)> {
        self.changed().map(|id| (id, Value::Null)).collect()
    }

    fn fields(&self, wanted: impl Fn(&Field) -> bool) -> impl Iterator<Item = FieldId> {
        let ids = self.resource.field_ids();
        ids.filter(move |id| wanted(self.resource.field(*id)))
    }
}
