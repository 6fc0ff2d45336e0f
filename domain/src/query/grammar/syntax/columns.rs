//! Orders, column lists and lists of names taken apart.

use std::borrow::Cow;

use winnow::Parser;
use winnow::token::take_while;

use super::token::{bare_name, begins_name, blanks, eat, is_name, name};
use super::{Column, Embed, Expected, Name, OrderTerm, Parsed, SelectItem};
use crate::query::{Aggregate, Join};

/// How many terms an order or a column list may have.
const MAX_TERMS: usize = 2_000;
/// How deep embeds may be nested.
const MAX_EMBED_DEPTH: usize = 5;
/// How often one column may be cast.
const MAX_CASTS: usize = 4;

pub(super) fn list_of<'a, O>(
    input: &mut &'a str,
    mut item: impl FnMut(&mut &'a str) -> Parsed<O>,
) -> Parsed<Vec<O>> {
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

pub(super) fn order_term<'a>(input: &mut &'a str) -> Parsed<OrderTerm<'a>> {
    let mut term_name = name(input)?;
    let mut embed = None;
    if term_name.path.is_none() && eat(input, "(") {
        let inner = name(input)?;
        if !eat(input, ")") {
            return Err(Expected("\")\""));
        }
        embed = Some(std::mem::replace(&mut term_name, inner).field);
    }
    let mut term = OrderTerm {
        embed,
        name: term_name,
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

/// One item of a column list that stands inside `depth` embeds.
pub(super) fn select_item<'a>(input: &mut &'a str, depth: usize) -> Parsed<SelectItem<'a>> {
    if eat(input, "...") {
        return spread(input, depth);
    }
    if eat(input, "*") {
        return Ok(SelectItem::Star);
    }
    let mut column = name(input)?;
    let mut alias = None;
    if column.path.is_none() && input.starts_with(':') && !input.starts_with("::") {
        eat(input, ":");
        alias = Some(column.field);
        blanks(input)?;
        column = name(input)?;
    }
    if column.path.is_none() {
        if column.field == "count" && eat(input, "()") {
            return Ok(SelectItem::Column(Column {
                alias,
                argument: None,
                casts: Vec::new(),
                aggregate: Some(Aggregate::Count),
                aggregate_casts: casts(input)?,
            }));
        }
        if input.starts_with(['!', '(']) {
            return embed(input, false, alias, column.field, depth);
        }
    }
    column_of(input, alias, column)
}

fn column_of<'a>(
    input: &mut &'a str,
    alias: Option<Cow<'a, str>>,
    argument: Name<'a>,
) -> Parsed<SelectItem<'a>> {
    let casts_before = casts(input)?;
    let mut aggregate = None;
    let mut aggregate_casts = Vec::new();
    if eat(input, ".") {
        aggregate = Some(aggregate_of(input)?);
        aggregate_casts = casts(input)?;
    }
    Ok(SelectItem::Column(Column {
        alias,
        argument: Some(argument),
        casts: casts_before,
        aggregate,
        aggregate_casts,
    }))
}

fn aggregate_of(input: &mut &str) -> Parsed<Aggregate> {
    let known = [
        ("sum()", Aggregate::Sum),
        ("avg()", Aggregate::Avg),
        ("count()", Aggregate::Count),
        ("max()", Aggregate::Max),
        ("min()", Aggregate::Min),
    ];
    let found = known.into_iter().find(|(word, _)| eat(input, word));
    found.map(|(_, aggregate)| aggregate).ok_or(Expected(
        "\"sum()\", \"avg()\", \"count()\", \"max()\" or \"min()\"",
    ))
}

fn spread<'a>(input: &mut &'a str, depth: usize) -> Parsed<SelectItem<'a>> {
    let mut target = bare_name(input)?;
    let mut alias = None;
    if input.starts_with(':') && !input.starts_with("::") {
        eat(input, ":");
        alias = Some(std::mem::replace(&mut target, bare_name(input)?));
    }
    embed(input, true, alias, target, depth)
}

/// What follows the name of an embedded resource: `!hint!inner(columns)`.
fn embed<'a>(
    input: &mut &'a str,
    spread: bool,
    alias: Option<Cow<'a, str>>,
    target: Cow<'a, str>,
    depth: usize,
) -> Parsed<SelectItem<'a>> {
    let mut hint = None;
    let mut join = None;
    while eat(input, "!") {
        let quoted = input.starts_with('"');
        let word = bare_name(input)?;
        match word.as_ref() {
            "inner" if !quoted && join.is_none() => join = Some(Join::Inner),
            "left" if !quoted && join.is_none() => join = Some(Join::Left),
            _ if hint.is_none() => hint = Some(word),
            _ => return Err(Expected("one hint and one of \"inner\" and \"left\" at most")),
        }
    }
    if depth == MAX_EMBED_DEPTH {
        return Err(Expected("less nesting"));
    }
    if !eat(input, "(") {
        return Err(Expected("\"(\""));
    }
    blanks(input)?;
    let select = if input.starts_with(')') {
        Vec::new()
    } else {
        list_of(input, |input| select_item(input, depth + 1))?
    };
    if !eat(input, ")") {
        return Err(Expected("\",\" or \")\""));
    }
    Ok(SelectItem::Embed(Embed {
        spread,
        alias,
        target,
        hint,
        join: join.unwrap_or(Join::Left),
        select,
    }))
}

fn casts<'a>(input: &mut &'a str) -> Parsed<Vec<&'a str>> {
    let mut casts = Vec::new();
    while eat(input, "::") {
        if casts.len() == MAX_CASTS {
            return Err(Expected("fewer casts"));
        }
        let ty = take_while(0.., is_name).parse_next(input)?.trim();
        if ty.is_empty() {
            return Err(Expected("the name of a type"));
        }
        casts.push(ty);
    }
    Ok(casts)
}

/// A name in `columns=` and its like.
pub(super) fn plain_name<'a>(input: &mut &'a str) -> Parsed<Cow<'a, str>> {
    blanks(input)?;
    if !begins_name(input) {
        return Err(Expected("field name (* or [a..z0..9_$])"));
    }
    bare_name(input)
}
