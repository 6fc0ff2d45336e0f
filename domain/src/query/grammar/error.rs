//! What is wrong with a query, in the words and codes of PostgREST's clients.
//!
//! Statuses and bodies are not made here.

use std::fmt;

/// How much of the text a message repeats, in characters.
const EXCERPT: usize = 80;

/// Everything that is wrong with a query; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryErrors(pub Vec<QueryError>);

impl QueryErrors {
    /// The mistake to answer with first: a field that may not be read before all others, since that refuses the whole
    /// request whatever else is wrong with it.
    ///
    /// # Panics
    /// When it was built by hand without any mistake.
    pub fn first(&self) -> &QueryError {
        let forbidden = self
            .0
            .iter()
            .find(|error| matches!(error.kind, QueryErrorKind::NotReadable { .. }));
        forbidden.or(self.0.first()).expect("an error says what is wrong")
    }
}

impl std::error::Error for QueryErrors {}

impl fmt::Display for QueryErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, error) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str("; ")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

/// One mistake in a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryError {
    /// Which kind of mistake.
    pub kind: QueryErrorKind,
    /// The parameter it is in, such as `order`, or the name of a filter's field.
    pub parameter: String,
    /// What is wrong.
    pub message: String,
    /// What was found and what was expected.
    pub details: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Kinds of mistakes in a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryErrorKind {
    /// The text does not follow the grammar.
    Syntax,
    /// The resource has no such field.
    UnknownField {
        /// The name that was asked for.
        field: String,
    },
    /// The caller may not read this field; the one kind that is a refusal (403) rather than a mistake (400).
    NotReadable {
        /// The field's name.
        field: String,
    },
    /// The value does not fit the field.
    Value {
        /// The field's name.
        field: String,
    },
    /// The operator cannot be used on fields of this type.
    Operator {
        /// The field's name.
        field: String,
    },
    /// A part of the grammar that is not served.
    Unsupported,
    /// A parameter that can be given only once was given again.
    Repeated,
    /// A number is no number, or out of its range.
    Number,
}

impl QueryError {
    pub(super) fn new(kind: QueryErrorKind, parameter: &str, message: impl Into<String>) -> Self {
        Self {
            kind,
            parameter: excerpt(parameter).into_owned(),
            message: message.into(),
            details: None,
            hint: None,
        }
    }

    pub(super) fn unsupported(parameter: &str, what: &str) -> Self {
        Self::new(
            QueryErrorKind::Unsupported,
            parameter,
            format!("{what} not supported yet"),
        )
    }

    pub(super) fn with_details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(details.into());
        self
    }

    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A text that does not follow the grammar: `what` it was meant to be, and where it went wrong.
    pub(super) fn syntax(parameter: &str, what: &str, text: &str, offset: usize, expected: &str) -> Self {
        let offset = text.floor_char_boundary(offset);
        let column = text[..offset].chars().count() + 1;
        let found = match text[offset..].chars().next() {
            Some(character) => format!("unexpected {character:?}"),
            None => "unexpected end of input".to_owned(),
        };
        let message = format!(
            "\"failed to parse {what} ({})\" (line 1, column {column})",
            excerpt(text)
        );
        Self::new(QueryErrorKind::Syntax, parameter, message)
            .with_details(format!("{found} expecting {expected}"))
    }

    /// PostgREST's code where it has one, else the SQLSTATE that PostgreSQL would have answered with.
    pub const fn code(&self) -> &'static str {
        match self.kind {
            QueryErrorKind::Syntax
            | QueryErrorKind::Unsupported
            | QueryErrorKind::Repeated
            | QueryErrorKind::Number => "PGRST100",
            QueryErrorKind::UnknownField { .. } => "42703",
            QueryErrorKind::NotReadable { .. } => "42501",
            QueryErrorKind::Value { .. } => "22P02",
            QueryErrorKind::Operator { .. } => "42883",
        }
    }
}

impl std::error::Error for QueryError {}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(details) = &self.details {
            write!(f, ": {details}")?;
        }
        Ok(())
    }
}

/// The beginning of a text, short enough for a message.
pub(super) fn excerpt(text: &str) -> std::borrow::Cow<'_, str> {
    match text.char_indices().nth(EXCERPT) {
        None => text.into(),
        Some((end, _)) => format!("{}…", &text[..end]).into(),
    }
}
