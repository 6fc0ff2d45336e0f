//! Query text taken apart: names, operators and values as they are written.
//!
//! No resource is known here, and no text is refused because it is not served; only what follows no rule of the
//! grammar is. Depth and number are bounded, so that no text costs more than its length.

use std::borrow::Cow;

use winnow::Parser;
use winnow::error::{ParseError, ParserError};
use winnow::stream::Stream;
use winnow::token::{literal, rest, take_till, take_while};

/// How deep `and` and `or` may be nested.
const MAX_DEPTH: usize = 20;
/// How many conditions one parameter may hold.
const MAX_CONDITIONS: usize = 500;
/// How many values `in` may list, and how many terms an order or a column list may have.
const MAX_LIST: usize = 10_000;
const MAX_TERMS: usize = 2_000;

/// Every operator of the grammar.
const OPERATORS: [&str; 25] = [
    "eq",
    "neq",
    "gt",
    "gte",
    "lt",
    "lte",
    "like",
    "ilike",
    "match",
    "imatch",
    "in",
    "is",
    "isdistinct",
    "fts",
    "plfts",
    "phfts",
    "wfts",
    "cs",
    "cd",
    "ov",
    "sl",
    "sr",
    "nxr",
    "nxl",
    "adj",
];

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

const FIELD_NAME: Expected = Expected("field name (* or [a..z0..9_$])");
const OPERATOR: Expected = Expected("\"not\" or operator (eq, gt, ...)");
const DELIMITER: Expected = Expected("delimiter (.)");
const TREE: Expected =
    Expected("field name (* or [a..z0..9_$]), negation operator (not) or logic operator (and, or)");

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

fn list_of<'a, O>(input: &mut &'a str, mut item: impl FnMut(&mut &'a str) -> Parsed<O>) -> Parsed<Vec<O>> {
    let mut items = Vec::new();
    loop {
        blanks(input)?;
        items.push(item(input)?);
        blanks(input)?;
        if !eat(input, ",") {
            return Ok(items);
        }
        if items.len() == MAX_TERMS {
            return Err(Expected("a shorter list"));
        }
    }
}

fn tree<'a>(input: &mut &'a str, depth: usize, conditions: &mut usize) -> Parsed<Tree<'a>> {
    *conditions += 1;
    if *conditions > MAX_CONDITIONS {
        return Err(Expected("fewer conditions"));
    }
    blanks(input)?;
    if let Some((negated, joint, begin)) = branch_head(input) {
        take_bytes(input, begin);
        let children = children(input, depth + 1, conditions)?;
        return Ok(Tree::Branch {
            negated,
            joint,
            children,
        });
    }
    if !begins_name(input) {
        return Err(TREE);
    }
    let name = name(input)?;
    if !eat(input, ".") {
        return Err(DELIMITER);
    }
    Ok(Tree::Filter(name, read_operation(input, value)?))
}

/// `and(`, `not.or (` and their like, and how many bytes come before the parenthesis.
fn branch_head(input: &str) -> Option<(bool, Joint, usize)> {
    let (negated, after) = input
        .strip_prefix("not.")
        .map_or((false, input), |after| (true, after));
    let (joint, after) = match (after.strip_prefix("and"), after.strip_prefix("or")) {
        (Some(after), _) => (Joint::And, after),
        (None, Some(after)) => (Joint::Or, after),
        (None, None) => return None,
    };
    let parenthesis = after.trim_start_matches([' ', '\t']);
    parenthesis
        .starts_with('(')
        .then(|| (negated, joint, input.len() - parenthesis.len()))
}

fn children<'a>(input: &mut &'a str, depth: usize, conditions: &mut usize) -> Parsed<Vec<Tree<'a>>> {
    if depth > MAX_DEPTH {
        return Err(Expected("less nesting"));
    }
    blanks(input)?;
    if !eat(input, "(") {
        return Err(Expected("\"(\""));
    }
    let mut children = Vec::new();
    loop {
        children.push(tree(input, depth, conditions)?);
        blanks(input)?;
        if eat(input, ")") {
            blanks(input)?;
            return Ok(children);
        }
        if !eat(input, ",") {
            return Err(Expected("\",\" or \")\""));
        }
    }
}

fn read_operation<'a>(
    input: &mut &'a str,
    one: impl FnOnce(&mut &'a str) -> Parsed<Cow<'a, str>>,
) -> Parsed<Operation<'a>> {
    let negated = eat(input, "not.");
    let letters = input
        .find(|character: char| !character.is_ascii_alphabetic())
        .unwrap_or(input.len());
    if !OPERATORS.contains(&&input[..letters]) {
        return Err(if negated {
            Expected("operator (eq, gt, ...)")
        } else {
            OPERATOR
        });
    }
    let operator = take_bytes(input, letters);
    let modifier = if eat(input, "(") {
        let modifier = take_till(0.., ')').parse_next(input)?;
        if !eat(input, ")") {
            return Err(Expected("\")\""));
        }
        Some(modifier)
    } else {
        None
    };
    if !eat(input, ".") {
        return Err(DELIMITER);
    }
    let operand = if operator == "in" {
        Operand::List(list(input)?)
    } else {
        Operand::One(one(input)?)
    };
    Ok(Operation {
        negated,
        operator,
        modifier,
        operand,
    })
}

/// `(a,"b,c",d)`
fn list<'a>(input: &mut &'a str) -> Parsed<Vec<Cow<'a, str>>> {
    blanks(input)?;
    if !eat(input, "(") {
        return Err(Expected("\"(\""));
    }
    blanks(input)?;
    let mut elements = Vec::new();
    if eat(input, ")") {
        blanks(input)?;
        return Ok(elements);
    }
    loop {
        elements.push(element(input)?);
        if eat(input, ")") {
            blanks(input)?;
            return Ok(elements);
        }
        if !eat(input, ",") {
            return Err(Expected("\",\" or \")\""));
        }
        if elements.len() == MAX_LIST {
            return Err(Expected("a shorter list"));
        }
    }
}

/// A value inside parentheses: quoted, or everything up to the next comma or parenthesis.
fn element<'a>(input: &mut &'a str) -> Parsed<Cow<'a, str>> {
    let start = input.checkpoint();
    if let Some(text) = quoted(input) {
        // Quotes that do not hold the whole value are part of it.
        if input.is_empty() || input.starts_with([',', ')']) {
            return Ok(text);
        }
        input.reset(&start);
    }
    // In rules, a value can be the caller's; nobody means these words otherwise without quoting the parenthesis.
    if input.starts_with("$claim(")
        && let Some(end) = input.find(')')
    {
        return Ok(Cow::Borrowed(take_bytes(input, end + 1)));
    }
    take_till(0.., [',', ')']).map(Cow::Borrowed).parse_next(input)
}

/// A value inside `and` or `or`: an element, or an array literal of one dimension.
fn value<'a>(input: &mut &'a str) -> Parsed<Cow<'a, str>> {
    if input.starts_with('{')
        && let Some(length) = input[1..].find(['{', '}'])
        && input[1 + length..].starts_with('}')
    {
        return Ok(Cow::Borrowed(take_bytes(input, length + 2)));
    }
    element(input)
}

/// A name, and the JSON path after it.
fn name<'a>(input: &mut &'a str) -> Parsed<Name<'a>> {
    blanks(input)?;
    let field = bare_name(input)?;
    let json_path = if input.starts_with("->") {
        // Keys in a path may be quoted, and then hold anything.
        let mut in_quotes = false;
        let end = input.find(|character: char| {
            in_quotes ^= character == '"';
            !in_quotes && matches!(character, '.' | ',' | ')' | '(' | ':')
        });
        take_bytes(input, end.unwrap_or(input.len()))
    } else {
        ""
    };
    blanks(input)?;
    Ok(Name { field, json_path })
}

fn bare_name<'a>(input: &mut &'a str) -> Parsed<Cow<'a, str>> {
    if let Some(text) = quoted(input) {
        return Ok(text);
    }
    // A dash belongs to the name unless it begins an arrow.
    let mut after_dash = false;
    let end = input
        .char_indices()
        .find(|(_, character)| {
            let ends = (after_dash && *character == '>') || !(is_name(*character) || *character == '-');
            after_dash = *character == '-';
            ends
        })
        .map_or(input.len(), |(end, character)| {
            if character == '>' && input[..end].ends_with('-') {
                end - 1
            } else {
                end
            }
        });
    let name = input[..end].trim();
    if name.is_empty() {
        return Err(FIELD_NAME);
    }
    take_bytes(input, end);
    Ok(Cow::Borrowed(name))
}

const fn is_name(character: char) -> bool {
    character == '_' || character == ' ' || character == '$' || is_letter(character)
}

const fn is_letter(character: char) -> bool {
    character.is_ascii_alphanumeric() || !character.is_ascii()
}

fn begins_name(input: &str) -> bool {
    input.starts_with('"') || input.starts_with(is_name)
}

/// `"…"` with backslash as escape; nothing, and nothing consumed, where there is no such text.
fn quoted<'a>(input: &mut &'a str) -> Option<Cow<'a, str>> {
    let body = input.strip_prefix('"')?;
    let mut text = Cow::Borrowed("");
    let mut plain_from = 0;
    let mut characters = body.char_indices();
    while let Some((position, character)) = characters.next() {
        match character {
            '"' => {
                if plain_from == 0 {
                    text = Cow::Borrowed(&body[..position]);
                } else {
                    text.to_mut().push_str(&body[plain_from..position]);
                }
                take_bytes(input, position + 2);
                return Some(text);
            }
            '\\' => {
                text.to_mut().push_str(&body[plain_from..position]);
                let (escaped, character) = characters.next()?;
                text.to_mut().push(character);
                plain_from = escaped + character.len_utf8();
            }
            _ => {}
        }
    }
    None
}

fn order_term<'a>(input: &mut &'a str) -> Parsed<OrderTerm<'a>> {
    let mut term_name = name(input)?;
    let embedded = eat(input, "(");
    if embedded {
        term_name = name(input)?;
        if !eat(input, ")") {
            return Err(Expected("\")\""));
        }
    }
    let mut term = OrderTerm {
        name: term_name,
        embedded,
        descending: false,
        nulls_first: None,
    };
    if let Some(descending) = suffix(input, [".asc", ".desc"]) {
        term.descending = descending;
        term.nulls_first = suffix(input, [".nullslast", ".nullsfirst"]);
        if term.nulls_first.is_none() && eat(input, ".") {
            return Err(Expected("\"nullsfirst\" or \"nullslast\""));
        }
    } else {
        term.nulls_first = suffix(input, [".nullslast", ".nullsfirst"]);
        if term.nulls_first.is_none() && eat(input, ".") {
            return Err(Expected("\"asc\", \"desc\", \"nullsfirst\" or \"nullslast\""));
        }
    }
    if input.is_empty() || input.starts_with([',', ' ', '\t']) {
        Ok(term)
    } else {
        Err(Expected("\",\" or end of input"))
    }
}

/// Which of two suffixes follows, the second being `true`.
fn suffix(input: &mut &str, words: [&str; 2]) -> Option<bool> {
    let [first, second] = words;
    if eat(input, first) {
        Some(false)
    } else {
        eat(input, second).then_some(true)
    }
}

fn select_item<'a>(input: &mut &'a str) -> Parsed<SelectItem<'a>> {
    if eat(input, "...") {
        let name = bare_name(input)?;
        rest::<_, Expected>.parse_next(input)?;
        return Ok(SelectItem::Embed(name));
    }
    if eat(input, "*") {
        return Ok(SelectItem::Star);
    }
    let mut column = name(input)?;
    let mut alias = None;
    if input.starts_with(':') && !input.starts_with("::") {
        eat(input, ":");
        alias = Some(column.field);
        column = name(input)?;
    }
    if input.starts_with('!') || (input.starts_with('(') && !input.starts_with("()")) {
        rest::<_, Expected>.parse_next(input)?;
        return Ok(SelectItem::Embed(column.field));
    }
    let mut aggregate = None;
    if eat(input, "()") {
        if column.field != "count" {
            rest::<_, Expected>.parse_next(input)?;
            return Ok(SelectItem::Embed(column.field));
        }
        aggregate = Some("count");
    }
    let mut cast = cast_of(input)?;
    if eat(input, ".") {
        aggregate = Some(take_while(0.., |c: char| c.is_ascii_alphabetic()).parse_next(input)?);
        if !matches!(aggregate, Some("sum" | "avg" | "count" | "max" | "min")) || !eat(input, "()") {
            return Err(Expected(
                "\"sum()\", \"avg()\", \"count()\", \"max()\" or \"min()\"",
            ));
        }
        cast = cast_of(input)?.or(cast);
    }
    Ok(SelectItem::Column {
        alias,
        name: column,
        cast,
        aggregate,
    })
}

fn cast_of<'a>(input: &mut &'a str) -> Parsed<Option<&'a str>> {
    if !eat(input, "::") {
        return Ok(None);
    }
    let ty = take_while(0.., is_name).parse_next(input)?;
    if ty.trim().is_empty() {
        Err(Expected("the name of a type"))
    } else {
        Ok(Some(ty.trim()))
    }
}

/// Spaces and tabs, which mean nothing around parentheses and commas.
fn blanks(input: &mut &str) -> Parsed<()> {
    take_while(0.., [' ', '\t']).void().parse_next(input)
}

/// Consumes `token` where it is next.
fn eat(input: &mut &str, token: &str) -> bool {
    literal::<_, _, Expected>(token).parse_next(input).is_ok()
}

fn take_bytes<'a>(input: &mut &'a str, bytes: usize) -> &'a str {
    input.next_slice(bytes)
}
