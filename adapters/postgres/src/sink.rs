//! Where the rows of an answer go: encoded, as records, or nowhere.

use std::sync::Arc;

use rowstamp_domain::definition::ResourceDefinition;
use rowstamp_domain::json_text::Buffer;
use rowstamp_domain::operation::{Operation, Representation, Rows};
use rowstamp_domain::record::Record;
use tokio_postgres::Row;

use crate::decode;
use crate::encode::{self, Encoding};
use crate::output::{self, Cell, Member, Nulls};
use crate::rows::{RowsError, raw};
use crate::sql::{Plan, selection};

/// Rows in the form that was asked for.
pub(crate) enum Sink {
    Nothing,
    /// There was no room for them.
    TooLarge,
    Object(Form, Buffer),
    Array(Form, Buffer),
    Csv(Vec<Member>, Buffer),
    Records(Arc<ResourceDefinition>, Vec<Record>),
}

/// How a row becomes a JSON object.
pub(crate) enum Form {
    /// By the keys of the plan: fields under their own names.
    Plain,
    Members(Vec<Member>, Nulls),
}

impl Form {
    fn of(operation: &Operation, plan: &Plan, nulls: Nulls) -> Self {
        if plan.plain && nulls == Nulls::Kept {
            Self::Plain
        } else {
            Self::Members(members(operation), nulls)
        }
    }

    fn write(
        &self,
        plan: &Plan,
        encodings: &[Encoding],
        row: &Row,
        out: &mut Buffer,
    ) -> Result<(), RowsError> {
        match self {
            Self::Plain => write_plain(plan, encodings, row, out),
            Self::Members(members, nulls) => {
                out.reserve(row.raw_size_bytes() * 2);
                output::write_object(members, cells(encodings, row), *nulls, out)
            }
        }
    }
}

fn members(operation: &Operation) -> Vec<Member> {
    output::members(operation.resource(), selection(operation).0)
}

fn cells<'r>(encodings: &[Encoding], row: &'r Row) -> impl Fn(usize) -> Result<Cell<'r>, RowsError> {
    move |position| {
        let encoding = encodings.get(position).copied().ok_or_else(RowsError::short)?;
        Ok(Cell::of_row(encoding, raw(row, position)?))
    }
}

impl Sink {
    pub(crate) fn new(operation: &Operation, plan: &Plan) -> Self {
        match plan.representation(operation) {
            Representation::Nothing => Self::Nothing,
            Representation::JsonObject => Self::Object(Form::of(operation, plan, Nulls::Kept), Buffer::new()),
            Representation::StrippedObject => {
                Self::Object(Form::of(operation, plan, Nulls::Stripped), Buffer::new())
            }
            Representation::JsonArray => {
                Self::Array(Form::of(operation, plan, Nulls::Kept), Buffer::from(&b"["[..]))
            }
            Representation::StrippedArray => Self::Array(
                Form::of(operation, plan, Nulls::Stripped),
                Buffer::from(&b"["[..]),
            ),
            Representation::Csv => {
                let members = members(operation);
                let mut out = Buffer::new();
                output::write_header(&members, &mut out);
                Self::Csv(members, out)
            }
            Representation::Records => Self::Records(Arc::clone(operation.resource()), Vec::new()),
        }
    }

    /// Whether rows are shown at all.
    pub(crate) const fn is_shown(&self) -> bool {
        !matches!(self, Self::Nothing)
    }

    /// Takes a row. Where encoded rows are more than `room` bytes it keeps none of them, and takes no more.
    pub(crate) fn take(
        &mut self,
        plan: &Plan,
        encodings: &[Encoding],
        row: &Row,
        room: usize,
    ) -> Result<(), RowsError> {
        let length = match self {
            Self::Nothing | Self::TooLarge => return Ok(()),
            Self::Object(form, out) => {
                form.write(plan, encodings, row, out)?;
                out.len()
            }
            Self::Array(form, out) => {
                if out.len() > 1 {
                    out.push(b',');
                }
                form.write(plan, encodings, row, out)?;
                // The closing bracket is to come.
                out.len() + 1
            }
            Self::Csv(members, out) => {
                output::write_line(members, cells(encodings, row), out)?;
                out.len()
            }
            Self::Records(resource, records) => {
                records.push(record(plan, encodings, resource, row)?);
                return Ok(());
            }
        };
        if length > room {
            *self = Self::TooLarge;
        }
        Ok(())
    }

    /// What it holds in the end. Where no row came, a list is empty, and everything else is nothing.
    pub(crate) fn finish(self, is_list: bool, returned: u64) -> Rows {
        match self {
            Self::Nothing => Rows::None,
            Self::TooLarge => Rows::TooLarge,
            Self::Object(..) if returned == 0 => Rows::None,
            Self::Array(..) | Self::Csv(..) | Self::Records(..) if returned == 0 && !is_list => Rows::None,
            Self::Object(_, out) | Self::Csv(_, out) => Rows::Json(out.into_vec()),
            Self::Array(_, mut out) => {
                out.push(b']');
                Rows::Json(out.into_vec())
            }
            Self::Records(_, records) => Rows::Records(records),
        }
    }
}

/// Appends the selected columns as one JSON object.
fn write_plain(plan: &Plan, encodings: &[Encoding], row: &Row, out: &mut Buffer) -> Result<(), RowsError> {
    // Twice a row is enough for most; and there is room for a whole block behind the last key.
    out.reserve(plan.key_bytes + row.raw_size_bytes() * 2 + 64);
    if plan.columns.is_empty() {
        out.push(b'{');
    }
    for (position, (column, encoding)) in plan.columns.iter().zip(encodings).enumerate() {
        out.extend_from_word(&column.key);
        encode::write(*encoding, raw(row, position)?, out)?;
    }
    out.push(b'}');
    Ok(())
}

/// The selected fields as a record.
fn record(
    plan: &Plan,
    encodings: &[Encoding],
    resource: &Arc<ResourceDefinition>,
    row: &Row,
) -> Result<Record, RowsError> {
    let mut record = Record::new(Arc::clone(resource));
    for (position, (column, encoding)) in plan.columns.iter().zip(encodings).enumerate() {
        if let Some(field) = column.field {
            let ty = resource.field(field).ty.scalar;
            record.put(field, decode::decode(*encoding, ty, raw(row, position)?)?);
        }
    }
    Ok(record)
}
