//! What is known of a statement once it was built.

use std::ops::Range;
use std::sync::Arc;

use rowstamp_domain::definition::{FieldId, JsonEncoding, ResourceDefinition};
use rowstamp_domain::field_type::FieldType;
use rowstamp_domain::json_text::{Buffer, Word, write_string};
use rowstamp_domain::operation::{Count, List, Operation, Representation};
use rowstamp_domain::query::{OrderTerm, Relation, Select, SelectItem};
use tokio_postgres::Column;
use tokio_postgres::types::Type;

use super::bulk::BulkLayout;
use super::select::shown;
use super::writer::Writer;
use super::{grouped, order};
use crate::connection::PrepareError;
use crate::encode::Encoding;

/// A statement and everything about it that does not depend on values.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Never given to another plan.
    pub(crate) id: u64,
    pub(crate) resource: Arc<ResourceDefinition>,
    pub(crate) sql: String,
    /// The types of its parameters.
    pub(crate) types: Vec<Type>,
    /// The resources whose rows it embeds; while they are kept, their addresses are nobody else's.
    _embedded: Vec<Arc<ResourceDefinition>>,
    /// The selected columns, which are the first of each row.
    pub(crate) columns: Vec<PlanColumn>,
    /// Whether they are nothing but fields under their own names, so that their keys are known here.
    pub(crate) plain: bool,
    /// The types of what the rows are ordered by, in the columns of [`Layout::keys`].
    pub(crate) keys: Vec<FieldType>,
    /// The statement that asks how many rows are estimated to match.
    pub(crate) explain: Option<Box<Plan>>,
    /// How long all keys of one object are together, but for the brace at its end.
    pub(crate) key_bytes: usize,
    pub(crate) layout: Layout,
}

/// A selected column.
#[derive(Debug)]
pub(crate) struct PlanColumn {
    /// The field that it is, under its own name.
    pub(crate) field: Option<FieldId>,
    /// What stands before a field's value in JSON: `{"uid":` for the first, `,"title":` for the others.
    pub(crate) key: Word,
    content: Content,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Value { ty: FieldType, as_string: bool },
    Record,
    Records,
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
    /// What the row's place in the order is, a column for each term, where that is wanted.
    pub(crate) keys: Vec<usize>,
    /// How an item write was judged.
    pub(crate) judgement: Option<Judgement>,
    /// How the rows of a bulk write were judged.
    pub(crate) bulk: Option<BulkLayout>,
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
    /// Builds the statement of an operation. It takes `id`, and the one after it where a second statement goes with it.
    pub(crate) fn build(id: u64, operation: &Operation) -> Self {
        let mut writer = Writer::with_text();
        let layout = super::write(&mut writer, operation);
        let (select, representation) = selection(operation);
        let columns = if representation == Representation::Nothing {
            Vec::new()
        } else {
            columns(operation.resource(), select)
        };
        let keys = if layout.keys.is_empty() {
            Vec::new()
        } else {
            keys(operation)
        };
        let mut embedded = Vec::new();
        embedded_resources(select, &mut embedded);
        Self {
            plain: columns.iter().all(|column| column.field.is_some()),
            key_bytes: columns.iter().map(|column| column.key.len()).sum(),
            columns,
            keys,
            _embedded: embedded,
            explain: explain(id + 1, operation).map(Box::new),
            ..Self::of(id, operation.resource(), writer, layout)
        }
    }

    /// A statement without columns to show.
    fn of(id: u64, resource: &Arc<ResourceDefinition>, writer: Writer<'_>, layout: Layout) -> Self {
        let (sql, types) = writer.into_text().expect("text was asked for");
        Self {
            id,
            resource: Arc::clone(resource),
            sql,
            types,
            _embedded: Vec::new(),
            columns: Vec::new(),
            plain: true,
            key_bytes: 0,
            keys: Vec::new(),
            explain: None,
            layout,
        }
    }

    /// In which form an operation of this plan wants its rows; that is no part of the shape.
    #[expect(clippy::unused_self, reason = "it is asked together with the plan")]
    pub(crate) const fn representation(&self, operation: &Operation) -> Representation {
        selection(operation).1
    }

    /// The encodings of the selected columns, then of the [`keys`](Self::keys), given the types that the database found for them.
    ///
    /// # Errors
    /// [`PrepareError::ColumnType`] for a column that cannot hold its field.
    pub(crate) fn encodings(&self, found: &[Column]) -> Result<Box<[Encoding]>, PrepareError> {
        let type_at = |position: usize| found.get(position).map_or(&Type::UNKNOWN, Column::type_);
        let columns = self.columns.iter().enumerate().map(|(position, column)| {
            let found = type_at(position);
            let encoding = match column.content {
                Content::Value { ty, as_string } => Encoding::of(ty, as_string, found),
                Content::Record => Encoding::record(found).filter(|encoding| !encoding.array),
                Content::Records => Encoding::record(found).filter(|encoding| encoding.array),
            };
            encoding.ok_or_else(|| self.unfit(column.field, found))
        });
        let keys = self.keys.iter().zip(&self.layout.keys).map(|(ty, position)| {
            let found = type_at(*position);
            Encoding::of(*ty, false, found).ok_or_else(|| self.unfit(None, found))
        });
        columns.chain(keys).collect()
    }

    fn unfit(&self, field: Option<FieldId>, found: &Type) -> PrepareError {
        PrepareError::ColumnType {
            column: field.map_or_else(String::new, |id| self.resource.field(id).column.clone()),
            found: found.to_string(),
        }
    }
}

/// The statement that goes with a page whose rows are counted by estimate.
fn explain(id: u64, operation: &Operation) -> Option<Plan> {
    let list = estimated(operation)?;
    let mut writer = Writer::with_text();
    super::read::explain(&mut writer, list);
    Some(Plan::of(id, &list.resource, writer, Layout::default()))
}

/// The list of which the planner is asked how many rows there are.
pub(super) const fn estimated(operation: &Operation) -> Option<&List> {
    match operation {
        Operation::List(list) if matches!(list.count, Count::Planned | Count::Estimated { .. }) => Some(list),
        _ => None,
    }
}

/// The types of what a list is ordered by.
fn keys(operation: &Operation) -> Vec<FieldType> {
    let Operation::List(list) = operation else {
        return Vec::new();
    };
    let select = &list.query.select;
    let ty = |term: &OrderTerm| {
        if select.is_aggregated() {
            grouped::term_type(&list.resource, select, term).ty
        } else {
            order::term_type(&list.resource, select, term).ty
        }
    };
    list.query.order.iter().map(ty).collect()
}

fn embedded_resources(select: &Select, found: &mut Vec<Arc<ResourceDefinition>>) {
    for (_, embed) in select.embeds() {
        found.push(Arc::clone(&embed.resource));
        if let Relation::Through { resource, .. } = &embed.relation {
            found.push(Arc::clone(resource));
        }
        embedded_resources(&embed.query.select, found);
    }
}

/// The columns that an operation's answer shows.
pub(crate) const fn selection(operation: &Operation) -> (&Select, Representation) {
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

fn columns(resource: &ResourceDefinition, select: &Select) -> Vec<PlanColumn> {
    shown(select)
        .enumerate()
        .map(|(index, item)| match item {
            SelectItem::Field(id) => {
                let field = resource.field(*id);
                let mut key = Buffer::new();
                key.push(if index == 0 { b'{' } else { b',' });
                write_string(&field.name, &mut key);
                key.push(b':');
                PlanColumn {
                    field: Some(*id),
                    key: Word::new(key.as_slice()),
                    content: Content::Value {
                        ty: field.ty,
                        as_string: field.json == JsonEncoding::String,
                    },
                }
            }
            SelectItem::Column(column) => PlanColumn {
                field: None,
                key: Word::new(b""),
                content: Content::Value {
                    ty: column.expression.ty(resource),
                    as_string: column.expression.json(resource) == JsonEncoding::String,
                },
            },
            SelectItem::Embed(embed) => PlanColumn {
                field: None,
                key: Word::new(b""),
                content: if embed.is_single() {
                    Content::Record
                } else {
                    Content::Records
                },
            },
        })
        .collect()
}
