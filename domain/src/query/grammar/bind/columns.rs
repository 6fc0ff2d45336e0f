//! Column lists given their fields, and the names under which they are shown.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::super::error::{QueryError, QueryErrorKind, excerpt};
use super::super::syntax;
use super::level::{Parameter, Planner};
use super::order::not_embedded;
use super::{field, groups, is_readable, operand, types};
use crate::definition::{FieldId, ResourceDefinition};
use crate::query::{Aggregate, Column, EmbedForm, Expression, JsonStep, Operand, Select, SelectItem};

/// The longest name that can be given to a column, in characters.
const MAX_NAME: usize = 100;

/// An item of a column list on its way to be one of a [`Select`].
enum Item {
    Star,
    One(SelectItem),
}

impl<'a> Planner<'a> {
    /// The columns: those named, or all that may be read where `items` is `None`.
    pub(super) fn select(
        &mut self,
        definition: &'a Arc<ResourceDefinition>,
        items: Option<&[syntax::SelectItem<'_>]>,
        parameters: &[&Parameter<'_>],
        depth: usize,
    ) -> Select {
        let reach = self.scope.reach;
        let everything = || definition.select_readable(|id| is_readable(definition, id, reach));
        let items = items.unwrap_or(&[syntax::SelectItem::Star]);
        self.check_paths(items, parameters, depth);
        if matches!(items, [syntax::SelectItem::Star]) {
            return everything();
        }
        let mut bound = Vec::with_capacity(items.len());
        for item in items {
            match item {
                syntax::SelectItem::Star => bound.push(Item::Star),
                syntax::SelectItem::Column(column) => match self.column(definition, column) {
                    Ok(item) => bound.push(Item::One(item)),
                    Err(error) => self.errors.push(*error),
                },
                syntax::SelectItem::Embed(embed) => {
                    let name = embed.alias.as_ref().unwrap_or(&embed.target);
                    if let Err(error) = check_name(name) {
                        self.errors.push(*error);
                    }
                    let embed = self.embed(definition, embed, parameters, depth);
                    bound.extend(embed.map(|embed| Item::One(SelectItem::Embed(Arc::new(embed)))));
                }
            }
        }
        let select = self.named(definition, bound, &everything);
        if select.is_aggregated() {
            if !definition.aggregates {
                self.errors.push(no_aggregates(definition));
            }
            groups::check(&select, &mut self.errors);
        }
        select
    }

    /// Each parameter about an embed must find one.
    fn check_paths(&mut self, items: &[syntax::SelectItem<'_>], parameters: &[&Parameter<'_>], depth: usize) {
        for parameter in parameters {
            let Some(name) = parameter.key.path.get(depth) else {
                continue;
            };
            let mut embeds = items.iter().filter_map(|item| match item {
                syntax::SelectItem::Embed(embed) => Some(embed),
                _ => None,
            });
            let found = embeds
                .clone()
                .any(|embed| embed.alias.as_ref().unwrap_or(&embed.target) == name);
            if found {
                continue;
            }
            let mut error = not_embedded(name, parameter.name);
            if let Some(alias) =
                embeds.find_map(|embed| embed.alias.as_ref().filter(|_| embed.target == *name))
            {
                error = error
                    .with_details("Target names are not allowed in filters if they have an alias")
                    .with_hint(format!(
                        "Change '{}' to '{}' in filters, orders or limits.",
                        excerpt(name),
                        excerpt(alias)
                    ));
            }
            self.errors.push(error);
        }
    }

    fn column(
        &self,
        definition: &ResourceDefinition,
        column: &syntax::Column<'_>,
    ) -> Result<SelectItem, Box<QueryError>> {
        if let Some(alias) = &column.alias {
            check_name(alias)?;
        }
        // `count` was `count()` before there were others, and is typed to this day: `books(count)`.
        let argument = column.argument.as_ref().filter(|name| {
            let is_old_count = column.aggregate.is_none() && name.path.is_none() && name.field == "count";
            !is_old_count || definition.field_id("count").is_some()
        });
        if (column.aggregate.is_some() || argument.is_none()) && !definition.aggregates {
            return Err(no_aggregates(definition).into());
        }
        let Some(name) = argument else {
            let mut expression = Expression::CountRows;
            for ty in column.casts.iter().chain(&column.aggregate_casts) {
                expression = types::cast(expression, ty, definition)?;
            }
            return Ok(shown(column.alias.as_deref().unwrap_or("count"), expression));
        };
        let operand = operand(name, "select", definition, Some(self.scope.reach))?;
        let usual = match column.aggregate {
            Some(aggregate) => Cow::Borrowed(aggregate_name(aggregate)),
            None => Cow::Owned(usual_name(&operand, definition)),
        };
        let alias = column.alias.as_deref().unwrap_or(&usual);
        check_name(alias)?;
        if let Operand::Field(id) = operand
            && column.casts.is_empty()
            && column.aggregate.is_none()
            && alias == definition.field(id).name
        {
            return Ok(SelectItem::Field(id));
        }
        let mut expression = Expression::Operand(operand);
        for ty in &column.casts {
            expression = types::cast(expression, ty, definition)?;
        }
        if let Some(aggregate) = column.aggregate {
            expression = types::aggregate(aggregate, expression, definition)?;
        }
        for ty in &column.aggregate_casts {
            expression = types::cast(expression, ty, definition)?;
        }
        Ok(shown(alias, expression))
    }

    /// The items in order, each once; `*` leaves out what has been shown or is shown otherwise.
    fn named(
        &mut self,
        definition: &ResourceDefinition,
        items: Vec<Item>,
        everything: &dyn Fn() -> Select,
    ) -> Select {
        let mut others: HashMap<String, SelectItem> = HashMap::new();
        for item in &items {
            let Item::One(item) = item else { continue };
            for name in output_names(item, definition) {
                others.entry(name).or_insert_with(|| item.clone());
            }
        }
        let mut columns: Vec<SelectItem> = Vec::with_capacity(items.len());
        let mut names: HashMap<String, usize> = HashMap::new();
        let mut embeds: Vec<String> = Vec::new();
        for item in items {
            match item {
                Item::Star => {
                    for item in everything().0.iter() {
                        let SelectItem::Field(id) = item else { continue };
                        let name = &definition.field(*id).name;
                        let is_shown_otherwise = others.get(name).is_some_and(|other| other != item);
                        if !is_shown_otherwise && !names.contains_key(name) {
                            names.insert(name.clone(), columns.len());
                            columns.push(item.clone());
                        }
                    }
                }
                Item::One(item) => {
                    let shown = output_names(&item, definition);
                    let earlier = shown.iter().find_map(|name| names.get(name));
                    if !matches!(item, SelectItem::Embed(_)) && earlier.is_some_and(|at| columns[*at] == item)
                    {
                        continue;
                    }
                    for name in shown {
                        if names.insert(name.clone(), columns.len()).is_some() {
                            self.errors.push(same_name(&name, "columns"));
                        }
                    }
                    if let SelectItem::Embed(embed) = &item {
                        if embeds.contains(&embed.name) {
                            self.errors.push(same_name(&embed.name, "embedded resources"));
                        }
                        embeds.push(embed.name.clone());
                    }
                    columns.push(item);
                }
            }
        }
        Select(columns.into())
    }
}

/// The fields that `columns=` names, each once.
pub(in crate::query::grammar) fn columns_named(
    names: &[Cow<'_, str>],
    definition: &ResourceDefinition,
    errors: &mut Vec<QueryError>,
) -> Vec<FieldId> {
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        match definition.field_id(name) {
            Some(id) if found.contains(&id) => {}
            Some(id) => found.push(id),
            None => {
                let field = excerpt(name).into_owned();
                let message = format!(
                    "Could not find the '{}' column of '{}'",
                    field.escape_debug(),
                    definition.name
                );
                errors.push(QueryError::new(
                    QueryErrorKind::UnknownColumn { field },
                    "columns",
                    message,
                ));
            }
        }
    }
    found
}

/// The unique set that `on_conflict=` names; `uid` where it names nothing.
pub(in crate::query::grammar) fn conflict_target(
    names: &[Cow<'_, str>],
    scope: &crate::query::Scope<'_>,
) -> Result<Vec<FieldId>, Box<QueryError>> {
    let definition = scope.resource;
    let uid = definition.audit.uid;
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        let id = field(name, "on_conflict", definition, Some(scope.reach))?;
        if !found.contains(&id) {
            found.push(id);
        }
    }
    if found.is_empty() || found == [uid] {
        return Ok(vec![uid]);
    }
    let same = |set: &&Vec<FieldId>| set.len() == found.len() && set.iter().all(|id| found.contains(id));
    if let Some(set) = definition.unique.iter().find(same) {
        return Ok(set.clone());
    }
    let is_shown = |set: &&Vec<FieldId>| set.iter().all(|id| is_readable(definition, *id, scope.reach));
    let sets = std::iter::once(&vec![uid])
        .chain(&definition.unique)
        .filter(is_shown)
        .map(|set| {
            let names = set.iter().map(|id| definition.field(*id).name.as_str());
            names.collect::<Vec<_>>().join(",")
        })
        .collect::<Vec<_>>();
    let message = "`on_conflict` must name the fields of a unique set";
    Err(QueryError::new(QueryErrorKind::NotUnique, "on_conflict", message)
        .with_hint(format!("unique sets are: {}", sets.join("; ")))
        .into())
}

fn shown(name: &str, expression: Expression) -> SelectItem {
    SelectItem::Column(Arc::new(Column {
        name: name.to_owned(),
        expression,
    }))
}

/// The names that an item gives to members of the answer.
fn output_names(item: &SelectItem, definition: &ResourceDefinition) -> Vec<String> {
    match item {
        SelectItem::Field(id) => vec![definition.field(*id).name.clone()],
        SelectItem::Column(column) => vec![column.name.clone()],
        SelectItem::Embed(embed) if embed.query.select.shows_nothing() => Vec::new(),
        SelectItem::Embed(embed) if embed.form == EmbedForm::Nested => vec![embed.name.clone()],
        SelectItem::Embed(embed) => {
            let items = embed.query.select.0.iter();
            items
                .flat_map(|item| output_names(item, &embed.resource))
                .collect()
        }
    }
}

/// The name of a column that was given none.
pub(in crate::query::grammar) fn usual_name(operand: &Operand, definition: &ResourceDefinition) -> String {
    let field = &definition.field(operand.field()).name;
    match operand {
        Operand::Field(_) => field.clone(),
        Operand::Json { path, .. } => {
            let last_key = path.steps.iter().rev().find_map(|step| match step {
                JsonStep::Key(key) => Some(key),
                JsonStep::Index(_) => None,
            });
            last_key.unwrap_or(field).clone()
        }
    }
}

pub(in crate::query::grammar) const fn aggregate_name(aggregate: Aggregate) -> &'static str {
    match aggregate {
        Aggregate::Count => "count",
        Aggregate::Sum => "sum",
        Aggregate::Avg => "avg",
        Aggregate::Min => "min",
        Aggregate::Max => "max",
    }
}

fn check_name(name: &str) -> Result<(), Box<QueryError>> {
    let message = if name.chars().any(char::is_control) {
        "a name may not hold control characters".to_owned()
    } else if name.is_empty() || name.chars().count() > MAX_NAME {
        format!("a name has from 1 to {MAX_NAME} characters")
    } else {
        return Ok(());
    };
    Err(QueryError::new(QueryErrorKind::Syntax, "select", message).into())
}

fn same_name(name: &str, what: &str) -> QueryError {
    let message = format!("two {what} would be named `{}`", excerpt(name).escape_debug());
    QueryError::new(QueryErrorKind::SameName, "select", message)
        .with_hint("give one of them another name, as in `other:name`")
}

fn no_aggregates(definition: &ResourceDefinition) -> QueryError {
    QueryError::new(
        QueryErrorKind::AggregatesNotAllowed,
        "select",
        "Use of aggregate functions is not allowed",
    )
    .with_details(format!("`{}` does not allow them", definition.name))
}
