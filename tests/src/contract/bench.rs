//! What a clause works with: a store with empty tables, and operations that say only what the clause is about.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use rowstamp_domain::caller::Caller;
use rowstamp_domain::definition::{ApiDefinition, FieldId, ResourceDefinition};
use rowstamp_domain::operation::{
    ConflictAction, Count, Delete, DeleteMany, Insert, List, Merge, NewRow, OnConflict, Operation, Outcome,
    Precondition, Read, Replace, Representation, RowBound, Rows, Stamp, Update, UpdateMany, Verdict,
};
use rowstamp_domain::query::{
    Comparison, Condition, Direction, Nulls, Operand, OrderTerm, Predicate, Query, Select, SelectItem, Test,
};
use rowstamp_domain::record::Record;
use rowstamp_domain::value::{Timestamp, Value};
use rowstamp_ports::{RecordStore, StoreContext, StoreError, UnitOfWork};
use serde_json::Value as Json;
use uuid::Uuid;

use super::library;

/// Makes stores for clauses, each with tables of its own.
#[async_trait]
pub trait StoreFactory: Sized + Send + 'static {
    /// A store with an empty table for each resource of `api`, for one test alone.
    async fn open(api: Arc<ApiDefinition>) -> Self;

    /// The store.
    fn store(&self) -> Arc<dyn RecordStore>;

    /// Removes what `open` made; called also when the test failed.
    async fn close(self);
}

/// Runs one clause against one store, and removes the store's tables whatever comes of it.
///
/// # Panics
/// When the clause does not hold.
pub async fn run<F, C, R>(clause: C)
where
    F: StoreFactory,
    C: FnOnce(Bench) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let api = library();
    let factory = F::open(Arc::clone(&api)).await;
    let bench = Bench {
        api,
        store: factory.store(),
    };
    // A task of its own, so that a panic comes back as an error and the tables are removed all the same.
    let result = tokio::spawn(async move { clause(bench).await }).await;
    factory.close().await;
    if let Err(error) = result {
        std::panic::resume_unwind(error.into_panic());
    }
}

/// A store with empty tables, and how to ask it things.
#[derive(Clone)]
pub struct Bench {
    /// The definitions of [`library`].
    pub api: Arc<ApiDefinition>,
    /// The store at hand.
    pub store: Arc<dyn RecordStore>,
}

impl std::fmt::Debug for Bench {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bench")
    }
}

/// A uid for each number, in the order of the numbers.
pub const fn uid(number: u128) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number)
}

/// 2026-01-01, and so many microseconds.
pub fn at(micros: i64) -> Timestamp {
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().expect("this is a timestamp");
    start.plus_micros(micros)
}

/// Nobody in particular, and no hurry.
pub fn context() -> StoreContext {
    StoreContext {
        deadline: None,
        caller: Arc::new(Caller::anonymous()),
        room: None,
        meter: Arc::default(),
    }
}

/// A context whose deadline is in so many milliseconds.
pub(super) fn context_for(milliseconds: u64) -> StoreContext {
    StoreContext {
        deadline: Instant::now().checked_add(Duration::from_millis(milliseconds)),
        ..context()
    }
}

/// A context whose answer has room for so many bytes of rows.
pub(super) fn with_room(bytes: usize) -> StoreContext {
    StoreContext {
        room: Some(bytes),
        ..context()
    }
}

impl Bench {
    /// The resource of this name.
    pub fn resource(&self, name: &str) -> &Arc<ResourceDefinition> {
        self.api.resource(name).expect("a resource of the contract")
    }

    /// The field of this name.
    pub fn field(&self, resource: &str, name: &str) -> FieldId {
        self.resource(resource)
            .field_id(name)
            .expect("a field of the contract")
    }

    /// A JSON value as one of the field.
    pub fn value(&self, resource: &str, field: &str, json: &Json) -> Value {
        let ty = self.resource(resource).field(self.field(resource, field)).ty;
        Value::read_json(&json.to_string(), ty).expect("a value of the field")
    }

    /// The members of a JSON object as values of fields.
    pub fn values(&self, resource: &str, object: &Json) -> Vec<(FieldId, Value)> {
        let members = object.as_object().expect("an object").iter();
        members
            .map(|(name, json)| (self.field(resource, name), self.value(resource, name, json)))
            .collect()
    }

    /// All columns.
    pub fn all(&self, resource: &str) -> Select {
        Select(
            self.resource(resource)
                .field_ids()
                .map(SelectItem::Field)
                .collect(),
        )
    }

    /// These columns.
    pub fn select(&self, resource: &str, names: &[&str]) -> Select {
        let items = names
            .iter()
            .map(|name| SelectItem::Field(self.field(resource, name)));
        Select(items.collect())
    }

    /// A condition on one field.
    pub fn test(&self, resource: &str, field: &str, predicate: Predicate) -> Condition {
        Condition::Test(Test {
            operand: Operand::Field(self.field(resource, field)),
            predicate,
        })
    }

    /// `field = json`.
    pub fn equals(&self, resource: &str, field: &str, json: &Json) -> Condition {
        let value = self.value(resource, field, json);
        self.test(resource, field, Predicate::Compare(Comparison::Eq, value))
    }

    /// One term of an order.
    pub fn term(&self, resource: &str, field: &str, direction: Direction, nulls: Nulls) -> OrderTerm {
        OrderTerm {
            embed: None,
            operand: Operand::Field(self.field(resource, field)),
            direction,
            nulls,
        }
    }

    /// Reads the row with all columns as an object.
    pub fn read(&self, resource: &str, uid: Uuid) -> Read {
        Read {
            resource: Arc::clone(self.resource(resource)),
            uid,
            visible: Condition::Always,
            select: self.all(resource),
            representation: Representation::JsonObject,
        }
    }

    /// Lists these columns of all rows by uid.
    pub fn list(&self, resource: &str, columns: &[&str]) -> List {
        List {
            look_ahead: false,
            resource: Arc::clone(self.resource(resource)),
            visible: Condition::Always,
            query: Query {
                after: None,
                select: self.select(resource, columns),
                condition: Condition::Always,
                order: vec![self.term(resource, "uid", Direction::Ascending, Nulls::Last)],
                limit: 1000,
                offset: 0,
            },
            count: Count::None,
            representation: Representation::JsonArray,
        }
    }

    /// What a creation by `alice` at `at(0)` stamps, where the resource has such columns and nothing else was given.
    fn stamped(&self, resource: &str, mut given: Vec<(FieldId, Value)>) -> Vec<(FieldId, Value)> {
        let definition = self.resource(resource);
        let audit = definition.audit;
        let actor = |id: FieldId| actor(definition, id, "alice");
        let stamps = [
            (audit.created_at, Value::Timestamp(at(0))),
            (audit.last_updated_at, Value::Timestamp(at(0))),
            (audit.creator_uid, audit.creator_uid.map_or(Value::Null, actor)),
            (
                audit.last_updater_uid,
                audit.last_updater_uid.map_or(Value::Null, actor),
            ),
        ];
        for (id, value) in stamps {
            if let Some(id) = id.filter(|id| given.iter().all(|(other, _)| other != id)) {
                given.push((id, value));
            }
        }
        for id in definition.field_ids() {
            if let rowstamp_domain::definition::Default::Value(value) = &definition.field(id).default
                && given.iter().all(|(other, _)| *other != id)
            {
                given.push((id, value.clone()));
            }
        }
        given
    }

    /// Creates rows of these objects, which all have the same members; all columns come back, in an array.
    pub fn insert(&self, resource: &str, objects: &[Json]) -> Insert {
        let rows = objects
            .iter()
            .map(|object| self.values(resource, object))
            .collect();
        self.insert_values(resource, rows)
    }

    /// Creates rows of these values, which all name the same fields in the same order.
    pub fn insert_values(&self, resource: &str, rows: Vec<Vec<(FieldId, Value)>>) -> Insert {
        let rows: Vec<_> = rows.into_iter().map(|row| self.stamped(resource, row)).collect();
        Insert {
            bound: RowBound::Any,
            conflict: None,
            resource: Arc::clone(self.resource(resource)),
            columns: rows[0].iter().map(|(id, _)| *id).collect(),
            rows: rows
                .into_iter()
                .map(|row| row.into_iter().map(|(_, value)| value).collect())
                .collect(),
            permitted: Condition::Always,
            visible: Condition::Always,
            select: self.all(resource),
            representation: Representation::JsonArray,
        }
    }

    /// Changes a row, by `bob` at `at(1_000_000)`; all columns come back, as an object.
    pub fn update(&self, resource: &str, uid: Uuid, set: &Json) -> Update {
        let definition = self.resource(resource);
        Update {
            resource: Arc::clone(definition),
            uid,
            visible: Condition::Always,
            permitted: Condition::Always,
            set: self.values(resource, set),
            expect: Vec::new(),
            stamp: Stamp {
                now: at(1_000_000),
                actor: definition
                    .audit
                    .last_updater_uid
                    .map_or(Value::Null, |id| actor(definition, id, "bob")),
            },
            precondition: Precondition::None,
            select: self.all(resource),
            representation: Representation::JsonObject,
        }
    }

    /// Replaces a row, or creates it with the same values.
    pub fn replace(&self, resource: &str, uid: Uuid, set: &Json) -> Replace {
        let update = self.update(resource, uid, set);
        let mut values = update.set.clone();
        values.push((self.field(resource, "uid"), Value::Uuid(uid)));
        Replace {
            create: Some(NewRow {
                values: self.stamped(resource, values),
                permitted: Condition::Always,
            }),
            update,
        }
    }

    /// Creates these objects, and changes those in whose way a row is at `target`, by `bob` at `at(1_000_000)`: every field that an object
    /// names but the target and the uid.
    pub fn merge(&self, resource: &str, objects: &[Json], target: &[&str]) -> Insert {
        let template = self.update(resource, uid(0), &objects[0]);
        let target: Vec<FieldId> = target.iter().map(|name| self.field(resource, name)).collect();
        let uid = self.field(resource, "uid");
        let set = template.set.iter().map(|(id, _)| *id);
        let merge = Merge {
            set: set.filter(|id| *id != uid && !target.contains(id)).collect(),
            given: None,
            expect: vec![Vec::new(); objects.len()],
            visible: Condition::Always,
            permitted: Condition::Always,
            stamp: template.stamp,
        };
        self.upsert(resource, objects, target, ConflictAction::Merge(Box::new(merge)))
    }

    /// Creates these objects, and passes over those in whose way a row is at `target`.
    pub fn ignore(&self, resource: &str, objects: &[Json], target: &[&str]) -> Insert {
        let target = target.iter().map(|name| self.field(resource, name)).collect();
        self.upsert(resource, objects, target, ConflictAction::Ignore)
    }

    fn upsert(
        &self,
        resource: &str,
        objects: &[Json],
        target: Vec<FieldId>,
        action: ConflictAction,
    ) -> Insert {
        Insert {
            conflict: Some(OnConflict { target, action }),
            ..self.insert(resource, objects)
        }
    }

    /// Changes the rows that match, by `bob` at `at(1_000_000)`; all columns come back, in an array.
    pub fn update_many(&self, resource: &str, condition: Condition, set: &Json) -> UpdateMany {
        let Update {
            resource,
            visible,
            permitted,
            set,
            expect,
            stamp,
            select,
            ..
        } = self.update(resource, uid(0), set);
        UpdateMany {
            resource,
            condition,
            visible,
            permitted,
            set,
            expect,
            stamp,
            bound: RowBound::Any,
            select,
            representation: Representation::JsonArray,
        }
    }

    /// Deletes the rows that match; all columns come back, in an array.
    pub fn delete_many(&self, resource: &str, condition: Condition) -> DeleteMany {
        DeleteMany {
            resource: Arc::clone(self.resource(resource)),
            condition,
            visible: Condition::Always,
            permitted: Condition::Always,
            bound: RowBound::Any,
            select: self.all(resource),
            representation: Representation::JsonArray,
        }
    }

    /// Deletes a row; all columns come back, as an object.
    pub fn delete(&self, resource: &str, uid: Uuid) -> Delete {
        Delete {
            resource: Arc::clone(self.resource(resource)),
            uid,
            visible: Condition::Always,
            permitted: Condition::Always,
            precondition: Precondition::None,
            select: self.all(resource),
            representation: Representation::JsonObject,
        }
    }

    /// Carries out an operation.
    ///
    /// # Errors
    /// The store's.
    pub async fn try_run(&self, operation: impl Into<Step>) -> Result<Outcome, StoreError> {
        self.store.execute(operation.into().0, &context()).await
    }

    /// Carries out an operation that ends with a verdict.
    ///
    /// # Panics
    /// When it ends with an error.
    #[track_caller]
    pub fn run(&self, operation: impl Into<Step>) -> impl Future<Output = Outcome> + Send + 'static {
        let at = std::panic::Location::caller();
        let operation = operation.into().0;
        let store = Arc::clone(&self.store);
        async move {
            match store.execute(operation.clone(), &context()).await {
                Ok(outcome) => outcome,
                Err(error) => panic!("{at}: {error:?} from {operation:?}"),
            }
        }
    }

    /// Carries out an operation whose answer has room for so many bytes of rows.
    ///
    /// # Panics
    /// When it ends with an error.
    pub async fn run_with_room(&self, operation: impl Into<Step>, room: usize) -> Outcome {
        let outcome = self.store.execute(operation.into().0, &with_room(room)).await;
        outcome.expect("a verdict")
    }

    /// Starts a unit of work.
    ///
    /// # Panics
    /// When it cannot.
    pub async fn begin(&self) -> Box<dyn UnitOfWork> {
        self.store.begin(&context()).await.expect("a unit of work begins")
    }

    /// Puts rows there, to start from.
    ///
    /// # Panics
    /// When they cannot be created.
    pub async fn given(&self, resource: &str, objects: &[Json]) {
        for object in objects {
            let mut insert = self.insert(resource, std::slice::from_ref(object));
            insert.representation = Representation::Nothing;
            assert_eq!(self.run(insert).await.verdict, Verdict::Created);
        }
    }

    /// The whole row as JSON, `None` when there is none.
    pub async fn row(&self, resource: &str, uid: Uuid) -> Option<String> {
        let outcome = self.run(self.read(resource, uid)).await;
        (outcome.verdict == Verdict::Found).then(|| json(&outcome).to_owned())
    }

    /// These columns of all rows, as a JSON array.
    pub async fn rows(&self, resource: &str, columns: &[&str]) -> String {
        json(&self.run(self.list(resource, columns)).await).to_owned()
    }
}

/// How an upsert changes rows, to be said otherwise.
///
/// # Panics
/// When it passes over them.
#[track_caller]
pub(super) fn merge_of(upsert: &mut Insert) -> &mut Merge {
    match upsert.conflict.as_mut().map(|conflict| &mut conflict.action) {
        Some(ConflictAction::Merge(merge)) => merge,
        other => panic!("expected a merge, found {other:?}"),
    }
}

/// A caller as the column of stamps has it.
fn actor(definition: &ResourceDefinition, id: FieldId, name: &str) -> Value {
    match definition.field(id).ty.scalar {
        rowstamp_domain::field_type::ScalarType::Uuid => Value::Uuid(actor_uuid(name)),
        _ => Value::Text(name.to_owned()),
    }
}

/// The UUID that stands for a caller where the column wants one.
pub(super) fn actor_uuid(name: &str) -> Uuid {
    uid(name.bytes().map(u128::from).sum())
}

/// The encoded rows of an outcome.
///
/// # Panics
/// When it has none.
#[track_caller]
pub(super) fn json(outcome: &Outcome) -> &str {
    match &outcome.rows {
        Rows::Json(bytes) => std::str::from_utf8(bytes).expect("answers are UTF-8"),
        other => panic!("expected JSON, found {other:?} with {:?}", outcome.verdict),
    }
}

/// The records of an outcome.
///
/// # Panics
/// When it has none.
#[track_caller]
pub(super) fn records(outcome: &Outcome) -> &[Record] {
    match &outcome.rows {
        Rows::Records(records) => records,
        other => panic!("expected records, found {other:?} with {:?}", outcome.verdict),
    }
}

/// An operation of any kind.
#[derive(Debug, Clone)]
pub struct Step(pub Operation);

macro_rules! steps {
    ($($kind:ident)*) => {$(
        impl From<$kind> for Step {
            fn from(operation: $kind) -> Self {
                Self(Operation::$kind(operation))
            }
        }
    )*};
}

steps!(Read List Insert Replace Update Delete UpdateMany DeleteMany);
