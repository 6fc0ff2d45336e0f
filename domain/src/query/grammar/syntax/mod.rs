//! Query text taken apart: names, operators and values as they are written.
//!
//! No resource is known here, and no text is refused because it is not served; only what follows no rule of the
//! grammar is. Depth and number are bounded, so that no text costs more than its length.

mod columns;
mod conditions;
mod json_path;
mod token;

use std::borrow::Cow;

use winnow::Parser;
use winnow::error::{ParseError, ParserError};
use winnow::stream::Stream;
use winnow::token::rest;

use crate::query::{Aggregate, Join, JsonPath};
use columns::{list_of, order_term, plain_name, select_item};
use conditions::{children, read_operation};

/// How many embeds the name of a parameter may lead through.
const MAX_PATH: usize = 8;

/// The name of a parameter that is about rows: of the resource itself, or of one that is embedded.
pub(super) fn key(text: &str) -> Result<Key<'_>, Misread<'_>> {
    complete(text, |input: &mut &str| {
        let mut path = Vec::new();
        let mut negated = false;
        loop {
            let quoted = input.starts_with('"');
            let field = token::bare_name(input)?;
            let leaf = match field.as_ref() {
                "and" if !quoted => Some(Leaf::Branch(negated, Joint::And)),
                "or" if !quoted => Some(Leaf::Branch(negated, Joint::Or)),
                "order" if !quoted => Some(Leaf::Order),
                "limit" if !quoted => Some(Leaf::Limit),
                "offset" if !quoted => Some(Leaf::Offset),
                _ => None,
            };
            if input.is_empty()
                && let Some(leaf) = leaf
            {
                if negated {
                    path.pop();
                }
                return Ok(Key { path, leaf });
            }
            if !token::eat(input, ".") {
                let json_path = json_path::json_path(input)?;
                token::blanks(input)?;
                let name = Name {
                    field,
                    path: json_path,
                };
                return Ok(Key {
                    path,
                    leaf: Leaf::Field(name),
                });
            }
            negated = field == "not" && !quoted && matches!(*input, "and" | "or");
            path.push(field);
            if path.len() > MAX_PATH {
                return Err(Expected("a shorter path"));
            }
        }
    })
}

/// The value of a filter parameter: `not.eq.5`. What follows the operator is taken as it is.
pub(super) fn operation(text: &str) -> Result<Operation<'_>, Misread<'_>> {
    complete(text, |input: &mut &str| {
        read_operation(input, |input| rest.map(Cow::Borrowed).parse_next(input))
    })
}

/// The value of `and=` and `or=`: `(a.eq.1,or(b.eq.2,c.is.null))`.
pub(super) fn branch(text: &str) -> Result<Vec<Tree<'_>>, Misread<'_>> {
    let mut conditions = 0;
    complete(text, |input: &mut &str| children(input, 1, &mut conditions))
}

/// The value of `order=`.
pub(super) fn order(text: &str) -> Result<Vec<OrderTerm<'_>>, Misread<'_>> {
    complete(text, |input: &mut &str| list_of(input, order_term))
}

/// The value of `select=`; nothing where it is empty.
pub(super) fn select(text: &str) -> Result<Vec<SelectItem<'_>>, Misread<'_>> {
    if text.trim_matches([' ', '\t']).is_empty() {
        return Ok(Vec::new());
    }
    complete(text, |input: &mut &str| {
        list_of(input, |input| select_item(input, 0))
    })
}

/// The value of `columns=` and `on_conflict=`; nothing where it is empty.
pub(super) fn names(text: &str) -> Result<Vec<Cow<'_, str>>, Misread<'_>> {
    if text.trim_matches([' ', '\t']).is_empty() {
        return Ok(Vec::new());
    }
    complete(text, |input: &mut &str| list_of(input, plain_name))
}

/// Reads all of `text`.
fn complete<'a, O>(text: &'a str, mut read: impl FnMut(&mut &'a str) -> Parsed<O>) -> Result<O, Misread<'a>> {
    (|input: &mut &'a str| {
        let read = read(input)?;
        if input.is_empty() {
            Ok(read)
        } else {
            Err(Expected("end of input"))
        }
    })
    .parse(text)
}

/// A field as it is written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Name<'a> {
    pub(super) field: Cow<'a, str>,
    /// What follows it, from `->` on.
    pub(super) path: Option<JsonPath>,
}

/// A condition as it is written.
#[derive(Debug, PartialEq)]
pub(super) enum Tree<'a> {
    Filter(Name<'a>, Operation<'a>),
    Branch {
        negated: bool,
        joint: Joint,
        children: Vec<Tree<'a>>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Joint {
    And,
    Or,
}

/// What is asked of a field: `not.eq.5`.
#[derive(Debug, PartialEq)]
pub(super) struct Operation<'a> {
    pub(super) negated: bool,
    pub(super) operator: &'a str,
    /// What stands in parentheses after the operator: `any`, `all`, or a language.
    pub(super) modifier: Option<&'a str>,
    pub(super) operand: Operand<'a>,
}

impl Operation<'_> {
    /// The word of `is.null` and its kin, in small letters where it is one that asks for NULL.
    pub(super) fn is_test(&self) -> Option<&'static str> {
        match &self.operand {
            Operand::One(text) if self.operator == "is" && self.modifier.is_none() => ["null", "not_null"]
                .into_iter()
                .find(|word| text.eq_ignore_ascii_case(word)),
            _ => None,
        }
    }
}

#[derive(Debug, PartialEq)]
pub(super) enum Operand<'a> {
    One(Cow<'a, str>),
    List(Vec<Cow<'a, str>>),
}

/// One term of an order.
#[derive(Debug, PartialEq)]
pub(super) struct OrderTerm<'a> {
    /// The embedded resource whose field it is: `authors(name)`.
    pub(super) embed: Option<Cow<'a, str>>,
    pub(super) name: Name<'a>,
    pub(super) descending: bool,
    /// `Some(true)` for `nullsfirst`.
    pub(super) nulls_first: Option<bool>,
}

/// One item of a column list.
#[derive(Debug, PartialEq)]
pub(super) enum SelectItem<'a> {
    Star,
    Column(Column<'a>),
    Embed(Embed<'a>),
}

/// `alias:name->path::type.sum()::type`
#[derive(Debug, PartialEq)]
pub(super) struct Column<'a> {
    pub(super) alias: Option<Cow<'a, str>>,
    /// Nothing for `count()` of rows.
    pub(super) argument: Option<Name<'a>>,
    pub(super) casts: Vec<&'a str>,
    pub(super) aggregate: Option<Aggregate>,
    pub(super) aggregate_casts: Vec<&'a str>,
}

/// `alias:target!hint!inner(select)`
#[derive(Debug, PartialEq)]
pub(super) struct Embed<'a> {
    pub(super) spread: bool,
    pub(super) alias: Option<Cow<'a, str>>,
    pub(super) target: Cow<'a, str>,
    pub(super) hint: Option<Cow<'a, str>>,
    pub(super) join: Join,
    pub(super) select: Vec<SelectItem<'a>>,
}

/// The name of a parameter that is about rows.
#[derive(Debug, PartialEq)]
pub(super) struct Key<'a> {
    /// The embedded resources it leads through, from the outside in.
    pub(super) path: Vec<Cow<'a, str>>,
    pub(super) leaf: Leaf<'a>,
}

/// What a parameter says of the rows it leads to.
#[derive(Debug, PartialEq)]
pub(super) enum Leaf<'a> {
    /// A filter.
    Field(Name<'a>),
    /// `and`, `or`; whether `not` stands before it.
    Branch(bool, Joint),
    Order,
    Limit,
    Offset,
}

/// What would have continued a text that follows no rule.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expected(pub(super) &'static str);

impl<I: Stream> ParserError<I> for Expected {
    type Inner = Self;

    fn from_input(_: &I) -> Self {
        Self("something else")
    }

    fn into_inner(self) -> Result<Self, Self> {
        Ok(self)
    }
}
type Parsed<O> = Result<O, Expected>;
/// Where a text stops following the grammar, and what was expected there.
pub(super) type Misread<'a> = ParseError<&'a str, Expected>;
