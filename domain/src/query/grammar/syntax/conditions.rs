//! Conditions taken apart: `and(a.eq.1,not.or(b.is.null,c.in.(1,2)))`.
//!
//! Operators are known by name only; which of them are served is not decided here.

use std::borrow::Cow;

use winnow::Parser;
use winnow::stream::Stream;
use winnow::token::take_till;

use super::token::{begins_name, blanks, eat, name, quoted, take_bytes};
use super::{Expected, Joint, Operand, Operation, Parsed, Tree};

/// How deep `and` and `or` may be nested.
const MAX_DEPTH: usize = 20;
/// How many conditions one parameter may hold.
const MAX_CONDITIONS: usize = 500;
/// How many values `in` may list.
const MAX_LIST: usize = 10_000;

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
const OPERATOR: Expected = Expected("\"not\" or operator (eq, gt, ...)");
const DELIMITER: Expected = Expected("delimiter (.)");
const TREE: Expected =
    Expected("field name (* or [a..z0..9_$]), negation operator (not) or logic operator (and, or)");

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

pub(super) fn children<'a>(
    input: &mut &'a str,
    depth: usize,
    conditions: &mut usize,
) -> Parsed<Vec<Tree<'a>>> {
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

pub(super) fn read_operation<'a>(
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
