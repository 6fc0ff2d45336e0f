//! What is shown of rows: encoded by the plain JSON writer, or as records.
//!
//! Which rows may be shown was decided before.

use std::sync::Arc;

use rowstamp_domain::definition::{JsonEncoding, ResourceDefinition};
use rowstamp_domain::operation::{Outcome, Representation, Rows, Verdict};
use rowstamp_domain::query::{Select, SelectItem};
use rowstamp_domain::record::Record;
use rowstamp_domain::value::{Timestamp, Value};

use crate::tables::Row;

/// In which form rows of a resource come back.
pub(crate) struct Form<'a> {
    pub(crate) resource: &'a Arc<ResourceDefinition>,
    pub(crate) select: &'a Select,
    pub(crate) representation: Representation,
}

impl Form<'_> {
    /// A page, which may be empty.
    pub(crate) fn page(&self, rows: &[&Row]) -> (Rows, u64) {
        let rows_given = match self.representation {
            Representation::Nothing => return (Rows::None, 0),
            Representation::JsonObject => match rows {
                [row] => Rows::Json(self.object(row)),
                _ => Rows::None,
            },
            Representation::JsonArray => Rows::Json(self.array(rows)),
            Representation::StrippedObject | Representation::StrippedArray | Representation::Csv => {
                unimplemented!()
            }
            Representation::Records => Rows::Records(rows.iter().map(|row| self.record(row)).collect()),
        };
        (rows_given, u64::try_from(rows.len()).unwrap_or(u64::MAX))
    }

    /// Rows that were written; nothing where none may be shown.
    pub(crate) fn written(&self, rows: &[&Row]) -> (Rows, u64) {
        if rows.is_empty() {
            (Rows::None, 0)
        } else {
            self.page(rows)
        }
    }

    /// The outcome of an operation on one row, shown or not.
    pub(crate) fn one(&self, verdict: Verdict, affected: u64, row: &Row, shown: bool) -> Outcome {
        let (rows, returned) = if shown {
            self.written(&[row])
        } else {
            (Rows::None, 0)
        };
        Outcome {
            rows,
            returned,
            affected,
            created: if verdict == Verdict::Created { affected } else { 0 },
            version: version(self.resource, row),
            uid: uid(self.resource, row),
            ..Outcome::verdict(verdict)
        }
    }

    fn array(&self, rows: &[&Row]) -> Vec<u8> {
        let objects: Vec<_> = rows.iter().map(|row| self.object(row)).collect();
        [b"[".as_slice(), &objects.join(&b','), b"]"].concat()
    }

    fn object(&self, row: &Row) -> Vec<u8> {
        let members: Vec<_> = self
            .select
            .0
            .iter()
            .map(|item| {
                let SelectItem::Field(id) = item else {
                    unimplemented!()
                };
                let field = self.resource.field(*id);
                let mut member = Vec::new();
                Value::Text(field.name.clone()).write_json(&mut member);
                member.push(b':');
                match field.json {
                    JsonEncoding::Native => row[id.index()].write_json(&mut member),
                    JsonEncoding::String => row[id.index()].write_json_as_string(&mut member),
                }
                member
            })
            .collect();
        [b"{".as_slice(), &members.join(&b','), b"}"].concat()
    }

    fn record(&self, row: &Row) -> Record {
        let mut record = Record::new(Arc::clone(self.resource));
        for item in self.select.0.iter() {
            let SelectItem::Field(id) = item else {
                unimplemented!()
            };
            record.put(*id, row[id.index()].clone());
        }
        record
    }
}

/// The version of a row: when it was last written.
pub(crate) fn version(resource: &ResourceDefinition, row: &[Value]) -> Option<Timestamp> {
    match row[resource.audit.last_updated_at?.index()] {
        Value::Timestamp(timestamp) => Some(timestamp),
        _ => None,
    }
}

fn uid(resource: &ResourceDefinition, row: &[Value]) -> Option<uuid::Uuid> {
    match row[resource.audit.uid.index()] {
        Value::Uuid(uid) => Some(uid),
        _ => None,
    }
}
