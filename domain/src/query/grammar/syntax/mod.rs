//! Query text taken apart: names, operators and values as they are written.
//!
//! No resource is known here, and no text is refused because it is not served; only what follows no rule of the
//! grammar is. Depth and number are bounded, so that no text costs more than its length.

mod columns;
mod conditions;
mod token;

use std::borrow::Cow;

use winnow::Parser;
use winnow::error::{ParseError, ParserError};
use winnow::stream::Stream;
use winnow::token::rest;

use columns::{list_of, order_term, select_item};
use conditions::{children, read_operation};
use token::name;

/// The name of a filter parameter.
pub(super) fn key(text: &str) -> Result<Key<'_>, Misread<'_>> {
    let branch = |negated, joint| Ok(Key::Branch { negated, joint });
    match text {
        "and" => return branch(false, Joint::And),
        "or" => return branch(false, Joint::Or),
        "not.and" => return branch(true, Joint::And),
        "not.or" => return branch(true, Joint::Or),
        _ => {}
    }
    complete(text, |input: &mut &str| {
        let name = name(input)?;
        if !input.starts_with('.') {
            return Ok(Key::Field(name));
        }
        rest::<_, Expected>.parse_next(input)?;
        Ok(Key::Embedded(name.field))
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
    complete(text, |input: &mut &str| list_of(input, select_item))
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
    /// What follows it, from `->` on; empty where nothing does.
    pub(super) json_path: &'a str,
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

#[derive(Debug, PartialEq)]
pub(super) enum Operand<'a> {
    One(Cow<'a, str>),
    List(Vec<Cow<'a, str>>),
}

/// One term of an order.
#[derive(Debug, PartialEq)]
pub(super) struct OrderTerm<'a> {
    pub(super) name: Name<'a>,
    /// Whether it is a field of an embedded resource: `authors(name)`.
    pub(super) embedded: bool,
    pub(super) descending: bool,
    /// `Some(true)` for `nullsfirst`.
    pub(super) nulls_first: Option<bool>,
}

/// One item of a column list.
#[derive(Debug, PartialEq)]
pub(super) enum SelectItem<'a> {
    Star,
    Column {
        alias: Option<Cow<'a, str>>,
        name: Name<'a>,
        cast: Option<&'a str>,
        aggregate: Option<&'a str>,
    },
    /// An embedded resource; what it selects is not taken apart yet.
    Embed(Cow<'a, str>),
}

/// The name of a parameter that filters.
#[derive(Debug, PartialEq)]
pub(super) enum Key<'a> {
    Field(Name<'a>),
    Branch {
        negated: bool,
        joint: Joint,
    },
    /// Something of an embedded resource: `authors.name`.
    Embedded(Cow<'a, str>),
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
