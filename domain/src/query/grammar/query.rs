//! The parameters of a list: which of them filter, and what the others say.
//!
//! Parameters come decoded, one pair each; where they come from is not known here.

use super::bind::{Binder, Plain, append_uid};
use super::error::{QueryError, QueryErrorKind, QueryErrors, excerpt};
use super::syntax::{self, Key, Misread};
use crate::definition::{FieldId, ResourceDefinition};
use crate::query::{Condition, Query, Select};

/// The longest parameter that is read, in bytes. A long list of uids is shorter.
const MAX_PARAMETER_BYTES: usize = 1024 * 1024;
/// How many parameters are read.
const MAX_PARAMETERS: usize = 500;

/// Parameters that do not filter, and that can be given once.
const RESERVED: [&str; 7] = [
    "select",
    "order",
    "limit",
    "offset",
    "cursor",
    "columns",
    "on_conflict",
];

impl Query {
    /// Reads the parameters of a list.
    ///
    /// `readable` says whether the caller may read a field; nobody reads `write_only` ones. A limit above the
    /// resource's page size is lowered to it, the order is made total by `uid`.
    ///
    /// ```
    /// use rowstamp_domain::{definition::toml, query::Query};
    /// let api = toml::parse("books.toml", "[resources.books.fields]\npages = { type = \"integer\" }")?;
    /// let books = &api.resources[0];
    /// let query = Query::parse([("pages", "gt.100"), ("order", "pages.desc"), ("limit", "10")], books, |_| true)?;
    /// assert_eq!(query.condition.to_text(books), "pages.gt.100");
    /// assert_eq!((query.order.len(), query.limit), (2, 10));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn parse<'p>(
        parameters: impl IntoIterator<Item = (&'p str, &'p str)>,
        definition: &ResourceDefinition,
        readable: impl Fn(FieldId) -> bool,
    ) -> Result<Self, QueryErrors> {
        let mut binder = Binder {
            definition,
            readable: |id: FieldId| !definition.field(id).write_only && readable(id),
            values: Plain,
            errors: Vec::new(),
        };
        let mut once: [Option<&str>; RESERVED.len()] = [None; RESERVED.len()];
        let mut condition = Condition::Always;
        for (position, (key, value)) in parameters.into_iter().enumerate() {
            if position == MAX_PARAMETERS || key.len() + value.len() > MAX_PARAMETER_BYTES {
                let message = "there are too many parameters, or one is too long";
                binder
                    .errors
                    .push(QueryError::new(QueryErrorKind::Syntax, key, message));
                break;
            }
            match RESERVED.iter().position(|reserved| *reserved == key) {
                Some(reserved) if once[reserved].is_some() => {
                    let message = format!("`{key}` can be given only once");
                    binder
                        .errors
                        .push(QueryError::new(QueryErrorKind::Repeated, key, message));
                }
                Some(reserved) => once[reserved] = Some(value),
                None => condition = condition.and(binder.parameter(key, value)),
            }
        }
        let [select, order, limit, offset, unsupported @ ..] = once;
        for (name, value) in RESERVED[4..].iter().zip(unsupported) {
            if value.is_some() {
                binder.errors.push(QueryError::unsupported(
                    name,
                    &format!("the parameter `{name}` is"),
                ));
            }
        }
        let select = match select.map(syntax::select) {
            None => definition.select_readable(binder.readable),
            Some(Ok(items)) => binder.select(&items),
            Some(Err(misread)) => {
                binder
                    .errors
                    .push(syntax_error("select", "select parameter", &misread));
                definition.select_all().clone()
            }
        };
        let order = match order.map(syntax::order) {
            None => {
                let mut order = Vec::with_capacity(1);
                append_uid(&mut order, definition);
                order
            }
            Some(Ok(terms)) => binder.order(&terms),
            Some(Err(misread)) => {
                binder.errors.push(syntax_error("order", "order", &misread));
                Vec::new()
            }
        };
        let limit = limit.and_then(|text| number("limit", text, u64::MAX, &mut binder.errors));
        // PostgreSQL's OFFSET is a bigint.
        let offset = offset.and_then(|text| number("offset", text, i64::MAX as u64, &mut binder.errors));
        if !binder.errors.is_empty() {
            return Err(QueryErrors(binder.errors));
        }
        let page = definition.page;
        let limit = limit.map_or(page.default, |limit| {
            u32::try_from(limit).unwrap_or(u32::MAX).min(page.max)
        });
        Ok(Self {
            select,
            condition,
            order,
            after: None,
            limit,
            offset: offset.unwrap_or(0),
        })
    }
}

/// Reads a column list alone, as a write has one that answers with what it wrote.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse_select(
    text: &str,
    definition: &ResourceDefinition,
    readable: impl Fn(FieldId) -> bool,
) -> Result<Select, QueryErrors> {
    Query::parse([("select", text)], definition, readable).map(|query| query.select)
}

impl<R: Fn(FieldId) -> bool, V: super::bind::Values> Binder<'_, R, V> {
    /// One parameter that filters.
    pub(super) fn parameter(&mut self, key: &str, value: &str) -> Condition<V::Value> {
        match syntax::key(key) {
            Err(misread) => self.errors.push(syntax_error(key, "tree path", &misread)),
            Ok(Key::Embedded(name)) => {
                let what = format!("filters on embedded resources (`{}`) are", excerpt(&name));
                self.errors.push(QueryError::unsupported(key, &what));
            }
            Ok(Key::Branch { negated, joint }) => match syntax::branch(value) {
                Ok(children) => return self.branch(negated, joint, &children),
                Err(misread) => self.errors.push(syntax_error(key, "logic tree", &misread)),
            },
            // An unknown name tells more than what is wrong with its value.
            Ok(Key::Field(name)) => match syntax::operation(value) {
                Ok(operation) => return self.filter(&name, &operation),
                Err(misread) if self.definition.field_id(&name.field).is_some() => {
                    self.errors.push(syntax_error(key, "filter", &misread));
                }
                Err(_) => self.unknown_parameter(&name, key),
            },
        }
        Condition::Always
    }
}

fn syntax_error(parameter: &str, what: &str, misread: &Misread<'_>) -> QueryError {
    QueryError::syntax(
        parameter,
        what,
        misread.input(),
        misread.offset(),
        misread.inner().0,
    )
}

fn number(parameter: &str, text: &str, max: u64, errors: &mut Vec<QueryError>) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits && parameter == "limit" {
        // More than anybody can have is as much as there is.
        return Some(text.parse().unwrap_or(u64::MAX));
    }
    if let Some(number) = digits
        .then(|| text.parse().ok())
        .flatten()
        .filter(|number| *number <= max)
    {
        return Some(number);
    }
    let message = format!(
        "`{parameter}` is {:?}, expected a whole number of 0 or more",
        excerpt(text)
    );
    errors.push(QueryError::new(QueryErrorKind::Number, parameter, message));
    None
}
