//! The columns of an answer as bytes: names, nesting and representation, around the encoders of single values.
//!
//! A list of plain fields goes another, shorter way. What is here serves all others: renamed and computed columns, embeds, CSV, and JSON
//! without nulls. Names come from the operation, since plans are shared between all that callers choose.

mod csv;
mod record;
mod strip;

use rowstamp_domain::definition::{JsonEncoding, ResourceDefinition};
use rowstamp_domain::field_type::FieldType;
use rowstamp_domain::json_text::{Buffer, Word, write_string};
use rowstamp_domain::query::{EmbedForm, Select, SelectItem};

use crate::encode::{self, Encoding};
use crate::rows::RowsError;
use crate::sql::shown;
pub(crate) use csv::write_header;
pub(crate) use csv::write_line;
use record::Record;

/// What becomes of members that are null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nulls {
    Kept,
    /// They are left out, at any depth.
    Stripped,
}

/// One name of an answer and what is under it.
#[derive(Debug)]
pub(crate) struct Member {
    name: String,
    /// `"name":`
    key: Word,
    /// The column of the row or record that it is in.
    cell: usize,
    /// The way on through spread embeds.
    through: Vec<Through>,
    content: Content,
}

/// A spread embed on the way to a member's value.
#[derive(Debug, Clone, Copy)]
struct Through {
    /// Whether it can find several rows, so that the member is an array.
    several: bool,
    /// The column of its record.
    cell: usize,
}

#[derive(Debug)]
enum Content {
    Value { ty: FieldType, as_string: bool },
    One(Vec<Member>),
    Several(Vec<Member>),
}

/// A value as it came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell<'r> {
    pub(crate) raw: Option<&'r [u8]>,
    kind: Kind,
}

/// How a value is encoded.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// As was found when the statement was prepared.
    Known(Encoding),
    /// As the type with this OID is.
    Oid(u32),
}

impl<'r> Cell<'r> {
    /// A column of a row.
    pub(crate) const fn of_row(encoding: Encoding, raw: Option<&'r [u8]>) -> Self {
        Self {
            raw,
            kind: Kind::Known(encoding),
        }
    }

    const fn of_record(oid: u32, raw: Option<&'r [u8]>) -> Self {
        Self {
            raw,
            kind: Kind::Oid(oid),
        }
    }

    fn encoding(&self, raw: &[u8], ty: FieldType, as_string: bool) -> Result<Encoding, RowsError> {
        match self.kind {
            Kind::Known(encoding) => Ok(encoding),
            Kind::Oid(oid) => Encoding::of_oid(ty, as_string, oid, raw).ok_or_else(|| RowsError::unfit(oid)),
        }
    }
}

/// The members of an answer with these columns.
pub(crate) fn members(resource: &ResourceDefinition, select: &Select) -> Vec<Member> {
    let mut members = Vec::with_capacity(select.0.len());
    for (cell, item) in shown(select).enumerate() {
        add(resource, item, cell, &[], &mut members);
    }
    members
}

fn add(
    resource: &ResourceDefinition,
    item: &SelectItem,
    cell: usize,
    through: &[Through],
    members: &mut Vec<Member>,
) {
    let (name, content) = match item {
        SelectItem::Field(id) => {
            let field = resource.field(*id);
            (&field.name, value(field.ty, field.json))
        }
        SelectItem::Column(column) => {
            let expression = &column.expression;
            (
                &column.name,
                value(expression.ty(resource), expression.json(resource)),
            )
        }
        SelectItem::Embed(embed) if embed.form == EmbedForm::Spread => {
            for (inner, item) in shown(&embed.query.select).enumerate() {
                let mut through = through.to_vec();
                through.push(Through {
                    several: !embed.is_single(),
                    cell: inner,
                });
                add(&embed.resource, item, cell, &through, members);
            }
            return;
        }
        SelectItem::Embed(embed) => {
            let inner = self::members(&embed.resource, &embed.query.select);
            let content = if embed.is_single() {
                Content::One(inner)
            } else {
                Content::Several(inner)
            };
            (&embed.name, content)
        }
    };
    let mut key = Buffer::new();
    write_string(name, &mut key);
    key.push(b':');
    members.push(Member {
        name: name.clone(),
        key: Word::new(key.as_slice()),
        cell,
        through: through.to_vec(),
        content,
    });
}

fn value(ty: FieldType, json: JsonEncoding) -> Content {
    Content::Value {
        ty,
        as_string: json == JsonEncoding::String,
    }
}

/// Appends a row as one JSON object; `cell` gives its columns.
pub(crate) fn write_object<'r>(
    members: &[Member],
    cell: impl Fn(usize) -> Result<Cell<'r>, RowsError>,
    nulls: Nulls,
    out: &mut Buffer,
) -> Result<(), RowsError> {
    out.push(b'{');
    let empty = out.len();
    for member in members {
        let before = out.len();
        if before > empty {
            out.push(b',');
        }
        out.extend_from_word(&member.key);
        let start = out.len();
        member.write(cell(member.cell)?, nulls, out)?;
        if nulls == Nulls::Stripped && &out.as_slice()[start..] == b"null" {
            out.truncate(before);
        }
    }
    out.push(b'}');
    Ok(())
}

impl Member {
    fn write(&self, cell: Cell<'_>, nulls: Nulls, out: &mut Buffer) -> Result<(), RowsError> {
        self.write_through(&self.through, cell, nulls, out)
    }

    /// Appends what is found on the way through spread embeds: where one can find several rows, an array.
    fn write_through(
        &self,
        through: &[Through],
        cell: Cell<'_>,
        nulls: Nulls,
        out: &mut Buffer,
    ) -> Result<(), RowsError> {
        let Some((next, rest)) = through.split_first() else {
            return self.content.write(cell, nulls, out);
        };
        let Some(raw) = cell.raw else {
            out.extend_from_array(b"null");
            return Ok(());
        };
        if next.several {
            write_array(raw, out, |record, out| {
                self.write_through(rest, record.cell(next.cell)?, nulls, out)
            })
        } else {
            self.write_through(rest, Record::read(raw)?.cell(next.cell)?, nulls, out)
        }
    }
}

impl Content {
    fn write(&self, cell: Cell<'_>, nulls: Nulls, out: &mut Buffer) -> Result<(), RowsError> {
        let Some(raw) = cell.raw else {
            out.extend_from_array(b"null");
            return Ok(());
        };
        match self {
            Self::Value { ty, as_string } => {
                let encoding = cell.encoding(raw, *ty, *as_string)?;
                let start = out.len();
                encode::write(encoding, Some(raw), out)?;
                if nulls == Nulls::Stripped && encoding.is_json() {
                    strip::strip(start, out);
                }
                Ok(())
            }
            Self::One(members) => write_record(members, Record::read(raw)?, nulls, out),
            Self::Several(members) => {
                write_array(raw, out, |record, out| write_record(members, record, nulls, out))
            }
        }
    }
}

fn write_record(
    members: &[Member],
    record: Record<'_>,
    nulls: Nulls,
    out: &mut Buffer,
) -> Result<(), RowsError> {
    let cells = record.cells()?;
    let cell = |position: usize| cells.get(position).copied().ok_or_else(record::malformed);
    write_object(members, cell, nulls, out)
}

/// Appends an array of records.
fn write_array(
    raw: &[u8],
    out: &mut Buffer,
    mut write: impl FnMut(Record<'_>, &mut Buffer) -> Result<(), RowsError>,
) -> Result<(), RowsError> {
    let mut array = encode::read_array(raw)?;
    let length = match array.lengths() {
        [] => 0,
        [length] => *length,
        _ => return Err(record::malformed()),
    };
    out.push(b'[');
    for index in 0..length {
        if index > 0 {
            out.push(b',');
        }
        match array.elements.next()? {
            Some(raw) => write(Record::read(raw)?, out)?,
            None => out.extend_from_array(b"null"),
        }
    }
    array.elements.finish()?;
    out.push(b']');
    Ok(())
}
