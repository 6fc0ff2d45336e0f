//! Random queries print to text that reads back as the same; random text never panics.

use std::sync::Arc;

use proptest::prelude::*;

use super::{Public, books, library, scope};
use crate::definition::{ApiDefinition, FieldId, RelationshipKind, ResourceDefinition};
use crate::field_type::{FieldType, ScalarType};
use crate::query::grammar::{Filtered, parse_columns, parse_on_conflict, parse_rule};
use crate::query::{
    Aggregate, Column, Comparison, Condition, Direction, Embed, EmbedForm, Expression, IsTest, Join,
    JsonPath, JsonResult, JsonStep, Nulls, Operand, OrderTerm, PatternKind, Predicate, Quantifier, Query,
    Reach as _, Relation, SearchConfig, SearchKind, Select, SelectItem, Test, can_cast,
};
use crate::value::{Json, Value};

/// Decisions made by random bytes; none left means the first choice, so that less is simpler.
struct Choices {
    bytes: std::vec::IntoIter<u8>,
    names: usize,
}

impl Choices {
    fn below(&mut self, count: usize) -> usize {
        self.bytes.next().map_or(0, |byte| usize::from(byte) % count)
    }

    fn one_of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    fn chance(&mut self, of: usize) -> bool {
        self.below(of) == of - 1
    }

    fn text(&mut self) -> String {
        let characters = [
            'a', 'b', '"', '\\', ',', '(', ')', '{', '}', '.', ' ', 'é', ':', '-', '%', '0', '&', '=',
        ];
        let length = self.below(6);
        (0..length).map(|_| self.one_of(&characters)).collect()
    }

    /// A name that nothing else in the query has.
    fn name(&mut self) -> String {
        self.names += 1;
        let decoration = self.text();
        format!("{decoration}n{}", self.names)
    }

    fn value(&mut self, ty: FieldType, definition: &ResourceDefinition, field: FieldId) -> Value {
        if ty.array {
            let count = self.below(3);
            let element = FieldType::scalar(ty.scalar);
            return Value::Array(
                (0..count)
                    .map(|_| self.value(element, definition, field))
                    .collect(),
            );
        }
        match ty.scalar {
            ScalarType::Text => Value::Text(self.text()),
            ScalarType::Enum => Value::Text(self.one_of(&definition.field(field).values)),
            ScalarType::Integer => Value::Integer(i32::try_from(self.below(200)).unwrap() - 100),
            ScalarType::Json => {
                let texts = ["1", "\"a b\"", "null", "{\"a\": [1, null]}", "[]", "true"];
                Value::Json(Json::parse(self.one_of(&texts)).unwrap())
            }
            other => {
                let text = match other {
                    ScalarType::Boolean => self.one_of(&["true", "false"]),
                    ScalarType::Decimal => self.one_of(&["1.50", "-3", "NaN"]),
                    ScalarType::Uuid => "0198c0de-0000-7000-8000-000000000001",
                    ScalarType::Date => self.one_of(&["2026-01-31", "infinity", "0044-03-15 BC"]),
                    ScalarType::Timestamp => self.one_of(&["2026-01-31T12:00:00.000001+00:00", "-infinity"]),
                    other => panic!("no field of type {other:?}"),
                };
                Value::read_text(text, ty).unwrap()
            }
        }
    }
}

/// Makes queries that a caller could have typed.
struct Maker<'a> {
    api: &'a ApiDefinition,
    choices: Choices,
    embeds: usize,
}

impl Maker<'_> {
    fn query(&mut self, definition: &Arc<ResourceDefinition>, depth: usize) -> Query {
        let mut items = self.fields(definition);
        for _ in 0..self.choices.below(3) {
            items.push(self.column(definition));
        }
        for _ in 0..self.choices.below(3) {
            if depth < 3 && self.embeds < 15 {
                items.extend(self.embed(definition, depth));
            }
        }
        let select = Select(items.into());
        let condition = self.condition(definition, &select, 3);
        let order = self.order(definition, &select);
        self.page(definition, select, condition, order, depth)
    }

    /// A query with aggregates; its columns are all of different fields.
    fn groups(&mut self, definition: &Arc<ResourceDefinition>) -> Query {
        let mut items = self.fields(definition);
        let pages = Operand::Field(definition.field_id("pages").unwrap());
        let mut argument = Expression::Operand(pages);
        if self.choices.chance(2) {
            argument = Expression::Cast(Box::new(argument), ScalarType::Decimal);
        }
        let aggregates = [
            Expression::CountRows,
            Expression::Aggregate(Aggregate::Sum, Box::new(argument.clone())),
            Expression::Cast(
                Box::new(Expression::Aggregate(Aggregate::Max, Box::new(argument))),
                ScalarType::Text,
            ),
        ];
        let column = Column {
            name: self.choices.name(),
            expression: self.choices.one_of(&aggregates),
        };
        items.push(SelectItem::Column(Arc::new(column)));
        let select = Select(items.into());
        let condition = self.condition(definition, &select, 2);
        let mut order = Vec::new();
        for item in select.0.iter().rev() {
            if let SelectItem::Field(id) = item {
                order.push(self.term(None, Operand::Field(*id)));
            }
        }
        self.page(definition, select, condition, order, 0)
    }

    fn page(
        &mut self,
        definition: &ResourceDefinition,
        select: Select,
        condition: Condition,
        order: Vec<OrderTerm>,
        depth: usize,
    ) -> Query {
        let most = definition.page.max.min(if depth == 0 { 100 } else { 50 });
        Query {
            select,
            condition,
            order,
            after: None,
            limit: u32::try_from(self.choices.below(255)).unwrap().min(most),
            offset: self.choices.below(255) as u64,
        }
    }

    fn fields(&mut self, definition: &ResourceDefinition) -> Vec<SelectItem> {
        let mut ids = readable(definition);
        let count = 1 + self.choices.below(4);
        (0..count)
            .map(|_| SelectItem::Field(ids.remove(self.choices.below(ids.len()))))
            .collect()
    }

    fn operand(&mut self, definition: &ResourceDefinition) -> Operand {
        let ids = readable(definition);
        let field = self.choices.one_of(&ids);
        if definition.field(field).ty != FieldType::scalar(ScalarType::Json) || self.choices.chance(4) {
            return Operand::Field(field);
        }
        let steps = (0..=self.choices.below(3))
            .map(|_| match self.choices.below(3) {
                0 => JsonStep::Key("size".to_owned()),
                1 => JsonStep::Index(i32::try_from(self.choices.below(9)).unwrap() - 4),
                _ => JsonStep::Key(self.choices.text()),
            })
            .collect();
        let result = self.choices.one_of(&[JsonResult::Json, JsonResult::Text]);
        Operand::Json {
            field,
            path: JsonPath { steps, result },
        }
    }

    fn column(&mut self, definition: &ResourceDefinition) -> SelectItem {
        let mut expression = Expression::Operand(self.operand(definition));
        let to = self.choices.one_of(&ScalarType::ALL);
        if can_cast(expression.ty(definition), to) {
            expression = Expression::Cast(Box::new(expression), to);
        }
        SelectItem::Column(Arc::new(Column {
            name: self.choices.name(),
            expression,
        }))
    }

    fn embed(&mut self, origin: &Arc<ResourceDefinition>, depth: usize) -> Option<SelectItem> {
        let relationships = self.api.relationships(origin);
        if relationships.is_empty() {
            return None;
        }
        let relationship = self.choices.one_of(relationships);
        let resource = &self.api.resources[relationship.target as usize];
        if Public.embedded(resource).is_err() {
            return None;
        }
        let relation = match relationship.kind {
            RelationshipKind::One { field } => {
                Public.may_read(origin, field).then_some(())?;
                Relation::One { field }
            }
            RelationshipKind::Single { field } => Relation::Single { field },
            RelationshipKind::Many { field } => {
                Public.may_read(resource, field).then_some(())?;
                Relation::Many { field }
            }
            RelationshipKind::Through {
                resource: join,
                near,
                far,
                ..
            } => {
                let join = &self.api.resources[join as usize];
                let is_open = Public.may_read(join, near) && Public.may_read(join, far);
                (is_open && Public.embedded(join).is_ok()).then_some(())?;
                Relation::Through {
                    resource: Arc::clone(join),
                    near,
                    far,
                    visible: Condition::Always,
                }
            }
        };
        self.embeds += 1;
        let mut query = self.query(resource, depth + 1);
        let mut form = EmbedForm::Nested;
        if self.choices.chance(3) {
            // What is spread must not have the names of what is there.
            form = EmbedForm::Spread;
            let select = Select([self.column(resource)].into());
            let condition = self.condition(resource, &select, 1);
            let order = self.order(resource, &select);
            query = self.page(resource, select, condition, order, depth + 1);
        }
        let embed = Embed {
            name: self.choices.name(),
            resource: Arc::clone(resource),
            relation,
            join: self.choices.one_of(&[Join::Left, Join::Inner]),
            form,
            visible: Condition::Always,
            query,
        };
        Some(SelectItem::Embed(Arc::new(embed)))
    }

    fn term(&mut self, embed: Option<usize>, operand: Operand) -> OrderTerm {
        OrderTerm {
            embed,
            operand,
            direction: self
                .choices
                .one_of(&[Direction::Ascending, Direction::Descending]),
            nulls: self.choices.one_of(&[Nulls::First, Nulls::Last]),
        }
    }

    fn order(&mut self, definition: &ResourceDefinition, select: &Select) -> Vec<OrderTerm> {
        let mut order: Vec<OrderTerm> = Vec::new();
        let uid = Operand::Field(definition.audit.uid);
        let singles: Vec<(usize, &Embed)> = select.embeds().filter(|(_, embed)| embed.is_single()).collect();
        for _ in 0..self.choices.below(4) {
            let (embed, operand) = if singles.is_empty() || self.choices.chance(2) {
                (None, self.operand(definition))
            } else {
                let (position, embed) = self.choices.one_of(&singles);
                (Some(position), self.operand(&embed.resource))
            };
            let is_new = order
                .iter()
                .all(|term| (term.embed, &term.operand) != (embed, &operand));
            if is_new && operand != uid {
                let term = self.term(embed, operand);
                order.push(term);
            }
        }
        order.push(OrderTerm {
            embed: None,
            operand: uid,
            direction: Direction::Ascending,
            nulls: Nulls::Last,
        });
        order
    }

    fn condition(&mut self, definition: &ResourceDefinition, select: &Select, depth: usize) -> Condition {
        if depth > 0 {
            let count = self.choices.below(3);
            match self.choices.below(5) {
                1 => {
                    return Condition::all((0..count).map(|_| self.condition(definition, select, depth - 1)));
                }
                2 => {
                    return Condition::any((0..count).map(|_| self.condition(definition, select, depth - 1)));
                }
                3 => return self.condition(definition, select, depth - 1).negate(),
                _ => {}
            }
        }
        let embeds: Vec<usize> = select.embeds().map(|(position, _)| position).collect();
        match self.choices.below(8) {
            0 => Condition::Always,
            1 => Condition::Never,
            2 if !embeds.is_empty() => Condition::Embedded(self.choices.one_of(&embeds)),
            _ => self.test(definition),
        }
    }

    fn test(&mut self, definition: &ResourceDefinition) -> Condition {
        let operand = self.operand(definition);
        let (ty, field) = (operand.ty(definition), operand.field());
        let is_text = ty == FieldType::scalar(ScalarType::Text);
        let is_json = ty == FieldType::scalar(ScalarType::Json);
        let comparison = self.choices.one_of(&[
            Comparison::Eq,
            Comparison::Neq,
            Comparison::Gt,
            Comparison::Gte,
            Comparison::Lt,
            Comparison::Lte,
        ]);
        let quantifier = self.choices.one_of(&[Quantifier::Any, Quantifier::All]);
        let predicate = match self.choices.below(9) {
            1 => Predicate::IsDistinct(self.choices.value(ty, definition, field)),
            2 => Predicate::In(
                (0..=self.choices.below(3))
                    .map(|_| self.choices.value(ty, definition, field))
                    .collect(),
            ),
            3 if ty == FieldType::scalar(ScalarType::Boolean) => {
                Predicate::Is(
                    self.choices
                        .one_of(&[IsTest::True, IsTest::False, IsTest::Unknown]),
                )
            }
            3 => Predicate::Is(self.choices.one_of(&[IsTest::Null, IsTest::NotNull])),
            4 if !ty.array => {
                let count = self.choices.below(4);
                let values = (0..count)
                    .map(|_| self.choices.value(ty, definition, field))
                    .collect();
                Predicate::CompareEach(comparison, quantifier, values)
            }
            5 if is_text => self.matches(quantifier),
            6 if is_text || is_json => Predicate::Search {
                kind: self.choices.one_of(&[
                    SearchKind::Query,
                    SearchKind::Plain,
                    SearchKind::Phrase,
                    SearchKind::Web,
                ]),
                config: self.choices.one_of(&[None, SearchConfig::named("english")]),
                words: Value::Text(self.choices.text()),
            },
            7 if ty.array || is_json => {
                let value = self.choices.value(ty, definition, field);
                self.choices
                    .one_of(&[Predicate::Contains(value.clone()), Predicate::ContainedIn(value)])
            }
            8 if ty.array => Predicate::Overlaps(self.choices.value(ty, definition, field)),
            _ => Predicate::Compare(comparison, self.choices.value(ty, definition, field)),
        };
        Condition::Test(Test { operand, predicate })
    }

    fn matches(&mut self, quantifier: Quantifier) -> Predicate {
        let kind = self.choices.one_of(&[
            PatternKind::Like,
            PatternKind::ILike,
            PatternKind::Regex,
            PatternKind::IRegex,
        ]);
        let patterns: Vec<Value> = (0..=self.choices.below(2))
            .map(|_| Value::Text(self.choices.text().trim_end_matches('\\').to_owned()))
            .collect();
        if self.choices.chance(2) {
            Predicate::MatchesEach(kind, quantifier, patterns)
        } else {
            Predicate::Matches(kind, patterns[0].clone())
        }
    }
}

fn readable(definition: &ResourceDefinition) -> Vec<FieldId> {
    let ids = definition.field_ids();
    ids.filter(|id| !definition.field(*id).write_only && Public.may_read(definition, *id))
        .collect()
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..300)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn what_is_printed_reads_back_as_the_same(bytes in bytes(), grouped in prop::bool::weighted(0.2)) {
        let api = library();
        let choices = Choices { bytes: bytes.into_iter(), names: 0 };
        let mut maker = Maker { api: &api, choices, embeds: 0 };
        let query = if grouped { maker.groups(books(&api)) } else { maker.query(books(&api), 0) };
        let parameters = query.to_parameters(books(&api));
        let pairs = parameters.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let read = Query::parse(pairs, &scope(&api)).map(|parsed| parsed.query);
        prop_assert_eq!(read.as_ref(), Ok(&query), "{:?}", parameters);
    }

    #[test]
    fn random_text_never_panics(
        key in prop_oneof![
            "[a-z.]{0,8}",
            "(and|or|not\\.or|title|pages|order|select|a\\.name|details->[a\"]{0,2}|on_conflict)",
            ".{0,12}",
        ],
        value in prop_oneof![
            ".{0,40}",
            "[a-z().,\"\\\\*{}:>!-]{0,40}",
            "\\(?(title|pages|not)\\.(eq|in|is|like)(\\(any\\))?\\.[(a\",)\\\\{}]{0,12}",
            "(a:|\\.\\.\\.)?(authors|covers|count|price)!?[a-z_:.()]{0,20}",
        ],
    ) {
        let api = library();
        let select = [("select", "title,a:authors!author_uid(name)"), (key.as_str(), value.as_str())];
        let _ = Query::parse(select, &scope(&api));
        let _ = Query::parse([select[1]], &scope(&api));
        let _ = Filtered::parse(select, &scope(&api));
        let _ = Select::parse(select, &scope(&api));
        let _ = parse_columns(&value, books(&api));
        let _ = parse_on_conflict(&value, &scope(&api));
        let _ = parse_rule(&format!("{key}={value}"), books(&api));
    }
}
