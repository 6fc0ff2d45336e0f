//! What is shown of a row: members with their names, before they are written in any form.

use rowstamp_domain::definition::{JsonEncoding, ResourceDefinition};
use rowstamp_domain::query::{EmbedForm, Select, SelectItem};
use rowstamp_domain::value::Value;
use rowstamp_ports::StoreError;

use crate::expression::of_row;
use crate::json::Tree;
use crate::tables::Row;
use crate::view::View;

/// The members of a row, in order.
pub(crate) type Members = Vec<(String, Shown)>;

/// What a member is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shown {
    /// A value, and how its numbers appear in JSON.
    Value(Value, JsonEncoding),
    /// An embedded row.
    Object(Members),
    /// Embedded rows, or one column of them.
    Array(Vec<Shown>),
}

impl Shown {
    pub(crate) const NULL: Self = Self::Value(Value::Null, JsonEncoding::Native);

    fn is_null(&self) -> bool {
        match self {
            Self::Value(Value::Json(json), _) => json.as_str() == "null",
            Self::Value(value, _) => value.is_null(),
            Self::Object(_) | Self::Array(_) => false,
        }
    }

    /// Without the members that are null, at any depth.
    pub(crate) fn stripped(self) -> Self {
        match self {
            Self::Value(value, encoding) => Self::Value(stripped_value(value), encoding),
            Self::Object(members) => Self::Object(
                members
                    .into_iter()
                    .filter(|(_, member)| !member.is_null())
                    .map(|(name, member)| (name, member.stripped()))
                    .collect(),
            ),
            Self::Array(elements) => Self::Array(elements.into_iter().map(Self::stripped).collect()),
        }
    }

    /// As JSON.
    pub(crate) fn write_json(&self, out: &mut Vec<u8>) {
        match self {
            Self::Value(value, JsonEncoding::Native) => value.write_json(out),
            Self::Value(value, JsonEncoding::String) => value.write_json_as_string(out),
            Self::Object(members) => {
                out.push(b'{');
                for (index, (name, member)) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    Value::Text(name.clone()).write_json(out);
                    out.push(b':');
                    member.write_json(out);
                }
                out.push(b'}');
            }
            Self::Array(elements) => {
                out.push(b'[');
                for (index, element) in elements.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    element.write_json(out);
                }
                out.push(b']');
            }
        }
    }
}

fn stripped_value(value: Value) -> Value {
    match value {
        Value::Json(json) => Value::Json(Tree::read(&json).stripped().to_json()),
        Value::Array(elements) => Value::Array(elements.into_iter().map(stripped_value).collect()),
        other => other,
    }
}

/// Whether an item is shown at all; an embed that shows nothing is there for a condition or an order.
pub(crate) fn is_shown(item: &SelectItem) -> bool {
    match item {
        SelectItem::Field(_) | SelectItem::Column(_) => true,
        SelectItem::Embed(embed) => embed.query.select.0.iter().any(is_shown),
    }
}

/// What is shown of a row that is no group; all is null where there is no row.
pub(crate) fn row_members<'t>(
    view: View<'t>,
    resource: &ResourceDefinition,
    select: &Select,
    row: Option<&'t Row>,
) -> Result<Members, StoreError> {
    let mut members = Members::new();
    for item in select.0.iter().filter(|item| is_shown(item)) {
        members.extend(column_members(view, resource, item, row)?);
    }
    Ok(members)
}

/// The members that one column of an answer makes.
pub(crate) fn column_members<'t>(
    view: View<'t>,
    resource: &ResourceDefinition,
    item: &SelectItem,
    row: Option<&'t Row>,
) -> Result<Members, StoreError> {
    let embed = match item {
        SelectItem::Field(id) => {
            let field = resource.field(*id);
            let value = row.map_or(Value::Null, |row| row[id.index()].clone());
            return Ok(vec![(field.name.clone(), Shown::Value(value, field.json))]);
        }
        SelectItem::Column(column) => {
            let value = of_row(&column.expression, row.map(|row| row.as_slice()))?;
            let shown = Shown::Value(value, column.expression.json(resource));
            return Ok(vec![(column.name.clone(), shown)]);
        }
        SelectItem::Embed(embed) => embed,
    };
    let found = match row {
        Some(row) => Some(view.embedded(embed, resource, row)?),
        None => None,
    };
    Ok(match (embed.form, found) {
        (EmbedForm::Nested, None) => vec![(embed.name.clone(), Shown::NULL)],
        (EmbedForm::Nested, Some(found)) => {
            let mut objects = found.into_iter().map(Shown::Object);
            let shown = if embed.is_single() {
                objects.next().unwrap_or(Shown::NULL)
            } else {
                Shown::Array(objects.collect())
            };
            vec![(embed.name.clone(), shown)]
        }
        (EmbedForm::Spread, None) => all_null(&embed.query.select, &embed.resource),
        (EmbedForm::Spread, Some(found)) if embed.is_single() => found
            .into_iter()
            .next()
            .unwrap_or_else(|| all_null(&embed.query.select, &embed.resource)),
        (EmbedForm::Spread, Some(found)) => {
            let mut columns: Vec<(String, Vec<Shown>)> = names(&embed.query.select, &embed.resource)
                .into_iter()
                .map(|name| (name, Vec::with_capacity(found.len())))
                .collect();
            for members in found {
                for ((_, column), (_, member)) in columns.iter_mut().zip(members) {
                    column.push(member);
                }
            }
            columns
                .into_iter()
                .map(|(name, column)| (name, Shown::Array(column)))
                .collect()
        }
    })
}

fn all_null(select: &Select, resource: &ResourceDefinition) -> Members {
    names(select, resource)
        .into_iter()
        .map(|name| (name, Shown::NULL))
        .collect()
}

/// The names of the members that a select makes.
pub(crate) fn names(select: &Select, resource: &ResourceDefinition) -> Vec<String> {
    let mut names = Vec::new();
    for item in select.0.iter().filter(|item| is_shown(item)) {
        match item {
            SelectItem::Field(id) => names.push(resource.field(*id).name.clone()),
            SelectItem::Column(column) => names.push(column.name.clone()),
            SelectItem::Embed(embed) if embed.form == EmbedForm::Spread => {
                names.extend(self::names(&embed.query.select, &embed.resource));
            }
            SelectItem::Embed(embed) => names.push(embed.name.clone()),
        }
    }
    names
}
