//! Orders and column lists taken apart.

use winnow::Parser;
use winnow::token::{rest, take_while};

use super::token::{bare_name, blanks, eat, is_name, name};
use super::{Expected, OrderTerm, Parsed, SelectItem};

/// How many terms an order or a column list may have.
const MAX_TERMS: usize = 2_000;

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

pub(super) fn select_item<'a>(input: &mut &'a str) -> Parsed<SelectItem<'a>> {
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
