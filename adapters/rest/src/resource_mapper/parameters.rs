//! The query string taken apart: which parameters there are, and which of them a route takes.
//!
//! What they say is `rowstamp_domain`'s grammar to read.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use rowstamp_domain::caller::Caller;
use rowstamp_domain::query::Query;
use rowstamp_domain::query::grammar::{QueryError, QueryErrorKind, QueryErrors, parse_select};
use rowstamp_domain::validation::may_read;

use crate::problem::{Problem, codes};
use crate::served::{Columns, Served};

/// Parameters that mean something to PostgREST on writes, where ignoring them would do something else than was asked for.
const OF_WRITES: [&str; 2] = ["columns", "on_conflict"];

/// The columns asked for on a route where nothing else can be asked for: one row, or a write.
///
/// # Errors
/// 400 for whatever else is there, 403 for a field that the caller may not read.
pub(crate) fn of_item<'s>(
    query: &str,
    served: &'s Served,
    caller: &Caller,
) -> Result<Cow<'s, Columns>, Problem> {
    let definition = &served.definition;
    let mut select = None;
    for (name, value) in parameters(query)? {
        if name == "select" {
            if select.replace(value).is_some() {
                return Err(invalid("`select` can be given only once"));
            }
        } else if OF_WRITES.contains(&name.as_ref()) {
            return Err(Problem::new(
                codes::NOT_SERVED,
                format!("the parameter `{name}` is not served yet"),
            ));
        } else {
            let name: String = name.chars().take(80).collect();
            return Err(invalid(format!(
                "`{}` has no meaning on this route",
                name.escape_debug()
            )));
        }
    }
    let readable = |id| may_read(definition.field(id), caller);
    match select {
        Some(text) => {
            let select = parse_select(&text, definition, readable).map_err(|errors| refused(&errors))?;
            Ok(Cow::Owned(served.columns(select)))
        }
        None if served.has_read_rules => Ok(Cow::Owned(served.columns(definition.select_readable(readable)))),
        None => Ok(Cow::Borrowed(&served.shown)),
    }
}

/// What is asked of a collection that is read.
///
/// # Errors
/// 400 for what cannot be read, 403 for a field that the caller may not read.
pub(crate) fn of_list(query: &str, served: &Served, caller: &Caller) -> Result<Query, Problem> {
    let definition = &served.definition;
    let parameters: Vec<_> = parameters(query)?.collect();
    let pairs = parameters
        .iter()
        .map(|(name, value)| (name.as_ref(), value.as_ref()));
    Query::parse(pairs, definition, |id| may_read(definition.field(id), caller))
        .map_err(|errors| refused(&errors))
}

/// Splits a form-encoded query string; `+` is a space.
fn parameters(query: &str) -> Result<impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)>, Problem> {
    // Decoding can fail and an iterator should not, so the text is checked as a whole first. Neither `&` nor `=` can be
    // part of a longer character, so the parts are UTF-8 if the whole is.
    if query.contains('%') && percent_decode_str(query).decode_utf8().is_err() {
        return Err(invalid("the query string is not UTF-8"));
    }
    Ok(query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    }))
}

fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let spaced = text.replace('+', " ");
    Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
}

/// A query that cannot be carried out, as the mistake to answer with first.
fn refused(errors: &QueryErrors) -> Problem {
    let QueryError {
        kind,
        message,
        details,
        hint,
        ..
    } = errors.first();
    let code = match kind {
        QueryErrorKind::NotReadable { .. } => codes::FORBIDDEN,
        QueryErrorKind::UnknownField { .. } => codes::UNKNOWN_FIELD,
        QueryErrorKind::Value { .. } => codes::INVALID_VALUE,
        QueryErrorKind::Operator { .. } => codes::INVALID_OPERATOR,
        QueryErrorKind::Unsupported => codes::NOT_SERVED,
        QueryErrorKind::Syntax | QueryErrorKind::Repeated | QueryErrorKind::Number => codes::INVALID_QUERY,
    };
    let mut problem = Problem::new(code, message.clone());
    if let Some(details) = details {
        problem = problem.details(details.clone());
    }
    if let Some(hint) = hint {
        problem = problem.hint(hint.clone());
    }
    problem
}

fn invalid(message: impl Into<Cow<'static, str>>) -> Problem {
    Problem::new(codes::INVALID_QUERY, message)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn a_query_string_is_form_encoded() {
        let read: Vec<_> = parameters("title=eq.a+b%26c&&flag&x=a=b&%74itle=%C3%A9")
            .unwrap()
            .collect();
        let expected = [("title", "eq.a b&c"), ("flag", ""), ("x", "a=b"), ("title", "é")];
        assert_eq!(
            read,
            expected.map(|(name, value)| (Cow::from(name), Cow::from(value)))
        );
        assert!(parameters("title=%ff").is_err());
    }
}
