//! Statements as text, without a database.

use std::fmt::Write as _;
use std::sync::Arc;

use rowstamp_domain::definition::spec::ApiSpec;
use rowstamp_domain::definition::{ApiDefinition, FieldId, ResourceDefinition, toml};
use rowstamp_domain::field_type::ScalarType;
use rowstamp_domain::operation::{
    Count, Delete, Insert, List, NewRow, Operation, Precondition, Read, Replace, Representation, Stamp,
    Update,
};
use rowstamp_domain::query::{
    Aggregate, Column, Comparison, Condition, Direction, Embed, EmbedForm, Expression, IsTest, Join,
    JsonPath, JsonResult, JsonStep, Nulls, Operand, OrderTerm, PatternKind, Predicate, Quantifier, Query,
    Relation, SearchConfig, SearchKind, Select, SelectItem, Test,
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

    fn json(&self, words: &Words) -> Operand {
        Operand::Json {
            field: self.id("doc"),
            path: JsonPath {
                steps: [JsonStep::Key(words.key.to_owned()), JsonStep::Index(words.index)].into(),
                result: JsonResult::Text,
            },
        }
    }

    fn column(name: &str, expression: Expression) -> SelectItem {
        SelectItem::Column(Arc::new(Column {
            name: name.to_owned(),
            expression,
        }))
    }

    /// Books of the same title's mood: a book is embedded in itself, since there is no other resource here.
    fn embed(&self, words: &Words, relation: Relation) -> Embed {
        Embed {
            name: words.alias.to_owned(),
            resource: Arc::clone(&self.0),
            relation,
            join: Join::Inner,
            form: EmbedForm::Nested,
            visible: self.eq("title", text(words.value)),
            query: Query {
                select: Select(
                    [
                        SelectItem::Field(self.id("tags")),
                        Self::column(words.alias, Expression::Operand(self.json(words))),
                    ]
                    .into(),
                ),
                condition: self.test("mood", Predicate::Compare(Comparison::Neq, text(words.value))),
                limit: 7,
                ..self.list().query
            },
        }
    }

    /// A list with whatever can be asked of one but groups.
    fn rich(&self, words: &Words) -> List {
        let uid = self.id("uid");
        let mut list = self.list();
        let through = Relation::Through {
            resource: Arc::clone(&self.0),
            near: uid,
            far: uid,
            visible: self.eq("pages", Value::Integer(1)),
        };
        let mut spread = self.embed(words, Relation::One { field: uid });
        spread.form = EmbedForm::Spread;
        let cast = Expression::Cast(
            Box::new(Expression::Operand(self.json(words))),
            ScalarType::Integer,
        );
        list.query.select = Select(
            [
                SelectItem::Field(self.id("title")),
                Self::column(words.alias, cast),
                SelectItem::Embed(Arc::new(self.embed(words, Relation::Many { field: uid }))),
                SelectItem::Embed(Arc::new(self.embed(words, through))),
                SelectItem::Embed(Arc::new(spread)),
            ]
            .into(),
        );
        let values = || vec![text(words.value), text("b")];
        list.query.condition = Condition::All(vec![
            Condition::Test(Test {
                operand: self.json(words),
                predicate: Predicate::CompareEach(Comparison::Lt, Quantifier::All, values()),
            }),
            self.test(
                "title",
                Predicate::MatchesEach(PatternKind::IRegex, Quantifier::Any, values()),
            ),
            self.test(
                "title",
                Predicate::Search {
                    kind: SearchKind::Web,
                    config: SearchConfig::named("german"),
                    words: text(words.value),
                },
            ),
            self.test("tags", Predicate::Overlaps(Value::Array(values()))),
            self.test("tags", Predicate::Contains(Value::Array(values()))),
            Condition::Not(Box::new(Condition::Embedded(2))),
        ]);
        let mut by_embed = self.order("mood", Direction::Descending, Nulls::Last);
        by_embed.embed = Some(4);
        let by_json = OrderTerm {
            embed: None,
            operand: self.json(words),
            direction: Direction::Ascending,
            nulls: Nulls::First,
        };
        list.query.order.splice(0..0, [by_embed, by_json]);
        list.query.after = Some(vec![
            text(words.value),
            text(words.value),
            Value::Uuid(Uuid::nil()),
        ]);
        list.look_ahead = true;
        list
    }

    fn grouped(&self, words: &Words) -> List {
        let mut list = self.list();
        let sum = Expression::Aggregate(
            Aggregate::Sum,
            Box::new(Expression::Operand(Operand::Field(self.id("pages")))),
        );
        let first = Expression::Aggregate(
            Aggregate::Min,
            Box::new(Expression::Operand(Operand::Field(self.id("uid")))),
        );
        let mut spread = self.embed(
            words,
            Relation::One {
                field: self.id("uid"),
            },
        );
        spread.form = EmbedForm::Spread;
        list.query.select = Select(
            [
                Self::column(words.alias, Expression::Operand(self.json(words))),
                SelectItem::Field(self.id("mood")),
                Self::column("n", Expression::CountRows),
                Self::column("pages", Expression::Cast(Box::new(sum), ScalarType::Text)),
                Self::column("first", first),
                SelectItem::Embed(Arc::new(spread)),
            ]
            .into(),
        );
        list.query.order = vec![
            OrderTerm {
                embed: None,
                operand: self.json(words),
                direction: Direction::Ascending,
                nulls: Nulls::Last,
            },
            self.order("mood", Direction::Descending, Nulls::First),
        ];
        list.query.after = Some(vec![text(words.value), Value::Null]);
        list.look_ahead = true;
        list
    }

    fn after(&self, fields: &[&str]) -> List {
        let mut list = self.list();
        list.query.order = fields
            .iter()
            .map(|field| self.order(field, Direction::Descending, Nulls::Last))
            .collect();
        let value = |field: &&str| match *field {
            "pages" => Value::Integer(1),
            _ => Value::Uuid(Uuid::nil()),
        };
        list.query.after = Some(fields.iter().map(value).collect());
        list.look_ahead = true;
        list
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
            (
                "list with everything",
                Operation::List(self.rich(&Words::HARMLESS)),
            ),
            (
                "list with everything, and count",
                Operation::List(List {
                    count: Count::Exact,
                    ..self.rich(&Words::HARMLESS)
                }),
            ),
            (
                "list with everything, and estimate",
                Operation::List(List {
                    count: Count::Estimated { exact_up_to: 5 },
                    ..self.rich(&Words::HARMLESS)
                }),
            ),
            ("list in groups", Operation::List(self.grouped(&Words::HARMLESS))),
            (
                "list in groups, and count",
                Operation::List(List {
                    count: Count::Exact,
                    ..self.grouped(&Words::HARMLESS)
                }),
            ),
            ("list after a position", Operation::List(self.after(&["uid"]))),
            (
                "list after a position with nulls",
                Operation::List(self.after(&["pages", "uid"])),
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

/// What callers write, wherever they can.
struct Words {
    alias: &'static str,
    key: &'static str,
    index: i32,
    value: &'static str,
}

impl Words {
    const HARMLESS: Self = Self {
        alias: "alias",
        key: "key",
        index: 1,
        value: "value",
    };
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

#[test]
fn nothing_that_callers_write_is_in_a_statement() {
    let book = book();
    let harmless = Words::HARMLESS;
    for hostile in [
        "'; DROP TABLE books; --",
        "\" FROM pg_authid --",
        "$1",
        "\\'); SELECT 1; /*",
        "{\"a\": 1}",
        "x' OR 'x' = 'x",
        "E'\\x27'",
        "$$ $tag$",
        "\u{0}\u{1}\n\u{2019}",
    ] {
        let words = Words {
            alias: hostile,
            key: hostile,
            index: -7_654_321,
            value: hostile,
        };
        for count in [
            Count::None,
            Count::Exact,
            Count::Planned,
            Count::Estimated { exact_up_to: 9 },
        ] {
            for (one, other) in [
                (book.rich(&words), book.rich(&harmless)),
                (book.grouped(&words), book.grouped(&harmless)),
            ] {
                let of = |list: List| Operation::List(List { count, ..list });
                let (one, other) = (of(one), of(other));
                let (mut shape_one, mut shape_other) = (Vec::new(), Vec::new());
                shape::write(&one, &mut shape_one);
                shape::write(&other, &mut shape_other);
                assert_eq!(shape_one, shape_other, "{hostile}");
                let (one, other) = (Plan::build(0, &one), Plan::build(0, &other));
                assert_eq!(one.sql, other.sql, "{hostile}");
                let explained = |plan: &Plan| plan.explain.as_ref().map(|explain| explain.sql.clone());
                assert_eq!(explained(&one), explained(&other), "{hostile}");
                assert!(
                    !one.sql.contains("7654321") && !one.sql.contains("DROP"),
                    "{}",
                    one.sql
                );
            }
        }
    }
}

#[test]
fn the_statement_that_asks_the_planner_has_the_same_conditions() {
    let book = book();
    let list = List {
        count: Count::Planned,
        ..book.rich(&Words::HARMLESS)
    };
    let operation = Operation::List(list);
    let plan = Plan::build(4, &operation);
    let explain = plan.explain.expect("there is one");
    assert_eq!((plan.id, explain.id), (4, 5));
    assert!(
        explain
            .sql
            .starts_with("EXPLAIN (FORMAT JSON) SELECT 1 FROM \"shop\".\"books\"")
    );
    assert_eq!(super::explain_params(&operation).len(), explain.types.len());
}
