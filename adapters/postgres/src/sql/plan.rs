//! What is known of a statement once it was built.

use std::ops::Range;
use std::sync::Arc;

use rowstamp_domain::definition::{FieldId, JsonEncoding, ResourceDefinition};
use rowstamp_domain::operation::{Operation, Representation};
use rowstamp_domain::query::{Select, SelectItem};
use tokio_postgres::Column;
use tokio_postgres::types::Type;

use super::writer::Writer;
use crate::connection::PrepareError;
use crate::encode::{Encoding, write_string};

/// A statement and everything about it that does not depend on values.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Never given to another plan.
    pub(crate) id: u64,
    pub(crate) resource: Arc<ResourceDefinition>,
    pub(crate) sql: String,
    /// The types of its parameters.
    pub(crate) types: Vec<Type>,
    /// The selected columns, which are the first of each row.
    pub(crate) columns: Vec<PlanColumn>,
    /// How long all keys of one object are together.
    pub(crate) key_bytes: usize,
    pub(crate) layout: Layout,
}

/// A selected column.
#[derive(Debug)]
pub(crate) struct PlanColumn {
    pub(crate) field: FieldId,
    /// What stands before its value in JSON: `{"uid":` for the first, `,"title":` for the others.
    pub(crate) key: Box<[u8]>,
}

/// Where in a row everything is that is not a selected column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// How many columns a row has so far.
    pub(crate) width: usize,
    /// How many of them are selected columns.
    pub(crate) selected: usize,
    /// The row's version.
    pub(crate) version: Option<usize>,
    /// Whether the row may be shown; it may where there is no such column.
    pub(crate) shown: Option<usize>,
    /// Whether this is a row at all, in statements that answer with something in any case.
    pub(crate) present: Option<usize>,
    /// How many rows match in all.
    pub(crate) total: Option<usize>,
    /// How an item write was judged.
    pub(crate) judgement: Option<Judgement>,
}

/// Where an item write's judgements are. What is absent was not in question.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Judgement {
    /// Whether there is a target.
    pub(crate) found: usize,
    pub(crate) visible: Option<usize>,
    /// Whether the rule holds for the row as it is.
    pub(crate) permitted: Option<usize>,
    pub(crate) precondition: Option<usize>,
    /// One for each expected field.
    pub(crate) mismatches: Range<usize>,
    /// Whether the rule holds for the row as it would be.
    pub(crate) permitted_new: Option<usize>,
    /// Whether the row written is a new one.
    pub(crate) created: Option<usize>,
    /// Whether the rule of creation holds.
    pub(crate) permitted_create: Option<usize>,
}

impl Layout {
    /// The position of one more column.
    pub(crate) fn next(&mut self) -> usize {
        self.width += 1;
        self.width - 1
    }
}

impl Plan {
    /// Builds the statement of an operation.
    pub(super) fn build(id: u64, operation: &Operation) -> Self {
        let mut writer = Writer::with_text();
        let layout = super::write(&mut writer, operation);
        let (sql, types) = writer.into_text().expect("text was asked for");
        let resource = Arc::clone(operation.resource());
        let columns = columns(&resource, operation);
        let key_bytes = columns.iter().map(|column| column.key.len()).sum::<usize>() + 2;
        Self {
            id,
            resource,
            sql,
            types,
            columns,
            key_bytes,
            layout,
        }
    }

    /// In which form an operation of this plan wants its rows; that is no part of the shape.
    #[expect(clippy::unused_self, reason = "it is asked together with the plan")]
    pub(crate) const fn representation(&self, operation: &Operation) -> Representation {
        selection(operation).1
    }

    /// The encodings of the selected columns, given the types that the database found for them.
    ///
    /// # Errors
    /// [`PrepareError::ColumnType`] for a column that cannot hold its field.
    pub(crate) fn encodings(&self, found: &[Column]) -> Result<Box<[Encoding]>, PrepareError> {
        self.columns
            .iter()
            .zip(found)
            .map(|(column, found)| {
                let field = self.resource.field(column.field);
                Encoding::of(field.ty, field.json == JsonEncoding::String, found.type_()).ok_or_else(|| {
                    PrepareError::ColumnType {
                        column: field.column.clone(),
                        found: found.type_().to_string(),
                    }
                })
            })
            .collect()
    }
}

/// The columns that an operation's answer shows.
pub(super) const fn selection(operation: &Operation) -> (&Select, Representation) {
    match operation {
        Operation::Read(read) => (&read.select, read.representation),
        Operation::List(list) => (&list.query.select, list.representation),
        Operation::Insert(insert) => (&insert.select, insert.representation),
        Operation::Update(update) => (&update.select, update.representation),
        Operation::Replace(replace) => (&replace.update.select, replace.update.representation),
        Operation::Delete(delete) => (&delete.select, delete.representation),
        Operation::UpdateMany(update) => (&update.select, update.representation),
        Operation::DeleteMany(delete) => (&delete.select, delete.representation),
    }
}

fn columns(resource: &ResourceDefinition, operation: &Operation) -> Vec<PlanColumn> {
    let (select, representation) = selection(operation);
    if representation == Representation::Nothing {
        return Vec::new();
    }
    select
        .0
        .iter()
        .enumerate()
        .map(|(index, item)| {
            let SelectItem::Field(field) = *item else {
                unimplemented!()
            };
            let mut key = vec![if index == 0 { b'{' } else { b',' }];
            write_string(&resource.field(field).name, &mut key);
            key.push(b':');
            PlanColumn {
                field,
                key: key.into(),
            }
        })
        .collect()
}

/// Writes the selected columns of the row `t`, and the version where there is one and it is not among them. With `named`
/// they are called `c0`, `c1`, … and `v`.
pub(super) fn write_columns(
    w: &mut Writer<'_>,
    resource: &ResourceDefinition,
    select: &Select,
    representation: Representation,
    named: Naming,
) -> Layout {
    let mut layout = Layout::default();
    if representation != Representation::Nothing {
        for item in select.0.iter() {
            let SelectItem::Field(id) = *item else {
                unimplemented!()
            };
            let position = layout.next();
            if resource.audit.last_updated_at == Some(id) {
                layout.version = Some(position);
            }
            if !w.wants_text() {
                continue;
            }
            if position > 0 {
                w.push(", ");
            }
            let field = resource.field(id);
            w.column(field);
            w.cast_out(field);
            if named == Naming::Numbered {
                w.indexed(" AS c", position);
            }
        }
    }
    layout.selected = layout.width;
    layout
}

/// Adds the version to what was selected, where the table keeps one and it is not selected.
pub(super) fn write_version(
    w: &mut Writer<'_>,
    resource: &ResourceDefinition,
    layout: &mut Layout,
    named: Naming,
) {
    if layout.version.is_some() {
        return;
    }
    if let Some(version) = resource.audit.last_updated_at {
        separate(w, layout);
        w.column(resource.field(version));
        if named == Naming::Numbered {
            w.push(" AS v");
        }
        layout.version = Some(layout.next());
    }
}

/// A comma, unless the next column is the first.
pub(super) fn separate(w: &mut Writer<'_>, layout: &Layout) {
    if layout.width > 0 {
        w.push(", ");
    }
}

/// Whether columns need names of their own, as those of a CTE do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    Plain,
    Numbered,
}
