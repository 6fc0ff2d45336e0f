//! Statements as text, without a database.

use std::fmt::Write as _;
use std::sync::Arc;

use rowstamp_domain::definition::spec::ApiSpec;
use rowstamp_domain::definition::{ApiDefinition, FieldId, ResourceDefinition, toml};
use rowstamp_domain::operation::{
    Count, Delete, Insert, List, NewRow, Operation, Precondition, Read, Replace, Representation, Stamp,
    Update,
};
use rowstamp_domain::query::{
    Comparison, Condition, Direction, IsTest, Nulls, Operand, OrderTerm, PatternKind, Predicate, Query,
    Select, SelectItem, Test,
};
use rowstamp_domain::value::{Json, Timestamp, Value};
use rowstamp_domain::{Resource, ResourceEnum};
use uuid::Uuid;

use super::{Plan, params, shape};

const LIBRARY: &str = r#"
[api]
title = "Library"
version = "1.0.0"

[resources.books]
table = "shop.books"
[resources.books.fields]
title = { type = "text", required = true }
pages = { type = "integer" }
tags  = { type = "text[]" }
doc   = { type = "json" }
mood  = { type = "enum", values = ["sad", "ok"], db_type = "public.mood" }
"#;

fn library() -> ApiDefinition {
    toml::parse("library.toml", LIBRARY).expect("the definition is right")
}

/// The same resource as a struct.
#[derive(Resource)]
#[resource(path = "books", table = "shop.books")]
struct Derived {
    title: String,
    pages: Option<i32>,
    tags: Option<Vec<String>>,
    doc: Option<Json>,
    #[field(db_type = "public.mood")]
    mood: Option<Mood>,
}

#[derive(ResourceEnum)]
enum Mood {
    Sad,
    Ok,
}

struct Book(Arc<ResourceDefinition>);

impl Book {
    fn id(&self, name: &str) -> FieldId {
        self.0.field_id(name).expect("it is a field")
    }

    fn select(&self, names: &[&str]) -> Select {
        Select(
            names
                .iter()
                .map(|name| SelectItem::Field(self.id(name)))
                .collect(),
        )
    }

    fn test(&self, field: &str, predicate: Predicate) -> Condition {
        Condition::Test(Test {
            operand: Operand::Field(self.id(field)),
            predicate,
        })
    }

    fn eq(&self, field: &str, value: Value) -> Condition {
        self.test(field, Predicate::Compare(Comparison::Eq, value))
    }

    fn order(&self, field: &str, direction: Direction, nulls: Nulls) -> OrderTerm {
        OrderTerm {
            embed: None,
            operand: Operand::Field(self.id(field)),
            direction,
            nulls,
        }
    }

    fn read(&self) -> Read {
        Read {
            resource: Arc::clone(&self.0),
            uid: Uuid::nil(),
            visible: Condition::Always,
            select: self.select(&["uid", "title", "mood"]),
            representation: Representation::JsonObject,
        }
    }

    fn list(&self) -> List {
        List {
            look_ahead: false,
            resource: Arc::clone(&self.0),
            visible: Condition::Always,
            query: Query {
                after: None,
                select: self.select(&["uid", "last_updated_at"]),
                condition: Condition::Always,
                order: vec![self.order("uid", Direction::Ascending, Nulls::Last)],
                limit: 25,
                offset: 0,
            },
            count: Count::None,
            representation: Representation::JsonArray,
        }
    }

    fn insert(&self, rows: usize) -> Insert {
        let row = vec![
            Value::Uuid(Uuid::nil()),
            text("t"),
            Value::Array(vec![text("a")]),
            text("ok"),
        ];
        Insert {
            bound: rowstamp_domain::operation::RowBound::Any,
            conflict: None,
            resource: Arc::clone(&self.0),
            columns: ["uid", "title", "tags", "mood"]
                .map(|name| self.id(name))
                .to_vec(),
            rows: vec![row; rows],
            permitted: Condition::Always,
            visible: Condition::Always,
            select: self.select(&["uid", "tags"]),
            representation: Representation::JsonArray,
        }
    }

    fn update(&self) -> Update {
        Update {
            resource: Arc::clone(&self.0),
            uid: Uuid::nil(),
            visible: Condition::Always,
            permitted: Condition::Always,
            set: vec![(self.id("title"), text("t")), (self.id("mood"), text("ok"))],
            expect: Vec::new(),
            stamp: Stamp {
                now: Timestamp::MAX,
                actor: text("me"),
            },
            precondition: Precondition::None,
            select: self.select(&["uid", "title"]),
            representation: Representation::JsonObject,
        }
    }

    fn judged(&self) -> Update {
        Update {
            visible: self.eq("pages", Value::Integer(1)),
            permitted: Condition::Any(vec![
                self.eq("title", text("t")),
                self.eq("creator_uid", text("me")),
            ]),
            expect: vec![
                (self.id("pages"), Value::Integer(1)),
                (self.id("doc"), Value::Null),
            ],
            precondition: Precondition::VersionIn(vec![Timestamp::MAX]),
            ..self.update()
        }
    }

    fn replace(&self) -> Replace {
        Replace {
            update: self.update(),
            create: Some(NewRow {
                values: vec![
                    (self.id("uid"), Value::Uuid(Uuid::nil())),
                    (self.id("title"), text("t")),
                ],
                permitted: Condition::Always,
            }),
        }
    }

    fn delete(&self) -> Delete {
        Delete {
            resource: Arc::clone(&self.0),
            uid: Uuid::nil(),
            visible: Condition::Always,
            permitted: Condition::Always,
            precondition: Precondition::None,
            select: self.select(&["uid"]),
            representation: Representation::JsonObject,
        }
    }

    /// Every predicate there is.
    fn everything(&self) -> Condition {
        Condition::All(vec![
            Condition::Any(vec![
                self.eq("mood", text("ok")),
                self.test("mood", Predicate::In(vec![text("ok")])),
                self.test("pages", Predicate::In(vec![Value::Integer(1), Value::Integer(2)])),
                self.test("tags", Predicate::In(vec![Value::Array(vec![]), Value::Null])),
                Condition::Any(vec![]),
            ]),
            Condition::Not(Box::new(self.test("pages", Predicate::Is(IsTest::Null)))),
            self.test("doc", Predicate::IsDistinct(Value::Null)),
            self.test("mood", Predicate::Matches(PatternKind::ILike, text("o%"))),
            Condition::Never,
            Condition::All(vec![]),
        ])
    }

    /// Operations by name, each of a shape of its own.
    fn operations(&self) -> Vec<(&'static str, Operation)> {
        let nothing = Representation::Nothing;
        vec![
            ("read one", Operation::Read(self.read())),
            (
                "read one that is visible",
                Operation::Read(Read {
                    visible: self.everything(),
                    ..self.read()
                }),
            ),
            (
                "read nothing of one",
                Operation::Read(Read {
                    representation: nothing,
                    ..self.read()
                }),
            ),
            ("list", Operation::List(self.list())),
            (
                "list an uncommon number",
                Operation::List(List {
                    query: Query {
                        limit: 123,
                        ..self.list().query
                    },
                    ..self.list()
                }),
            ),
            (
                "list in an order, from an offset",
                Operation::List(List {
                    visible: self.eq("title", text("t")),
                    query: Query {
                        condition: self.test("pages", Predicate::Compare(Comparison::Gte, Value::Integer(1))),
                        order: vec![
                            self.order("title", Direction::Descending, Nulls::Last),
                            self.order("pages", Direction::Ascending, Nulls::First),
                            self.order("uid", Direction::Descending, Nulls::First),
                        ],
                        offset: 25,
                        ..self.list().query
                    },
                    ..self.list()
                }),
            ),
            (
                "list and count",
                Operation::List(List {
                    visible: self.eq("title", text("t")),
                    count: Count::Exact,
                    ..self.list()
                }),
            ),
            (
                "count",
                Operation::List(List {
                    count: Count::Exact,
                    representation: nothing,
                    ..self.list()
                }),
            ),
            ("insert one", Operation::Insert(self.insert(1))),
            (
                "insert one by a rule",
                Operation::Insert(Insert {
                    permitted: Condition::All(vec![
                        self.eq("title", text("t")),
                        self.eq("pages", Value::Null),
                    ]),
                    visible: self.eq("title", text("t")),
                    ..self.insert(1)
                }),
            ),
            ("insert many", Operation::Insert(self.insert(3))),
            (
                "insert many by a rule",
                Operation::Insert(Insert {
                    permitted: self.everything(),
                    representation: nothing,
                    ..self.insert(3)
                }),
            ),
            ("update", Operation::Update(self.update())),
            ("update and judge", Operation::Update(self.judged())),
            (
                "update nothing",
                Operation::Update(Update {
                    set: Vec::new(),
                    ..self.judged()
                }),
            ),
            (
                "update what is not there",
                Operation::Update(Update {
                    precondition: Precondition::Absent,
                    ..self.update()
                }),
            ),
            ("replace", Operation::Replace(self.replace())),
            (
                "replace and judge",
                Operation::Replace(Replace {
                    update: Update {
                        precondition: Precondition::None,
                        ..self.judged()
                    },
                    create: self.replace().create.map(|create| NewRow {
                        permitted: self.eq("title", text("t")),
                        ..create
                    }),
                }),
            ),
            (
                "replace what is there",
                Operation::Replace(Replace {
                    create: None,
                    ..self.replace()
                }),
            ),
            ("delete", Operation::Delete(self.delete())),
            (
                "delete and judge",
                Operation::Delete(Delete {
                    visible: self.eq("title", text("t")),
                    permitted: self.eq("creator_uid", text("me")),
                    precondition: Precondition::VersionIn(Vec::new()),
                    ..self.delete()
                }),
            ),
        ]
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn book() -> Book {
    Book(Arc::clone(&library().resources[0]))
}

#[test]
fn every_operation_is_one_statement() {
    let mut all = String::new();
    for (name, operation) in book().operations() {
        let _ = writeln!(all, "-- {name}\n{}\n", Plan::build(0, &operation).sql);
    }
    insta::assert_snapshot!("statements", all);
}

#[test]
fn a_resource_declared_as_a_struct_has_the_same_statements() {
    let spec = ApiSpec {
        title: "Library".to_owned(),
        version: "1.0.0".to_owned(),
        resources: vec![Derived::spec()],
        ..ApiSpec::default()
    };
    let api = ApiDefinition::build(spec).expect("the definition is right");
    let derived = Book(Arc::clone(&api.resources[0]));
    for ((name, ours), (_, theirs)) in book().operations().into_iter().zip(derived.operations()) {
        assert_eq!(Plan::build(0, &ours).sql, Plan::build(0, &theirs).sql, "{name}");
    }
}

#[test]
fn parameters_are_collected_in_the_order_of_the_text() {
    for (name, operation) in book().operations() {
        let plan = Plan::build(0, &operation);
        let given = params(&operation).len();
        assert_eq!(given, plan.types.len(), "{name}");
        // Each is mentioned, or the database could not tell what it is for.
        for number in 1..=given {
            let mentioned = plan
                .sql
                .match_indices(&format!("${number}"))
                .any(|(place, found)| {
                    !plan.sql[place + found.len()..].starts_with(|next: char| next.is_ascii_digit())
                });
            assert!(mentioned, "${number} in {name}: {}", plan.sql);
        }
    }
}

#[test]
fn operations_of_one_shape_have_one_text() {
    let book = book();
    let mut seen = std::collections::HashMap::new();
    for (name, operation) in book.operations() {
        let mut key = Vec::new();
        shape::write(&operation, &mut key);
        let sql = Plan::build(0, &operation).sql;
        if let Some((other, text)) = seen.insert(key, (name, sql.clone())) {
            assert_eq!(text, sql, "{name} and {other}");
        }
    }
    assert_eq!(
        seen.len(),
        book.operations().len(),
        "two of the operations have one shape"
    );
}

#[test]
fn a_shape_does_not_depend_on_values() {
    let book = book();
    let shape_of = |operation: Operation| {
        let mut key = Vec::new();
        shape::write(&operation, &mut key);
        key
    };
    let list = |limit, title, numbers: Vec<Value>| {
        let mut list = book.list();
        list.query.limit = limit;
        list.query.condition = Condition::All(vec![
            book.eq("title", text(title)),
            book.test("pages", Predicate::In(numbers)),
        ]);
        Operation::List(list)
    };
    assert_eq!(
        shape_of(list(123, "a", vec![])),
        shape_of(list(124, "b", vec![Value::Integer(1)]))
    );
    assert_ne!(shape_of(list(1, "a", vec![])), shape_of(list(2, "a", vec![])));
    assert_eq!(
        shape_of(Operation::Insert(book.insert(2))),
        shape_of(Operation::Insert(book.insert(500)))
    );
}
