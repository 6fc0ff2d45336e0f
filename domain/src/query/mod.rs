//! What can be asked of a collection: conditions, order, columns and pages, as typed values.
//!
//! Every name is a [`FieldId`] and every value has its field's type by the time it is here. The grammar that
//! people type is read and printed by [`grammar`]; nothing here knows SQL or HTTP.

pub mod grammar;
mod simplify;

mod embed;
mod expression;
mod scope;

use std::sync::Arc;

pub use embed::{Embed, EmbedForm, Join, Relation};
pub use expression::{Aggregate, Column, Expression, can_cast};
pub use scope::{Reach, Scope, Unreachable};

use crate::definition::FieldId;
use crate::value::Value;

/// A condition on one row, with SQL's three-valued logic: what is unknown does not match.
///
/// `V` is [`Value`] when it can be evaluated, and [`RuleValue`] in an access rule, where parts come from the caller.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition<V = Value> {
    /// True for every row.
    Always,
    /// True for no row.
    Never,
    /// True when all of these are; an empty list is true.
    All(Vec<Condition<V>>),
    /// True when any of these is; an empty list is false.
    Any(Vec<Condition<V>>),
    /// SQL's NOT: unknown stays unknown.
    Not(Box<Condition<V>>),
    /// A test of one operand.
    Test(Test<V>),
    /// True where the embed at this position of the query's own `select` has a row, never unknown: `authors=not.is.null`.
    /// Access rules hold none.
    Embedded(usize),
}

/// One operand and what is asked of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Test<V = Value> {
    /// What is looked at.
    pub operand: Operand,
    /// What it must satisfy.
    pub predicate: Predicate<V>,
}

/// What a condition or an order looks at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Operand {
    /// A field of the row.
    Field(FieldId),
    /// A part of a `json` field: `details->size->>0`. It is NULL where there is no such part.
    Json {
        /// The field.
        field: FieldId,
        /// The way to the part.
        path: JsonPath,
    },
}

impl Operand {
    /// The field that is looked at, or into.
    pub const fn field(&self) -> FieldId {
        match self {
            Self::Field(id) | Self::Json { field: id, .. } => *id,
        }
    }
}

/// A way into a JSON value; never empty, cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JsonPath {
    /// Each arrow, from the outside in.
    pub steps: Arc<[JsonStep]>,
    /// What the last arrow gives.
    pub result: JsonResult,
}

/// One arrow of a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum JsonStep {
    /// A member of an object: `->size`, `->"a key"`.
    Key(String),
    /// An element of an array, from the end where it is negative: `->0`.
    Index(i32),
}

/// What the last arrow of a path gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JsonResult {
    /// `->`: a JSON value.
    Json,
    /// `->>`: text; JSON null is SQL NULL.
    Text,
}

/// What is asked of an operand.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate<V = Value> {
    /// `eq neq gt gte lt lte`.
    Compare(Comparison, V),
    /// `in.(…)`.
    In(Vec<V>),
    /// `is.null` and its kin.
    Is(IsTest),
    /// `eq(any).{…}`, `lt(all).{…}`: true when any (all) of the values pass; with none, `any` is false and `all` is true.
    CompareEach(Comparison, Quantifier, Vec<V>),
    /// `isdistinct`: like `neq`, with NULL as a value.
    IsDistinct(V),
    /// `like ilike match imatch` on text.
    Matches(PatternKind, V),
    /// `like(any).{…}` and its kin, as in [`Predicate::CompareEach`].
    MatchesEach(PatternKind, Quantifier, Vec<V>),
    /// `fts plfts phfts wfts` on text and `json`: full-text search.
    Search {
        /// How `words` is read.
        kind: SearchKind,
        /// The text search configuration; the database's default where none is named.
        config: Option<SearchConfig>,
        /// The words as the kind wants them.
        words: V,
    },
    /// `cs`: an array or JSON value contains this one.
    Contains(V),
    /// `cd`: it is contained in this one.
    ContainedIn(V),
    /// `ov`: an array has an element in common with this one.
    Overlaps(V),
}

/// Whether one or each of several values must pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantifier {
    /// `(any)`
    Any,
    /// `(all)`
    All,
}

/// The languages of patterns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PatternKind {
    /// `like`: `%` (typed `*` or `%`) and `_` are wildcards, `\\` escapes; the value is the pattern as SQL has it.
    Like,
    /// `ilike`: the same, whatever the case.
    ILike,
    /// `match`: a POSIX regular expression, found anywhere in the text; SQL's `~`.
    Regex,
    /// `imatch`: the same, whatever the case; SQL's `~*`.
    IRegex,
}

/// How the words of a full-text search are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SearchKind {
    /// `fts`: `to_tsquery`, with `&`, `|`, `!` and `<->`.
    Query,
    /// `plfts`: `plainto_tsquery`.
    Plain,
    /// `phfts`: `phraseto_tsquery`.
    Phrase,
    /// `wfts`: `websearch_to_tsquery`.
    Web,
}

/// A text search configuration of PostgreSQL, one of those that every server has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SearchConfig(&'static str);

impl SearchConfig {
    /// Those of PostgreSQL 15.
    const NAMES: [&'static str; 29] = [
        "simple",
        "arabic",
        "armenian",
        "basque",
        "catalan",
        "danish",
        "dutch",
        "english",
        "finnish",
        "french",
        "german",
        "greek",
        "hindi",
        "hungarian",
        "indonesian",
        "irish",
        "italian",
        "lithuanian",
        "nepali",
        "norwegian",
        "portuguese",
        "romanian",
        "russian",
        "serbian",
        "spanish",
        "swedish",
        "tamil",
        "turkish",
        "yiddish",
    ];

    /// The configuration of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|known| *known == name).map(Self)
    }

    /// Its name, fit to stand in a statement.
    pub const fn name(self) -> &'static str {
        self.0
    }

    /// All names.
    pub const fn names() -> &'static [&'static str] {
        &Self::NAMES
    }
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `=`
    Eq,
    /// `<>`
    Neq,
    /// `>`
    Gt,
    /// `>=`
    Gte,
    /// `<`
    Lt,
    /// `<=`
    Lte,
}

/// What `is.` can ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IsTest {
    /// `is.null`
    Null,
    /// `is.not_null`
    NotNull,
    /// `is.true`
    True,
    /// `is.false`
    False,
    /// `is.unknown`
    Unknown,
}

/// A value in an access rule.
#[derive(Debug, Clone, PartialEq)]
pub enum RuleValue {
    /// Written in the definition.
    Literal(Value),
    /// `$sub`: the caller's subject.
    Subject,
    /// `$claim(name)`: a claim of the caller.
    Claim(String),
}

/// What a list asks for, checked against its definition.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The columns of the answer.
    pub select: Select,
    /// Which rows.
    pub condition: Condition,
    /// In which order; total. Without aggregates its last term is `uid`. With them it names every column that groups, and a term's operand
    /// stands for the one column over it, cast as that one is: with `printed::date` among the columns, `printed` is ordered by as a date.
    pub order: Vec<OrderTerm>,
    /// Only rows that come after this position: the value of each term of `order`, as [`crate::operation::Outcome::next`] told it.
    pub after: Option<Vec<Value>>,
    /// At most this many rows.
    pub limit: u32,
    /// After skipping this many.
    pub offset: u64,
}

/// One term of an order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrderTerm {
    /// The embed whose row is looked at, by its position in the query's own `select`: `authors(name)`. It is one that finds at most one
    /// row, and where it finds none the operand is NULL. `None` for the row itself.
    pub embed: Option<usize>,
    /// What is ordered by.
    pub operand: Operand,
    /// Which way.
    pub direction: Direction,
    /// Where NULLs go.
    pub nulls: Nulls,
}

/// Ascending or descending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Smallest first.
    Ascending,
    /// Greatest first.
    Descending,
}

/// Where NULLs go; PostgreSQL puts them last ascending and first descending unless told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Nulls {
    /// Before everything else.
    First,
    /// After everything else.
    Last,
}

/// The columns of an answer, in order; cheap to clone.
///
/// With an aggregate among them, the rows are grouped by all the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Select(pub Arc<[SelectItem]>);

impl Select {
    /// Whether rows are grouped.
    pub fn is_aggregated(&self) -> bool {
        self.0.iter().any(|item| match item {
            SelectItem::Field(_) => false,
            SelectItem::Column(column) => column.expression.is_aggregate(),
            SelectItem::Embed(embed) => embed.form == EmbedForm::Spread && embed.query.select.is_aggregated(),
        })
    }

    /// Whether nothing of it is shown: no columns, and no embeds but such.
    pub fn shows_nothing(&self) -> bool {
        self.0.iter().all(|item| match item {
            SelectItem::Field(_) | SelectItem::Column(_) => false,
            SelectItem::Embed(embed) => embed.query.select.shows_nothing(),
        })
    }

    /// Whether it is nothing but fields under their own names.
    pub fn is_plain(&self) -> bool {
        self.0.iter().all(|item| matches!(item, SelectItem::Field(_)))
    }

    /// The embeds, with their positions.
    pub fn embeds(&self) -> impl Iterator<Item = (usize, &Embed)> {
        self.0
            .iter()
            .enumerate()
            .filter_map(|(position, item)| match item {
                SelectItem::Embed(embed) => Some((position, &**embed)),
                SelectItem::Field(_) | SelectItem::Column(_) => None,
            })
    }
}

/// One column of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum SelectItem {
    /// A field under its own name.
    Field(FieldId),
    /// Something else under a name of its own.
    Column(Arc<Column>),
    /// Rows of another resource.
    Embed(Arc<Embed>),
}
