//! A library in a database of its own, and operations on it in few words.

use std::sync::Arc;

use rowstamp_domain::caller::Caller;
use rowstamp_domain::definition::{ApiDefinition, FieldId, ResourceDefinition, toml};
use rowstamp_domain::operation::{
    Count, Delete, Insert, List, NewRow, Operation, Outcome, Precondition, Read, Replace, Representation,
    Rows, Stamp, Update,
};
use rowstamp_domain::query::{
    Comparison, Condition, Direction, Nulls, Operand, OrderTerm, Predicate, Query, Select, SelectItem, Test,
};
use rowstamp_domain::value::{Timestamp, Value};
use rowstamp_local::provision::TestDatabase;
use rowstamp_ports::{RecordStore, StoreContext, StoreError};
use rowstamp_postgres::{PostgresStore, Settings};
use uuid::Uuid;

pub(crate) const LIBRARY: &str = r#"
[api]
title = "Library"
version = "1.0.0"

[resources.authors.fields]
name = { type = "text", required = true }

[resources.books.fields]
title      = { type = "text", required = true }
isbn       = { type = "text", unique = true }
pages      = { type = "integer" }
status     = { type = "enum", values = ["draft", "published"], required = true, default = "draft" }
tags       = { type = "text[]" }
author_uid = { type = "uuid", references = "authors" }
"#;

pub(crate) struct Fixture {
    pub(crate) store: PostgresStore,
    pub(crate) api: Arc<ApiDefinition>,
    pub(crate) database: TestDatabase,
}

pub(crate) fn context() -> StoreContext {
    StoreContext {
        deadline: None,
        caller: Arc::new(Caller::anonymous()),
        room: None,
        meter: Arc::default(),
    }
}

pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub(crate) fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros_since_2000(micros).unwrap()
}

impl Fixture {
    /// The tables of `definition`, empty.
    pub(crate) async fn of(definition: &str) -> Self {
        let fixture = Self::without_tables(definition);
        fixture.store.create_missing(&fixture.api).await.unwrap();
        fixture
    }

    pub(crate) fn without_tables(definition: &str) -> Self {
        // Creating a database blocks; a test's runtime has nothing else to do.
        let database = std::thread::spawn(TestDatabase::create).join().unwrap();
        let settings = Settings::from_url(database.url()).unwrap();
        Self {
            store: PostgresStore::with_password(&settings),
            api: Arc::new(toml::parse("library.toml", definition).unwrap()),
            database,
        }
    }

    pub(crate) async fn library() -> Self {
        Self::of(LIBRARY).await
    }

    pub(crate) fn resource(&self, name: &str) -> Arc<ResourceDefinition> {
        Arc::clone(self.api.resource(name).unwrap())
    }

    pub(crate) fn field(&self, name: &str) -> FieldId {
        self.resource("books").field_id(name).unwrap()
    }

    pub(crate) async fn execute(&self, operation: Operation) -> Result<Outcome, StoreError> {
        self.store.execute(operation, &context()).await
    }

    /// A connection past the store.
    pub(crate) async fn sql(&self) -> tokio_postgres::Client {
        let (client, connection) = tokio_postgres::connect(self.database.url(), tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        client
    }

    /// A new book with this title, and its uid.
    pub(crate) async fn book(&self, title: &str) -> Uuid {
        let uid = Uuid::now_v7();
        let insert = self.insert("books", &[("title", text(title)), ("status", text("draft"))], uid);
        self.execute(Operation::Insert(insert)).await.unwrap();
        uid
    }

    pub(crate) fn insert(&self, resource: &str, values: &[(&str, Value)], uid: Uuid) -> Insert {
        let resource = self.resource(resource);
        let mut columns = vec![resource.audit.uid];
        let mut row = vec![Value::Uuid(uid)];
        for (name, value) in values {
            columns.push(resource.field_id(name).unwrap());
            row.push(value.clone());
        }
        for stamp in [resource.audit.created_at, resource.audit.last_updated_at]
            .into_iter()
            .flatten()
        {
            columns.push(stamp);
            row.push(Value::Timestamp(at(0)));
        }
        Insert {
            bound: rowstamp_domain::operation::RowBound::Any,
            conflict: None,
            select: all(&resource),
            resource,
            columns,
            rows: vec![row],
            permitted: Condition::Always,
            visible: Condition::Always,
            representation: Representation::JsonObject,
        }
    }

    pub(crate) fn read(&self, uid: Uuid) -> Read {
        let resource = self.resource("books");
        Read {
            select: all(&resource),
            resource,
            uid,
            visible: Condition::Always,
            representation: Representation::JsonObject,
        }
    }

    pub(crate) fn list(&self, resource: &str) -> List {
        let resource = self.resource(resource);
        List {
            look_ahead: false,
            query: Query {
                after: None,
                select: all(&resource),
                condition: Condition::Always,
                order: vec![OrderTerm {
                    embed: None,
                    operand: Operand::Field(resource.audit.uid),
                    direction: Direction::Ascending,
                    nulls: Nulls::Last,
                }],
                limit: 100,
                offset: 0,
            },
            resource,
            visible: Condition::Always,
            count: Count::None,
            representation: Representation::JsonArray,
        }
    }

    pub(crate) fn update(&self, uid: Uuid, set: &[(&str, Value)]) -> Update {
        let resource = self.resource("books");
        Update {
            set: set
                .iter()
                .map(|(name, value)| (self.field(name), value.clone()))
                .collect(),
            select: all(&resource),
            resource,
            uid,
            visible: Condition::Always,
            permitted: Condition::Always,
            expect: Vec::new(),
            stamp: Stamp {
                now: at(1_000_000),
                actor: text("me"),
            },
            precondition: Precondition::None,
            representation: Representation::JsonObject,
        }
    }

    pub(crate) fn replace(&self, uid: Uuid, title: &str) -> Replace {
        let update = self.update(uid, &[("title", text(title))]);
        let insert = self.insert("books", &[("title", text(title)), ("status", text("draft"))], uid);
        let values = insert
            .columns
            .iter()
            .copied()
            .zip(insert.rows[0].iter().cloned())
            .collect();
        Replace {
            update,
            create: Some(NewRow {
                values,
                permitted: Condition::Always,
            }),
        }
    }

    pub(crate) fn delete(&self, uid: Uuid) -> Delete {
        let resource = self.resource("books");
        Delete {
            select: all(&resource),
            resource,
            uid,
            visible: Condition::Always,
            permitted: Condition::Always,
            precondition: Precondition::None,
            representation: Representation::JsonObject,
        }
    }

    /// `field = value`, of books.
    pub(crate) fn eq(&self, field: &str, value: Value) -> Condition {
        Condition::Test(Test {
            operand: Operand::Field(self.field(field)),
            predicate: Predicate::Compare(Comparison::Eq, value),
        })
    }
}

/// Every field.
pub(crate) fn all(resource: &ResourceDefinition) -> Select {
    Select(resource.field_ids().map(SelectItem::Field).collect())
}

/// The JSON of an outcome.
pub(crate) fn json(outcome: &Outcome) -> &str {
    match &outcome.rows {
        Rows::Json(json) => str::from_utf8(json).unwrap(),
        other => panic!("no JSON but {other:?}"),
    }
}
