//! The parameters of a request on rows: which of them filter, and what the others say.
//!
//! Parameters come decoded, one pair each; where they come from is not known here.

use super::bind::{self, Parameter, Planner, syntax_error};
use super::error::{QueryError, QueryErrorKind, QueryErrors};
use super::syntax::{self, Leaf};
use crate::definition::{FieldId, ResourceDefinition};
use crate::query::{Condition, Join, Query, Scope, Select};

/// The longest parameter that is read, in bytes. A long list of uids is shorter.
const MAX_PARAMETER_BYTES: usize = 1024 * 1024;
/// How many parameters are read.
const MAX_PARAMETERS: usize = 500;

/// Parameters that are about no rows, and that can be given once.
const RESERVED: [&str; 4] = ["select", "cursor", "columns", "on_conflict"];

/// The parameters of a list, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// What is asked for. Where there is a cursor, `after` is still to be filled in from it.
    pub query: Query,
    /// `cursor=`, as it was sent.
    pub cursor: Option<String>,
}

/// What a request on many rows says of them, apart from what it does to them.
#[derive(Debug, Clone, PartialEq)]
pub struct Filtered {
    /// Which rows.
    pub condition: Condition,
    /// The columns of the answer; conditions may speak of its embeds.
    pub select: Select,
    /// Whether a filter was given that chooses rows; filters of embeds choose none.
    pub is_filtered: bool,
}

impl Query {
    /// Reads the parameters of a list.
    ///
    /// A limit above the resource's page size is lowered to it, the order is made total.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use rowstamp_domain::definition::{FieldId, ResourceDefinition, toml};
    /// use rowstamp_domain::query::{Condition, Query, Reach, Scope, Unreachable};
    ///
    /// /// Somebody who may see everything.
    /// struct Everything;
    /// impl Reach for Everything {
    ///     fn may_read(&self, _: &ResourceDefinition, _: FieldId) -> bool {
    ///         true
    ///     }
    ///     fn embedded(&self, _: &ResourceDefinition) -> Result<Condition, Unreachable> {
    ///         Ok(Condition::Always)
    ///     }
    /// }
    ///
    /// let api = toml::parse("books.toml", "[resources.books.fields]\npages = { type = \"integer\" }")?;
    /// let scope = Scope { api: &api, resource: &api.resources[0], reach: &Everything };
    /// let query = Query::parse([("pages", "gt.100"), ("order", "pages.desc"), ("limit", "10")], &scope)?.query;
    /// assert_eq!(query.to_parameters(scope.resource)[1], ("and".to_owned(), "(pages.gt.100)".to_owned()));
    /// assert_eq!((query.order.len(), query.limit), (2, 10));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn parse<'p>(
        parameters: impl IntoIterator<Item = (&'p str, &'p str)>,
        scope: &Scope<'_>,
    ) -> Result<Parsed, QueryErrors> {
        let (mut reader, sorted) = Reader::read(parameters, scope);
        reader.refuse(&sorted, &["columns", "on_conflict"]);
        let level = reader.level(&sorted);
        let cursor = sorted.reserved("cursor");
        if cursor.is_some() {
            for (given, what) in [
                (level.offset.is_some(), "with `offset`"),
                (
                    level.select.is_aggregated(),
                    "with aggregates, whose groups are no rows",
                ),
            ] {
                if given {
                    let message = format!("`cursor` cannot be combined {what}");
                    reader.report(QueryErrorKind::Unsupported, "cursor", message);
                }
            }
        }
        reader.finish(Parsed {
            query: level.into_query(scope.resource.page.default, scope.resource.page.max),
            cursor: cursor.map(str::to_owned),
        })
    }
}

impl Filtered {
    /// Reads the parameters of a write on many rows. `columns` is for its caller to take away first.
    ///
    /// # Errors
    /// Everything that is wrong with them; `order`, `limit`, `offset` and `cursor` are.
    pub fn parse<'p>(
        parameters: impl IntoIterator<Item = (&'p str, &'p str)>,
        scope: &Scope<'_>,
    ) -> Result<Self, QueryErrors> {
        let (mut reader, sorted) = Reader::read(parameters, scope);
        reader.refuse(&sorted, &["cursor", "columns", "on_conflict"]);
        let mut is_filtered = false;
        for parameter in sorted.own() {
            if matches!(parameter.key.leaf, Leaf::Field(_) | Leaf::Branch(..)) {
                is_filtered = true;
            } else {
                reader.out_of_place(parameter.name);
            }
        }
        let level = reader.level(&sorted);
        reader.finish(Self {
            condition: level.condition,
            select: level.select,
            is_filtered,
        })
    }
}

impl Select {
    /// Reads the parameters of a request whose rows are chosen otherwise, such as a single row or what a POST creates: `select`, and what is
    /// said of the embeds in it.
    ///
    /// # Errors
    /// Everything that is wrong with them; filters of the rows themselves are, and so is `!inner`, which would be one.
    pub fn parse<'p>(
        parameters: impl IntoIterator<Item = (&'p str, &'p str)>,
        scope: &Scope<'_>,
    ) -> Result<Self, QueryErrors> {
        let (mut reader, sorted) = Reader::read(parameters, scope);
        reader.refuse(&sorted, &["cursor", "columns", "on_conflict"]);
        for parameter in sorted.own() {
            reader.out_of_place(parameter.name);
        }
        let select = reader.level(&sorted).select;
        for (_, embed) in select.embeds().filter(|(_, embed)| embed.join == Join::Inner) {
            let message = format!(
                "`{}!inner` would choose among rows, which has no meaning on this route",
                embed.name
            );
            reader.report(QueryErrorKind::Unsupported, "select", message);
        }
        if select.is_aggregated() {
            let message = "aggregates are for lists";
            reader.report(QueryErrorKind::Unsupported, "select", message);
        }
        reader.finish(select)
    }
}

/// Reads a column list alone.
///
/// # Errors
/// As [`Select::parse`].
pub fn parse_select(text: &str, scope: &Scope<'_>) -> Result<Select, QueryErrors> {
    Select::parse([("select", text)], scope)
}

/// Reads `columns=`: the fields that a write gives. Whether they may be written is not judged here.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse_columns(text: &str, definition: &ResourceDefinition) -> Result<Vec<FieldId>, QueryErrors> {
    let mut errors = Vec::new();
    let names = names("columns", text)?;
    let columns = bind::columns_named(&names, definition, &mut errors);
    if errors.is_empty() {
        Ok(columns)
    } else {
        Err(QueryErrors(errors))
    }
}

/// Reads `on_conflict=`: `uid`, or the fields of a declared unique set in any order; `uid` where it is empty.
///
/// # Errors
/// What is wrong with it.
pub fn parse_on_conflict(text: &str, scope: &Scope<'_>) -> Result<Vec<FieldId>, QueryErrors> {
    let names = names("on_conflict", text)?;
    bind::conflict_target(&names, scope).map_err(|error| QueryErrors(vec![*error]))
}

fn names<'t>(parameter: &str, text: &'t str) -> Result<Vec<std::borrow::Cow<'t, str>>, QueryErrors> {
    if text.len() > MAX_PARAMETER_BYTES {
        return Err(QueryErrors(vec![too_much(parameter)]));
    }
    syntax::names(text).map_err(|misread| {
        let what = format!("{parameter} parameter");
        QueryErrors(vec![syntax_error(parameter, &what, &misread)])
    })
}

/// Parameters sorted by what they are about.
#[derive(Default)]
struct Sorted<'p> {
    reserved: [Option<&'p str>; RESERVED.len()],
    about_rows: Vec<Parameter<'p>>,
}

impl<'p> Sorted<'p> {
    fn reserved(&self, name: &str) -> Option<&'p str> {
        let position = RESERVED.iter().position(|reserved| *reserved == name)?;
        self.reserved[position]
    }

    /// Those about rows of the resource itself.
    fn own(&self) -> impl Iterator<Item = &Parameter<'p>> {
        self.about_rows
            .iter()
            .filter(|parameter| parameter.key.path.is_empty())
    }
}

/// Reads parameters, and collects what is wrong with them.
struct Reader<'a> {
    planner: Planner<'a>,
}

impl<'a> Reader<'a> {
    fn read<'p>(
        parameters: impl IntoIterator<Item = (&'p str, &'p str)>,
        scope: &'a Scope<'a>,
    ) -> (Self, Sorted<'p>) {
        let mut reader = Self {
            planner: Planner::new(scope),
        };
        let mut sorted = Sorted::default();
        for (position, (name, value)) in parameters.into_iter().enumerate() {
            if position == MAX_PARAMETERS || name.len() + value.len() > MAX_PARAMETER_BYTES {
                reader.planner.errors.push(too_much(name));
                break;
            }
            match RESERVED.iter().position(|reserved| *reserved == name) {
                Some(reserved) => {
                    if sorted.reserved[reserved].replace(value).is_some() {
                        let message = format!("`{name}` can be given only once");
                        reader.report(QueryErrorKind::Repeated, name, message);
                    }
                }
                None => match syntax::key(name) {
                    Ok(key) => sorted.about_rows.push(Parameter { name, key, value }),
                    Err(misread) => {
                        let error = syntax_error(name, "tree path", &misread);
                        reader.planner.errors.push(error);
                    }
                },
            }
        }
        (reader, sorted)
    }

    fn level(&mut self, sorted: &Sorted<'_>) -> bind::Level {
        let parameters: Vec<&Parameter<'_>> = sorted.about_rows.iter().collect();
        let resource = self.planner.scope.resource;
        let items = match sorted.reserved("select").map(syntax::select) {
            None => None,
            Some(Ok(items)) if items.is_empty() => None,
            Some(Ok(items)) => Some(items),
            Some(Err(misread)) => {
                let error = syntax_error("select", "select parameter", &misread);
                self.planner.errors.push(error);
                None
            }
        };
        self.planner.level(resource, items.as_deref(), &parameters, 0)
    }

    /// Refuses what has no meaning where these parameters stand.
    fn refuse(&mut self, sorted: &Sorted<'_>, names: &[&str]) {
        for name in names {
            if sorted.reserved(name).is_some() {
                self.out_of_place(name);
            }
        }
    }

    fn out_of_place(&mut self, name: &str) {
        let message = format!(
            "`{}` has no meaning on this route",
            super::error::excerpt(name).escape_debug()
        );
        self.report(QueryErrorKind::Syntax, name, message);
    }

    fn report(&mut self, kind: QueryErrorKind, parameter: &str, message: impl Into<String>) {
        self.planner
            .errors
            .push(QueryError::new(kind, parameter, message));
    }

    fn finish<T>(self, read: T) -> Result<T, QueryErrors> {
        if self.planner.errors.is_empty() {
            Ok(read)
        } else {
            Err(QueryErrors(self.planner.errors))
        }
    }
}

fn too_much(parameter: &str) -> QueryError {
    let message = "there are too many parameters, or one is too long";
    QueryError::new(QueryErrorKind::Syntax, parameter, message)
}
