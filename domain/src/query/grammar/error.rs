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
    /// The mistake to answer with first: what the caller may not see before all others, since that refuses the whole
    /// request whatever else is wrong with it.
    ///
    /// # Panics
    /// When it was built by hand without any mistake.
    pub fn first(&self) -> &QueryError {
        let refusal = self.0.iter().find(|error| error.kind.is_refusal());
        refusal.or(self.0.first()).expect("an error says what is wrong")
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
    /// The caller may not read this field; a refusal (403) rather than a mistake (400).
    NotReadable {
        /// The field's name.
        field: String,
    },
    /// The caller may not read rows of an embedded resource; a refusal (401 or 403) rather than a mistake (400).
    Unreachable {
        /// The resource's name.
        resource: String,
        /// Whether an identity could change that.
        unauthenticated: bool,
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
    /// Two columns of the answer would have the same name, or two embeds of the query.
    SameName,
    /// There is no type of this name.
    UnknownType,
    /// Values of this type cannot be cast to that one.
    Cast,
    /// The resource cannot be aggregated.
    AggregatesNotAllowed,
    /// A parameter is about an embedded resource that `select` does not name.
    NotEmbedded,
    /// There is no reference between the two resources, or none that the hint names.
    NoRelationship,
    /// There are several, and nothing says which is meant (300).
    AmbiguousRelationship,
    /// Rows can be ordered only by an embedded resource of which there is at most one row for each.
    RelatedOrder,
    /// An embedded resource can be asked only whether it is there.
    EmbedFilter,
    /// A column that is to be written does not exist.
    UnknownColumn {
        /// The name that was asked for.
        field: String,
    },
    /// No unique set is made of these fields.
    NotUnique,
}

impl QueryErrorKind {
    const fn is_refusal(&self) -> bool {
        matches!(self, Self::NotReadable { .. } | Self::Unreachable { .. })
    }
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

    pub(super) fn unsupported(parameter: &str, what: impl Into<String>) -> Self {
        Self::new(QueryErrorKind::Unsupported, parameter, what)
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
            | QueryErrorKind::Repeated
            | QueryErrorKind::SameName
            | QueryErrorKind::Number => "PGRST100",
            QueryErrorKind::Unsupported => "PGRST127",
            QueryErrorKind::NotEmbedded => "PGRST108",
            QueryErrorKind::RelatedOrder => "PGRST118",
            QueryErrorKind::EmbedFilter => "PGRST120",
            QueryErrorKind::AggregatesNotAllowed => "PGRST123",
            QueryErrorKind::NoRelationship => "PGRST200",
            QueryErrorKind::AmbiguousRelationship => "PGRST201",
            QueryErrorKind::UnknownColumn { .. } => "PGRST204",
            QueryErrorKind::Unreachable {
                unauthenticated: true,
                ..
            } => "PGRST302",
            QueryErrorKind::UnknownField { .. } => "42703",
            QueryErrorKind::NotReadable { .. } | QueryErrorKind::Unreachable { .. } => "42501",
            QueryErrorKind::UnknownType => "42704",
            QueryErrorKind::Cast => "42846",
            QueryErrorKind::NotUnique => "42P10",
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
