//! What is shown of rows: encoded by the plain JSON writer, as CSV, or as records.
//!
//! Which rows may be shown was decided before.

use std::sync::Arc;

use rowstamp_domain::definition::ResourceDefinition;
use rowstamp_domain::operation::{Outcome, Representation, Rows, Verdict};
use rowstamp_domain::query::{Select, SelectItem};
use rowstamp_domain::record::Record;
use rowstamp_domain::value::{Timestamp, Value};
use rowstamp_ports::StoreError;

use crate::group::{Unit, units};
use crate::shown::{Members, Shown, names};
use crate::tables::Row;
use crate::view::View;

/// In which form rows of a resource come back.
pub(crate) struct Form<'a> {
    /// Where embedded rows are looked up.
    pub(crate) view: View<'a>,
    pub(crate) resource: &'a Arc<ResourceDefinition>,
    pub(crate) select: &'a Select,
    pub(crate) representation: Representation,
}

impl Form<'_> {
    /// A page, which may be empty.
    pub(crate) fn page(&self, units: &[Unit<'_>]) -> Result<(Rows, u64), StoreError> {
        let count = u64::try_from(units.len()).unwrap_or(u64::MAX);
        let rows = match self.representation {
            Representation::Nothing => return Ok((Rows::None, 0)),
            Representation::JsonObject | Representation::StrippedObject => {
                let mut rows = self.shown(units)?;
                match (rows.pop(), rows.is_empty()) {
                    (Some(row), true) => Rows::Json(json(&Shown::Object(row))),
                    _ => Rows::None,
                }
            }
            Representation::JsonArray | Representation::StrippedArray => {
                let rows = self.shown(units)?.into_iter().map(Shown::Object);
                Rows::Json(json(&Shown::Array(rows.collect())))
            }
            Representation::Csv => Rows::Json(self.csv(&self.shown(units)?)),
            Representation::Records => Rows::Records(
                units
                    .iter()
                    .filter_map(Unit::first)
                    .map(|row| self.record(row))
                    .collect(),
            ),
        };
        Ok((rows, count))
    }

    /// Rows that were written; nothing where none may be shown.
    pub(crate) fn written(&self, rows: &[&Row]) -> Result<(Rows, u64), StoreError> {
        if rows.is_empty() {
            return Ok((Rows::None, 0));
        }
        let view = self.view;
        // The rows live elsewhere than what is embedded in them.
        let written = units(view, self.resource, self.select, rows.to_vec())?;
        self.page(&written)
    }

    /// The outcome of an operation on one row, shown or not.
    pub(crate) fn one(
        &self,
        verdict: Verdict,
        affected: u64,
        row: &Row,
        shown: bool,
    ) -> Result<Outcome, StoreError> {
        let (rows, returned) = if shown {
            self.written(&[row])?
        } else {
            (Rows::None, 0)
        };
        Ok(Outcome {
            rows,
            returned,
            affected,
            created: if verdict == Verdict::Created { affected } else { 0 },
            version: version(self.resource, row),
            uid: uid(self.resource, row),
            ..Outcome::verdict(verdict)
        })
    }

    fn shown(&self, units: &[Unit<'_>]) -> Result<Vec<Members>, StoreError> {
        let is_stripped = matches!(
            self.representation,
            Representation::StrippedObject | Representation::StrippedArray
        );
        let mut rows = Vec::with_capacity(units.len());
        for unit in units {
            let members = unit.members(self.view, self.resource, self.select)?;
            rows.push(match Shown::Object(members) {
                row if !is_stripped => row,
                row => row.stripped(),
            });
        }
        Ok(rows
            .into_iter()
            .filter_map(|row| match row {
                Shown::Object(members) => Some(members),
                Shown::Value(..) | Shown::Array(_) => None,
            })
            .collect())
    }

    fn csv(&self, rows: &[Members]) -> Vec<u8> {
        let names = names(self.select, self.resource);
        let mut out = line(names.iter().map(|name| Some(name.clone())));
        for row in rows {
            out.extend(line(row.iter().map(|(_, shown)| cell(shown))));
        }
        out
    }

    fn record(&self, row: &Row) -> Record {
        let mut record = Record::new(Arc::clone(self.resource));
        for item in self.select.0.iter() {
            if let SelectItem::Field(id) = item {
                record.put(*id, row[id.index()].clone());
            }
        }
        record
    }
}

fn json(shown: &Shown) -> Vec<u8> {
    let mut out = Vec::new();
    shown.write_json(&mut out);
    out
}

/// A line of CSV; a cell that is not there is empty, and one that is empty is quoted.
fn line(cells: impl Iterator<Item = Option<String>>) -> Vec<u8> {
    let cells: Vec<String> = cells
        .map(|cell| match cell {
            None => String::new(),
            Some(text) if text.is_empty() || text.contains([',', '"', '\n', '\r']) => {
                format!("\"{}\"", text.replace('"', "\"\""))
            }
            Some(text) => text,
        })
        .collect();
    (cells.join(",") + "\n").into_bytes()
}

fn cell(shown: &Shown) -> Option<String> {
    match shown {
        Shown::Value(Value::Null, _) => None,
        Shown::Value(value, _) => {
            let mut text = String::new();
            value.write_text(&mut text);
            Some(text)
        }
        nested => Some(String::from_utf8_lossy(&json(nested)).into_owned()),
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
