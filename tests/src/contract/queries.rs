//! Queries in few words: columns, paths, embeds.

use std::sync::Arc;

use rowstamp_domain::field_type::ScalarType;
use rowstamp_domain::query::{
    Aggregate, Column, Condition, Embed, EmbedForm, Expression, Join, JsonPath, JsonResult, JsonStep,
    Operand, OrderTerm, Predicate, Query, Relation, Select, SelectItem, Test,
};

use super::Bench;

impl Bench {
    /// A field, `field`, or a part of one, `field->key->0->>key`.
    ///
    /// # Panics
    /// When it is neither.
    pub fn operand(&self, resource: &str, text: &str) -> Operand {
        let Some((field, mut rest)) = text.split_once("->") else {
            return Operand::Field(self.field(resource, text));
        };
        let mut steps = Vec::new();
        let mut result = JsonResult::Json;
        loop {
            let (step, following) = match rest.strip_prefix('>') {
                Some(last) => {
                    result = JsonResult::Text;
                    (last, None)
                }
                None => rest
                    .split_once("->")
                    .map_or((rest, None), |(step, following)| (step, Some(following))),
            };
            steps.push(
                step.parse()
                    .map_or_else(|_| JsonStep::Key(step.to_owned()), JsonStep::Index),
            );
            match following {
                Some(following) => rest = following,
                None => break,
            }
        }
        Operand::Json {
            field: self.field(resource, field),
            path: JsonPath {
                steps: steps.into(),
                result,
            },
        }
    }

    /// What [`operand`](Self::operand) reads, to be shown.
    pub fn expression(&self, resource: &str, text: &str) -> Expression {
        Expression::Operand(self.operand(resource, text))
    }

    /// A condition on what [`operand`](Self::operand) reads.
    pub fn test_of(&self, resource: &str, text: &str, predicate: Predicate) -> Condition {
        Condition::Test(Test {
            operand: self.operand(resource, text),
            predicate,
        })
    }

    /// Rows of `resource` found by `relation`, as objects under `name`, with these columns.
    pub fn embed(&self, name: &str, resource: &str, relation: Relation, columns: &[&str]) -> Embed {
        Embed {
            name: name.to_owned(),
            resource: Arc::clone(self.resource(resource)),
            relation,
            join: Join::Left,
            form: EmbedForm::Nested,
            visible: Condition::Always,
            query: self.list(resource, columns).query,
        }
    }

    /// The row that `field` of `resource` refers to.
    pub fn one(&self, resource: &str, field: &str) -> Relation {
        Relation::One {
            field: self.field(resource, field),
        }
    }

    /// The rows whose `field` refers to the row: `many("reviews", "book_uid")`.
    pub fn many(&self, resource: &str, field: &str) -> Relation {
        Relation::Many {
            field: self.field(resource, field),
        }
    }

    /// The one row whose unique `field` refers to the row: `single("blurbs", "book_uid")`.
    pub fn single(&self, resource: &str, field: &str) -> Relation {
        Relation::Single {
            field: self.field(resource, field),
        }
    }

    /// Through rows of a third resource, all of which may be seen: `through("book_topics", "book_uid", "topic_uid")`.
    pub fn through(&self, resource: &str, near: &str, far: &str) -> Relation {
        Relation::Through {
            resource: Arc::clone(self.resource(resource)),
            near: self.field(resource, near),
            far: self.field(resource, far),
            visible: Condition::Always,
        }
    }
}

/// A column under a name of its own.
pub fn column(name: &str, expression: Expression) -> SelectItem {
    SelectItem::Column(Arc::new(Column {
        name: name.to_owned(),
        expression,
    }))
}

/// `expression::type`
pub fn cast(expression: Expression, to: ScalarType) -> Expression {
    Expression::Cast(Box::new(expression), to)
}

/// `expression.function()`
pub fn aggregate(function: Aggregate, expression: Expression) -> Expression {
    Expression::Aggregate(function, Box::new(expression))
}

/// An embed as a column.
pub fn embedded(embed: Embed) -> SelectItem {
    SelectItem::Embed(Arc::new(embed))
}

/// Adds columns to those of a query; gives the position of the first of them.
pub fn also(query: &mut Query, items: impl IntoIterator<Item = SelectItem>) -> usize {
    let position = query.select.0.len();
    query.select = Select(query.select.0.iter().cloned().chain(items).collect());
    position
}

/// An order by the row of the embed at this position.
pub fn of_embed(position: usize, mut term: OrderTerm) -> OrderTerm {
    term.embed = Some(position);
    term
}
