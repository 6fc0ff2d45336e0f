//! The query string taken apart, and what its parameters mean on each route.
//!
//! The grammar of each value is `rowstamp_domain`'s; here are only the names and where they belong.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use rowstamp_domain::caller::Caller;
use rowstamp_domain::definition::{FieldId, ResourceDefinition};
use rowstamp_domain::query::{Condition, Direction, Nulls, Operand, OrderTerm, Query, Select, SelectItem};
use rowstamp_domain::validation::may_read;

use super::filter;
use crate::problem::{Problem, codes};
use crate::served::{Columns, Served};

/// One parameter, decoded.
struct Parameter<'q> {
    name: Cow<'q, str>,
    value: Cow<'q, str>,
}

/// The columns asked for on a route where nothing else can be asked for: one row, or a write.
///
/// # Errors
/// 400 for whatever else is there, 403 for a field that the caller may not read.
pub(crate) fn of_item<'s>(
    query: &str,
    served: &'s Served,
    caller: &Caller,
) -> Result<Cow<'s, Columns>, Problem> {
    let mut select = None;
    for parameter in parameters(query)? {
        if parameter.name == "select" {
            once(&mut select, &parameter)?;
        } else if parameter.name == "columns" || parameter.name == "on_conflict" {
            return Err(not_served(&parameter.name));
        } else {
            return Err(invalid(format!(
                "`{}` has no meaning on this route",
                excerpt(&parameter.name)
            )));
        }
    }
    columns(select.as_deref(), served, caller)
}

/// What a list asks for.
pub(crate) struct Listed<'s> {
    pub(crate) columns: Cow<'s, Columns>,
    pub(crate) query: Query,
}

/// What is asked of a collection that is read.
///
/// # Errors
/// 400 for what cannot be read, 403 for a field that the caller may not read.
pub(crate) fn of_list<'s>(query: &str, served: &'s Served, caller: &Caller) -> Result<Listed<'s>, Problem> {
    let definition = &served.definition;
    let (mut select, mut order, mut limit, mut offset) = (None, None, None, None);
    let mut condition = Condition::Always;
    for parameter in parameters(query)? {
        match parameter.name.as_ref() {
            "select" => once(&mut select, &parameter)?,
            "order" => once(&mut order, &parameter)?,
            "limit" => once(&mut limit, &parameter)?,
            "offset" => once(&mut offset, &parameter)?,
            "cursor" | "columns" | "on_conflict" | "and" | "or" | "not" | "not.and" | "not.or" => {
                return Err(not_served(&parameter.name));
            }
            name => {
                let id = readable(name, definition, caller)?;
                condition = condition.and(filter::parse(id, &parameter.value, definition)?);
            }
        }
    }
    let page = definition.page;
    let limit = match limit {
        None => page.default,
        Some(text) => u32::try_from(whole(&text, "limit")?)
            .unwrap_or(u32::MAX)
            .min(page.max),
    };
    let offset = offset.map_or(Ok(0), |text| whole(&text, "offset"))?;
    let columns = columns(select.as_deref(), served, caller)?;
    let query = Query {
        select: columns.select.clone(),
        condition,
        order: order_terms(order.as_deref(), definition, caller)?,
        limit,
        offset,
    };
    Ok(Listed { columns, query })
}

/// Splits a form-encoded query string; `+` is a space.
fn parameters(query: &str) -> Result<impl Iterator<Item = Parameter<'_>>, Problem> {
    // Decoding can fail, and iterating should not: the text is checked as a whole first.
    if query.contains('%') {
        percent_decode_str(query)
            .decode_utf8()
            .map_err(|_| invalid("the query string is not UTF-8"))?;
    }
    Ok(query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Parameter {
            name: decode(name),
            value: decode(value),
        }
    }))
}

fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let spaced = text.replace('+', " ");
    Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
}

fn once(slot: &mut Option<String>, parameter: &Parameter<'_>) -> Result<(), Problem> {
    if slot.is_some() {
        return Err(invalid(format!("`{}` is given twice", parameter.name)));
    }
    *slot = Some(parameter.value.clone().into_owned());
    Ok(())
}

fn columns<'s>(
    select: Option<&str>,
    served: &'s Served,
    caller: &Caller,
) -> Result<Cow<'s, Columns>, Problem> {
    let definition = &served.definition;
    let everything = || {
        if served.has_read_rules {
            let readable = served.shown.select.0.iter().filter(|item| {
                let SelectItem::Field(id) = item;
                may_read(definition.field(*id), caller)
            });
            Cow::Owned(served.columns(Select(readable.cloned().collect())))
        } else {
            Cow::Borrowed(&served.shown)
        }
    };
    let Some(text) = select.filter(|text| !text.is_empty() && *text != "*") else {
        return Ok(everything());
    };
    let mut items: Vec<SelectItem> = Vec::new();
    for name in text.split(',').map(str::trim) {
        if name == "*" {
            items.extend(everything().select.0.iter().cloned());
        } else if name.contains(['(', ':', '-', '.']) {
            return Err(Problem::new(
                codes::NOT_SERVED,
                "`select` takes the names of fields; renaming, casting and embedding are not served yet",
            ));
        } else {
            items.push(SelectItem::Field(readable(name, definition, caller)?));
        }
    }
    let mut seen = std::collections::HashSet::new();
    items.retain(|item| seen.insert(item.clone()));
    Ok(Cow::Owned(served.columns(Select(items.into()))))
}

/// The field of this name, for a caller who may read it.
fn readable(name: &str, definition: &ResourceDefinition, caller: &Caller) -> Result<FieldId, Problem> {
    let id = definition
        .field_id(name)
        .ok_or_else(|| invalid(format!("{} has no field `{}`", definition.name, excerpt(name))))?;
    if may_read(definition.field(id), caller) {
        Ok(id)
    } else {
        Err(Problem::new(
            codes::FORBIDDEN,
            format!("the caller may not read `{name}`"),
        ))
    }
}

fn order_terms(
    text: Option<&str>,
    definition: &ResourceDefinition,
    caller: &Caller,
) -> Result<Vec<OrderTerm>, Problem> {
    let mut terms = Vec::new();
    for term in text
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|term| !term.is_empty())
    {
        let mut words = term.split('.');
        let id = readable(words.next().unwrap_or_default(), definition, caller)?;
        let mut direction = None;
        let mut nulls = None;
        for word in words {
            match word {
                "asc" if direction.is_none() && nulls.is_none() => direction = Some(Direction::Ascending),
                "desc" if direction.is_none() && nulls.is_none() => direction = Some(Direction::Descending),
                "nullsfirst" if nulls.is_none() => nulls = Some(Nulls::First),
                "nullslast" if nulls.is_none() => nulls = Some(Nulls::Last),
                _ => {
                    return Err(invalid(format!(
                        "`order` is a list such as `title.desc.nullslast`, found `{}`",
                        excerpt(term)
                    )));
                }
            }
        }
        let direction = direction.unwrap_or(Direction::Ascending);
        let nulls = nulls.unwrap_or(match direction {
            Direction::Ascending => Nulls::Last,
            Direction::Descending => Nulls::First,
        });
        terms.push(OrderTerm {
            operand: Operand::Field(id),
            direction,
            nulls,
        });
    }
    let uid = definition.audit.uid;
    if !terms.iter().any(|term| term.operand == Operand::Field(uid)) {
        terms.push(OrderTerm {
            operand: Operand::Field(uid),
            direction: Direction::Ascending,
            nulls: Nulls::Last,
        });
    }
    Ok(terms)
}

fn whole(text: &str, name: &str) -> Result<u64, Problem> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // PostgreSQL's OFFSET is a bigint.
    let value = if digits {
        text.parse::<u64>()
            .ok()
            .filter(|value| i64::try_from(*value).is_ok())
    } else {
        None
    };
    value.ok_or_else(|| invalid(format!("`{name}` is a whole number, found `{}`", excerpt(text))))
}

fn not_served(name: &str) -> Problem {
    Problem::new(
        codes::NOT_SERVED,
        format!("the parameter `{name}` is not served yet"),
    )
}

fn invalid(message: impl Into<Cow<'static, str>>) -> Problem {
    Problem::new(codes::INVALID_QUERY, message)
}

/// The beginning of what a client sent, short enough for a message.
fn excerpt(text: &str) -> String {
    let mut short: String = text
        .chars()
        .take(40)
        .filter(|character| !character.is_control())
        .collect();
    if text.chars().nth(40).is_some() {
        short.push('…');
    }
    short
}
