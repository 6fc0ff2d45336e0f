//! The query string taken apart: which parameters there are, and which of them a route takes.
//!
//! What they say is `rowstamp_domain`'s grammar to read.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use rowstamp_domain::definition::FieldId;
use rowstamp_domain::query::grammar::{
    Filtered, QueryError, QueryErrorKind, QueryErrors, parse_columns, parse_on_conflict,
};
use rowstamp_domain::query::{Query, Select};

use super::access::CallerReach;
use crate::problem::{Code, Problem, codes};
use crate::served::{Columns, Served};

/// The columns asked for on a route where nothing else can be asked for: one row, or a write.
///
/// # Errors
/// 400 for whatever else is there, 403 for a field that the caller may not read.
pub(crate) fn of_item<'s>(
    query: &str,
    served: &'s Served,
    reach: &CallerReach<'_>,
) -> Result<Cow<'s, Columns>, Problem> {
    // As most do, which is why nothing is collected for it.
    if query.is_empty() && !served.has_read_rules {
        return Ok(Cow::Borrowed(&served.shown));
    }
    let parameters: Vec<_> = parameters(query)?.collect();
    let select =
        Select::parse(pairs(&parameters), &reach.scope(served)).map_err(|errors| refused(&errors))?;
    plain_where_hooked(served, &select)?;
    Ok(Cow::Owned(served.columns(select)))
}

/// What is asked of a POST.
pub(crate) struct Creation<'s> {
    pub(crate) columns: Cow<'s, Columns>,
    /// `columns=`: the fields that are given, whatever else the records hold.
    pub(crate) given: Option<Vec<FieldId>>,
    /// `on_conflict=`
    pub(crate) target: Option<Vec<FieldId>>,
}

/// What is asked of a POST on a collection.
///
/// # Errors
/// 400 for whatever else is there, 403 for a field that the caller may not read.
pub(crate) fn of_creation<'s>(
    query: &str,
    served: &'s Served,
    reach: &CallerReach<'_>,
) -> Result<Creation<'s>, Problem> {
    let mut parameters: Vec<_> = parameters(query)?.collect();
    let given = match take(&mut parameters, "columns")? {
        Some(text) => Some(parse_columns(&text, &served.definition).map_err(|errors| refused(&errors))?),
        None => None,
    };
    let target = match take(&mut parameters, "on_conflict")? {
        Some(text) => {
            Some(parse_on_conflict(&text, &reach.scope(served)).map_err(|errors| refused(&errors))?)
        }
        None => None,
    };
    let columns = if parameters.is_empty() && !served.has_read_rules {
        Cow::Borrowed(&served.shown)
    } else {
        let select =
            Select::parse(pairs(&parameters), &reach.scope(served)).map_err(|errors| refused(&errors))?;
        plain_where_hooked(served, &select)?;
        Cow::Owned(served.columns(select))
    };
    Ok(Creation {
        columns,
        given,
        target,
    })
}

/// Which rows a PATCH or DELETE on a collection means, what of them is shown, and `columns=`.
///
/// # Errors
/// 400 for what cannot be read, and without a filter; 403 for a field that the caller may not read.
pub(crate) fn of_many(
    query: &str,
    served: &Served,
    reach: &CallerReach<'_>,
) -> Result<(Filtered, Option<Vec<FieldId>>), Problem> {
    let mut parameters: Vec<_> = parameters(query)?.collect();
    let given = match take(&mut parameters, "columns")? {
        Some(text) => Some(parse_columns(&text, &served.definition).map_err(|errors| refused(&errors))?),
        None => None,
    };
    let filtered =
        Filtered::parse(pairs(&parameters), &reach.scope(served)).map_err(|errors| refused(&errors))?;
    if !filtered.is_filtered {
        return Err(Problem::new(
            codes::NO_FILTER,
            "a write on a collection needs a filter that chooses its rows",
        )
        .hint("to mean every row, say so: `uid=not.is.null`"));
    }
    plain_where_hooked(served, &filtered.select)?;
    Ok((filtered, given))
}

/// Takes the parameter of this name out, which can be given once.
fn take<'p>(
    parameters: &mut Vec<(Cow<'p, str>, Cow<'p, str>)>,
    name: &str,
) -> Result<Option<Cow<'p, str>>, Problem> {
    let Some(position) = parameters.iter().position(|(given, _)| given == name) else {
        return Ok(None);
    };
    let (_, value) = parameters.remove(position);
    if parameters.iter().any(|(given, _)| given == name) {
        return Err(invalid(format!("`{name}` can be given only once")));
    }
    Ok(Some(value))
}

/// What is asked of a collection that is read, and the parameters that ask it.
pub(crate) struct Listed<'p> {
    pub(crate) query: Query,
    /// `cursor=`
    pub(crate) cursor: Option<String>,
    parameters: Vec<(Cow<'p, str>, Cow<'p, str>)>,
}

impl Listed<'_> {
    /// Whether there is a parameter of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.parameters.iter().any(|(given, _)| given == name)
    }

    /// Every parameter, decoded.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        pairs(&self.parameters)
    }
}

/// What `queries`, one after the other, ask of a collection that is read.
///
/// # Errors
/// 400 for what cannot be read, 403 for a field that the caller may not read.
pub(crate) fn of_list<'p>(
    queries: impl IntoIterator<Item = &'p str>,
    served: &Served,
    reach: &CallerReach<'_>,
) -> Result<Listed<'p>, Problem> {
    let mut all = Vec::new();
    for query in queries {
        all.extend(parameters(query)?);
    }
    let parsed = Query::parse(pairs(&all), &reach.scope(served)).map_err(|errors| refused(&errors))?;
    plain_where_hooked(served, &parsed.query.select)?;
    Ok(Listed {
        query: parsed.query,
        cursor: parsed.cursor,
        parameters: all,
    })
}

fn pairs<'p>(parameters: &'p [(Cow<'_, str>, Cow<'_, str>)]) -> impl Iterator<Item = (&'p str, &'p str)> {
    parameters
        .iter()
        .map(|(name, value)| (name.as_ref(), value.as_ref()))
}

/// A hook that looks at rows gets them as records, which hold fields and nothing else.
fn plain_where_hooked(served: &Served, select: &Select) -> Result<(), Problem> {
    if !served.points.after_read || select.is_plain() {
        return Ok(());
    }
    Err(Problem::new(
        codes::NOT_SERVED,
        format!(
            "rows of {} are looked at one by one before they are shown: `select` can only name their fields",
            served.definition.name
        ),
    ))
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
    if matches!(
        kind,
        QueryErrorKind::Unreachable {
            unauthenticated: true,
            ..
        }
    ) {
        return Problem::anonymous();
    }
    let code: &'static Code = match kind {
        QueryErrorKind::NotReadable { .. } | QueryErrorKind::Unreachable { .. } => codes::FORBIDDEN,
        QueryErrorKind::UnknownField { .. } => codes::UNKNOWN_FIELD,
        QueryErrorKind::Value { .. } => codes::INVALID_VALUE,
        QueryErrorKind::Operator { .. } => codes::INVALID_OPERATOR,
        QueryErrorKind::Unsupported => codes::NOT_SERVED,
        QueryErrorKind::UnknownType => codes::UNKNOWN_TYPE,
        QueryErrorKind::Cast => codes::INVALID_CAST,
        QueryErrorKind::AggregatesNotAllowed => codes::AGGREGATES_NOT_ALLOWED,
        QueryErrorKind::NotEmbedded => codes::NOT_EMBEDDED,
        QueryErrorKind::NoRelationship => codes::NO_RELATIONSHIP,
        QueryErrorKind::AmbiguousRelationship => codes::AMBIGUOUS_RELATIONSHIP,
        QueryErrorKind::RelatedOrder => codes::RELATED_ORDER,
        QueryErrorKind::EmbedFilter => codes::EMBED_FILTER,
        QueryErrorKind::UnknownColumn { .. } => codes::UNKNOWN_COLUMN,
        QueryErrorKind::NotUnique => codes::NOT_UNIQUE,
        QueryErrorKind::Syntax
        | QueryErrorKind::Repeated
        | QueryErrorKind::SameName
        | QueryErrorKind::Number => codes::INVALID_QUERY,
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
