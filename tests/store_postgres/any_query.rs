//! Any query on the library, as numbers decide.

use std::sync::Arc;

use rowstamp_domain::field_type::{FieldType, ScalarType};
use rowstamp_domain::query::{
    Aggregate, Comparison, Condition, Direction, Embed, EmbedForm, Expression, IsTest, Join, Nulls, Operand,
    OrderTerm, PatternKind, Predicate, Quantifier, Query, Relation, SearchConfig, SearchKind, Select,
    SelectItem, Test,
};
use rowstamp_domain::value::Value;
use rowstamp_tests::contract::{Bench, aggregate, cast, column, embedded};

use crate::dice::{Dice, value};

/// Ways into the JSON values of the library.
const PATHS: [&str; 7] = ["->a", "->>a", "->b->0", "->b->>-2", "->a->>b", "->0", "->c->d"];
const LIKES: [&str; 6] = ["%", "a%", "%x", "_", "", "%O%"];
const REGEXES: [&str; 6] = ["a", "^[a-z]", "x$", "(quick|é)", "", r"\d"];
const WORDS: [&str; 4] = ["fox", "quick fox", "", "cat"];

/// Makes queries.
pub(crate) struct Maker<'a, 'd> {
    pub(crate) bench: &'a Bench,
    pub(crate) dice: Dice<'d>,
    /// So that names in an answer differ.
    names: usize,
}

impl<'a, 'd> Maker<'a, 'd> {
    pub(crate) fn new(bench: &'a Bench, dice: Dice<'d>) -> Self {
        Self {
            bench,
            dice,
            names: 0,
        }
    }

    fn name(&mut self, of: &str) -> String {
        self.names += 1;
        format!("{of}{}", self.names)
    }

    /// A query on rows that stand inside `depth` embeds.
    pub(crate) fn query(&mut self, resource: &str, depth: usize) -> Query {
        let grouped = self.dice.once_in(5);
        let select = if grouped {
            self.grouped(resource, depth)
        } else {
            self.columns(resource, depth)
        };
        let condition = self.condition(resource, &select, 2);
        let order = if grouped {
            self.order_of_groups(&select)
        } else {
            self.order(resource, &select)
        };
        Query {
            select,
            condition,
            order,
            after: None,
            limit: *self.dice.pick(&[1000, 1000, 3, 1, 2, 7]),
            offset: *self.dice.pick(&[0, 0, 0, 0, 1, 3]),
        }
    }

    fn field(&mut self, resource: &str) -> String {
        let fields = &self.bench.resource(resource).fields;
        self.dice.pick(fields).name.clone()
    }

    /// A field or a part of one, and its type.
    fn operand(&mut self, resource: &str) -> (Operand, FieldType) {
        let definition = self.bench.resource(resource);
        let name = self.field(resource);
        let ty = definition.field(self.bench.field(resource, &name)).ty;
        let text = if ty == FieldType::scalar(ScalarType::Json) && self.dice.roll(3) > 0 {
            format!("{name}{}", self.dice.pick(&PATHS))
        } else {
            name
        };
        let operand = self.bench.operand(resource, &text);
        let ty = operand.ty(definition);
        (operand, ty)
    }

    fn columns(&mut self, resource: &str, depth: usize) -> Select {
        let mut items = Vec::new();
        for _ in 0..self.dice.roll(4) {
            items.push(match self.dice.roll(3) {
                0 => {
                    let name = self.field(resource);
                    SelectItem::Field(self.bench.field(resource, &name))
                }
                _ => self.expression(resource),
            });
        }
        if depth < 3 {
            for _ in 0..self.dice.roll(3) {
                if let Some(embed) = self.embed(resource, depth) {
                    items.push(embedded(embed));
                }
            }
        }
        Select(items.into())
    }

    fn expression(&mut self, resource: &str) -> SelectItem {
        let (operand, ty) = self.operand(resource);
        let mut expression = Expression::Operand(operand);
        if self.dice.once_in(2) {
            let to = *self.dice.pick(&safe_casts(ty));
            expression = cast(expression, to);
        }
        column(&self.name("c"), expression)
    }

    /// Columns that group, each made of another field, and aggregates.
    fn grouped(&mut self, resource: &str, depth: usize) -> Select {
        let mut items: Vec<SelectItem> = Vec::new();
        let mut keys: Vec<Operand> = Vec::new();
        for _ in 0..self.dice.roll(3) {
            let (operand, ty) = self.operand(resource);
            if keys.contains(&operand) {
                continue;
            }
            keys.push(operand.clone());
            items.push(match operand {
                Operand::Field(id) if self.dice.roll(2) == 0 => SelectItem::Field(id),
                operand => {
                    let to = *self.dice.pick(&safe_casts(ty));
                    column(&self.name("k"), cast(Expression::Operand(operand), to))
                }
            });
        }
        if depth < 2
            && self.dice.once_in(3)
            && let Some(mut embed) = self.embed(resource, 3)
            && embed.is_single()
            && !embed.query.select.is_aggregated()
        {
            embed.form = *self.dice.pick(&[EmbedForm::Spread, EmbedForm::Nested]);
            items.push(embedded(embed));
        }
        items.push(column(&self.name("n"), Expression::CountRows));
        for _ in 0..self.dice.roll(3) {
            items.push(self.aggregate(resource));
        }
        Select(items.into())
    }

    fn aggregate(&mut self, resource: &str) -> SelectItem {
        let (operand, ty) = self.operand(resource);
        let functions: &[Aggregate] = match (ty.array, ty.scalar) {
            (false, ScalarType::Integer | ScalarType::BigInt | ScalarType::Float | ScalarType::Decimal) => &[
                Aggregate::Sum,
                Aggregate::Avg,
                Aggregate::Min,
                Aggregate::Max,
                Aggregate::Count,
            ],
            (false, ScalarType::Text | ScalarType::Date | ScalarType::Time | ScalarType::Timestamp) => {
                &[Aggregate::Max, Aggregate::Min, Aggregate::Count]
            }
            _ => &[Aggregate::Count],
        };
        let function = *self.dice.pick(functions);
        let mut expression = aggregate(function, Expression::Operand(operand));
        if self.dice.once_in(4) {
            expression = cast(expression, ScalarType::Text);
        }
        column(&self.name("a"), expression)
    }

    fn embed(&mut self, resource: &str, depth: usize) -> Option<Embed> {
        let ways = ways(self.bench, resource);
        if ways.is_empty() {
            return None;
        }
        let (other, relation) = self.dice.pick(&ways).clone();
        let mut query = if depth < 3 {
            self.query(other, depth + 1)
        } else {
            self.plain(other)
        };
        let single = matches!(relation, Relation::One { .. } | Relation::Single { .. });
        let aggregated = query.select.is_aggregated();
        let form = if !aggregated && self.dice.once_in(3) {
            EmbedForm::Spread
        } else {
            EmbedForm::Nested
        };
        if single {
            query.limit = query.limit.max(1);
            query.offset = 0;
        }
        Some(Embed {
            name: self.name("e"),
            resource: Arc::clone(self.bench.resource(other)),
            relation: self.guarded(relation),
            join: if self.dice.once_in(4) {
                Join::Inner
            } else {
                Join::Left
            },
            form,
            visible: if self.dice.once_in(4) {
                self.condition(other, &Select(Arc::new([])), 1)
            } else {
                Condition::Always
            },
            query,
        })
    }

    fn plain(&mut self, resource: &str) -> Query {
        let mut query = self.bench.list(resource, &[]).query;
        let name = self.field(resource);
        query.select = self.bench.select(resource, &[&name]);
        query
    }

    fn guarded(&mut self, mut relation: Relation) -> Relation {
        if let Relation::Through { visible, .. } = &mut relation
            && self.dice.once_in(3)
        {
            *visible = self.condition("book_topics", &Select(Arc::new([])), 1);
        }
        relation
    }

    /// A condition that may speak of the embeds of `select`.
    pub(crate) fn condition(&mut self, resource: &str, select: &Select, depth: usize) -> Condition {
        let embeds: Vec<usize> = select.embeds().map(|(position, _)| position).collect();
        match self.dice.roll(if depth > 0 { 8 } else { 4 }) {
            0 | 1 => Condition::Always,
            2 if !embeds.is_empty() => Condition::Embedded(*self.dice.pick(&embeds)),
            4 => Condition::Not(Box::new(self.condition(resource, select, depth - 1))),
            5 => Condition::Any(self.conditions(resource, select, depth - 1)),
            6 => Condition::All(self.conditions(resource, select, depth - 1)),
            _ => self.test(resource),
        }
    }

    fn conditions(&mut self, resource: &str, select: &Select, depth: usize) -> Vec<Condition> {
        (0..self.dice.roll(4))
            .map(|_| self.condition(resource, select, depth))
            .collect()
    }

    fn test(&mut self, resource: &str) -> Condition {
        let (operand, ty) = self.operand(resource);
        let predicate = self.predicate(resource, &operand, ty);
        Condition::Test(Test { operand, predicate })
    }

    fn value(&mut self, resource: &str, operand: &Operand) -> Value {
        match operand {
            Operand::Field(id) => {
                let name = self.bench.resource(resource).field(*id).name.clone();
                let json = value(&mut self.dice, self.bench, resource, &name);
                self.bench.value(resource, &name, &json)
            }
            Operand::Json { .. } => {
                let ty = operand.ty(self.bench.resource(resource));
                let texts = if ty.scalar == ScalarType::Json {
                    ["1", "\"x\"", "{}", "null"]
                } else {
                    ["1", "x", "10", ""]
                };
                Value::read_text(self.dice.pick::<&str>(&texts), ty).expect("it is a value of the type")
            }
        }
    }

    fn values(&mut self, resource: &str, operand: &Operand) -> Vec<Value> {
        (0..self.dice.roll(4))
            .map(|_| self.value(resource, operand))
            .collect()
    }

    fn predicate(&mut self, resource: &str, operand: &Operand, ty: FieldType) -> Predicate {
        let comparison = *self.dice.pick(&[
            Comparison::Eq,
            Comparison::Neq,
            Comparison::Gt,
            Comparison::Gte,
            Comparison::Lt,
            Comparison::Lte,
        ]);
        let quantifier = *self.dice.pick(&[Quantifier::Any, Quantifier::All]);
        match self.dice.roll(9) {
            1 => Predicate::Is(*self.dice.pick(&[IsTest::Null, IsTest::NotNull])),
            2 => Predicate::In(self.values(resource, operand)),
            3 => Predicate::IsDistinct(self.value(resource, operand)),
            4 if ty == FieldType::scalar(ScalarType::Boolean) => {
                Predicate::Is(*self.dice.pick(&[IsTest::True, IsTest::False, IsTest::Unknown]))
            }
            4 if !ty.array => Predicate::CompareEach(comparison, quantifier, self.values(resource, operand)),
            5..9 if ty == FieldType::scalar(ScalarType::Text) => self.about_text(quantifier),
            5..9 if ty.array => match self.dice.roll(3) {
                0 => Predicate::Contains(self.value(resource, operand)),
                1 => Predicate::ContainedIn(self.value(resource, operand)),
                _ => Predicate::Overlaps(self.value(resource, operand)),
            },
            5..9 if ty.scalar == ScalarType::Json => match self.dice.roll(3) {
                0 => Predicate::Contains(self.value(resource, operand)),
                1 => Predicate::ContainedIn(self.value(resource, operand)),
                _ => self.search(),
            },
            _ => Predicate::Compare(comparison, self.value(resource, operand)),
        }
    }

    fn about_text(&mut self, quantifier: Quantifier) -> Predicate {
        let text = |text: &str| Value::Text(text.to_owned());
        let (kinds, patterns) = match self.dice.roll(3) {
            0 => ([PatternKind::Like, PatternKind::ILike], LIKES),
            1 => ([PatternKind::Regex, PatternKind::IRegex], REGEXES),
            _ => return self.search(),
        };
        let kind = *self.dice.pick(&kinds);
        if self.dice.roll(2) == 0 {
            return Predicate::Matches(kind, text(self.dice.pick::<&str>(&patterns)));
        }
        let each = (0..self.dice.roll(3))
            .map(|_| text(self.dice.pick::<&str>(&patterns)))
            .collect();
        Predicate::MatchesEach(kind, quantifier, each)
    }

    fn search(&mut self) -> Predicate {
        let kinds = [SearchKind::Plain, SearchKind::Phrase, SearchKind::Web];
        Predicate::Search {
            kind: *self.dice.pick(&kinds),
            config: SearchConfig::named("simple"),
            words: Value::Text((*self.dice.pick(&WORDS)).to_owned()),
        }
    }

    fn order(&mut self, resource: &str, select: &Select) -> Vec<OrderTerm> {
        let singles: Vec<(usize, String)> = select
            .embeds()
            .filter(|(_, embed)| embed.is_single() && !embed.query.select.is_aggregated())
            .map(|(position, embed)| (position, embed.resource.name.clone()))
            .collect();
        let mut order = Vec::new();
        for _ in 0..self.dice.roll(4) {
            let (embed, of) = if !singles.is_empty() && self.dice.once_in(2) {
                let (position, other) = self.dice.pick(&singles).clone();
                (Some(position), other)
            } else {
                (None, resource.to_owned())
            };
            let (operand, _) = self.operand(&of);
            order.push(self.term(embed, operand));
        }
        let uid = Operand::Field(self.bench.field(resource, "uid"));
        order.push(self.term(None, uid));
        order
    }

    fn term(&mut self, embed: Option<usize>, operand: Operand) -> OrderTerm {
        OrderTerm {
            embed,
            operand,
            direction: *self.dice.pick(&[Direction::Ascending, Direction::Descending]),
            nulls: *self.dice.pick(&[Nulls::Last, Nulls::First]),
        }
    }

    /// One term for each column that groups.
    fn order_of_groups(&mut self, select: &Select) -> Vec<OrderTerm> {
        let mut groups = Vec::new();
        for (position, item) in select.0.iter().enumerate() {
            match item {
                SelectItem::Embed(embed) => {
                    let columns = embed.query.select.0.iter().filter_map(key);
                    groups.extend(columns.map(|operand| (Some(position), operand)));
                }
                item => groups.extend(key(item).map(|operand| (None, operand))),
            }
        }
        groups
            .into_iter()
            .map(|(embed, operand)| self.term(embed, operand))
            .collect()
    }
}

/// What a column that groups is made of.
fn key(item: &SelectItem) -> Option<Operand> {
    match item {
        SelectItem::Field(id) => Some(Operand::Field(*id)),
        SelectItem::Column(column) if !column.expression.is_aggregate() => {
            column.expression.operand().cloned()
        }
        SelectItem::Column(_) | SelectItem::Embed(_) => None,
    }
}

/// Types that every value of the pools can be cast to. An error would come or not, depending on which rows a store looks at.
fn safe_casts(ty: FieldType) -> Vec<ScalarType> {
    use ScalarType::{BigInt, Date, Decimal, Float, Integer, Text, Time, Timestamp};
    match (ty.array, ty.scalar) {
        (false, Integer) => vec![Text, BigInt, Float, Decimal],
        (false, BigInt) => vec![Text, Decimal, Float],
        (false, Float) => vec![Text, Decimal],
        (false, Decimal) => vec![Text, Float],
        (false, Timestamp) => vec![Text, Date, Time],
        (false, Date) => vec![Text, Timestamp],
        _ => vec![Text],
    }
}

/// The ways from rows of a resource to others.
fn ways(bench: &Bench, resource: &str) -> Vec<(&'static str, Relation)> {
    match resource {
        "authors" => vec![
            ("books", bench.many("books", "author_uid")),
            ("reviews", bench.many("reviews", "critic_uid")),
        ],
        "books" => vec![
            ("authors", bench.one("books", "author_uid")),
            ("reviews", bench.many("reviews", "book_uid")),
            ("topics", bench.through("book_topics", "book_uid", "topic_uid")),
            ("blurbs", bench.single("blurbs", "book_uid")),
        ],
        "topics" => vec![
            ("topics", bench.one("topics", "parent_uid")),
            ("topics", bench.many("topics", "parent_uid")),
            ("books", bench.through("book_topics", "topic_uid", "book_uid")),
        ],
        "reviews" => vec![
            ("books", bench.one("reviews", "book_uid")),
            ("authors", bench.one("reviews", "critic_uid")),
        ],
        "blurbs" => vec![("books", bench.one("blurbs", "book_uid"))],
        "specimens" => vec![("exhibits", bench.many("exhibits", "specimen_uid"))],
        "exhibits" => vec![("specimens", bench.one("exhibits", "specimen_uid"))],
        _ => Vec::new(),
    }
}
