//! A value of PostgreSQL's type `record`, as `record_send` writes it: how many columns, then the type, length and bytes of each.

use super::Cell;
use crate::encode::Malformed;
use crate::rows::RowsError;

/// A record that was not looked into yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'r> {
    count: usize,
    columns: &'r [u8],
}

pub(super) const fn malformed() -> RowsError {
    RowsError::Malformed(Malformed("record"))
}

fn int<'r>(raw: &mut &'r [u8]) -> Result<&'r [u8; 4], RowsError> {
    let (head, rest) = raw.split_first_chunk::<4>().ok_or_else(malformed)?;
    *raw = rest;
    Ok(head)
}

impl<'r> Record<'r> {
    pub(super) fn read(mut raw: &'r [u8]) -> Result<Self, RowsError> {
        let count = i32::from_be_bytes(*int(&mut raw)?);
        Ok(Self {
            count: usize::try_from(count).map_err(|_| malformed())?,
            columns: raw,
        })
    }

    /// All columns.
    pub(super) fn cells(self) -> Result<Vec<Cell<'r>>, RowsError> {
        let mut rest = self.columns;
        // The count is not trusted with memory: a column takes at least eight bytes.
        let mut cells = Vec::with_capacity(self.count.min(rest.len() / 8));
        for _ in 0..self.count {
            cells.push(next(&mut rest)?);
        }
        if rest.is_empty() {
            Ok(cells)
        } else {
            Err(malformed())
        }
    }

    /// One column.
    pub(super) fn cell(self, position: usize) -> Result<Cell<'r>, RowsError> {
        if position >= self.count {
            return Err(malformed());
        }
        let mut rest = self.columns;
        for _ in 0..position {
            next(&mut rest)?;
        }
        next(&mut rest)
    }
}

fn next<'r>(rest: &mut &'r [u8]) -> Result<Cell<'r>, RowsError> {
    let oid = u32::from_be_bytes(*int(rest)?);
    let length = i32::from_be_bytes(*int(rest)?);
    if length == -1 {
        return Ok(Cell::of_record(oid, None));
    }
    let length = usize::try_from(length).map_err(|_| malformed())?;
    let (raw, after) = rest.split_at_checked(length).ok_or_else(malformed)?;
    *rest = after;
    Ok(Cell::of_record(oid, Some(raw)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(columns: &[Option<&[u8]>]) -> Vec<u8> {
        let mut raw = i32::try_from(columns.len()).expect("few").to_be_bytes().to_vec();
        for column in columns {
            raw.extend(25_u32.to_be_bytes());
            match column {
                None => raw.extend((-1_i32).to_be_bytes()),
                Some(bytes) => {
                    raw.extend(i32::try_from(bytes.len()).expect("short").to_be_bytes());
                    raw.extend_from_slice(bytes);
                }
            }
        }
        raw
    }

    #[test]
    fn every_column_is_found() {
        let raw = record(&[Some(b"a"), None, Some(b"")]);
        let cells = Record::read(&raw).and_then(Record::cells).expect("it is whole");
        let found: Vec<Option<&[u8]>> = cells.iter().map(|cell| cell.raw).collect();
        assert_eq!(found, [Some(&b"a"[..]), None, Some(&b""[..])]);
        let third = Record::read(&raw).and_then(|record| record.cell(2));
        assert_eq!(third.expect("there is one").raw, Some(&b""[..]));
    }

    #[test]
    fn a_record_cut_short_anywhere_is_an_error() {
        let whole = record(&[Some(b"abc"), None]);
        for length in 0..whole.len() {
            assert!(
                Record::read(&whole[..length]).and_then(Record::cells).is_err(),
                "{length}"
            );
        }
        let mut longer = whole;
        longer.push(0);
        assert!(Record::read(&longer).and_then(Record::cells).is_err());
        assert!(Record::read(&longer).and_then(|record| record.cell(2)).is_err());
        assert!(Record::read(&[0xff; 4]).is_err());
        assert!(Record::read(&[0x7f; 12]).and_then(Record::cells).is_err());
    }
}
