//! Arrays of any number of dimensions as nested JSON arrays.
//!
//! Lower bounds are not shown, as `to_json` does not show them.

use rowstamp_domain::json_text::Buffer;

use super::{Encoding, Malformed, write_scalar};

/// More dimensions than PostgreSQL's `MAXDIM` are never sent.
const MAX_DIMENSIONS: usize = 6;

/// The header of an array and what follows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Array<'a> {
    lengths: [usize; MAX_DIMENSIONS],
    dimensions: usize,
    /// The type of the elements.
    pub(crate) element_oid: u32,
    /// The elements, each with its length before it.
    pub(crate) elements: Elements<'a>,
}

impl Array<'_> {
    /// The length of each dimension, outermost first; none for an empty array.
    pub(crate) fn lengths(&self) -> &[usize] {
        &self.lengths[..self.dimensions]
    }

    /// The lengths with room for every dimension there can be.
    pub(crate) const fn all_lengths(&self) -> &[usize; MAX_DIMENSIONS] {
        &self.lengths
    }
}

/// The elements that are still unread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    /// The next element, `None` within for NULL.
    pub(crate) fn next(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        let length = int(&mut self.0)?;
        if length == -1 {
            return Ok(None);
        }
        let length = usize::try_from(length).map_err(|_| MALFORMED)?;
        let (element, rest) = self.0.split_at_checked(length).ok_or(MALFORMED)?;
        self.0 = rest;
        Ok(Some(element))
    }

    /// Bytes that are still unread.
    pub(crate) const fn remaining(&self) -> usize {
        self.0.len()
    }

    /// Nothing may follow the last element.
    pub(crate) fn finish(self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(MALFORMED) }
    }
}

const MALFORMED: Malformed = Malformed("array");

fn int(raw: &mut &[u8]) -> Result<i32, Malformed> {
    let (head, rest) = raw.split_first_chunk::<4>().ok_or(MALFORMED)?;
    *raw = rest;
    Ok(i32::from_be_bytes(*head))
}

/// Reads the header: dimensions, a flag for NULLs, the element type, then length and lower bound of each dimension.
pub(crate) fn read(mut raw: &[u8]) -> Result<Array<'_>, Malformed> {
    let dimensions = usize::try_from(int(&mut raw)?)
        .ok()
        .filter(|count| *count <= MAX_DIMENSIONS)
        .ok_or(MALFORMED)?;
    int(&mut raw)?;
    let element_oid = int(&mut raw)?.cast_unsigned();
    let mut lengths = [0; MAX_DIMENSIONS];
    for length in &mut lengths[..dimensions] {
        *length = usize::try_from(int(&mut raw)?).map_err(|_| MALFORMED)?;
        int(&mut raw)?;
    }
    Ok(Array {
        lengths,
        dimensions,
        element_oid,
        elements: Elements(raw),
    })
}

/// Appends an array.
pub(super) fn write(encoding: Encoding, raw: &[u8], out: &mut Buffer) -> Result<(), Malformed> {
    let mut array = read(raw)?;
    out.reserve(raw.len());
    if array.dimensions == 0 {
        out.extend_from_array(b"[]");
    } else {
        let lengths = array.lengths;
        write_dimension(encoding, &lengths[..array.dimensions], &mut array.elements, out)?;
    }
    array.elements.finish()
}

fn write_dimension(
    encoding: Encoding,
    lengths: &[usize],
    elements: &mut Elements<'_>,
    out: &mut Buffer,
) -> Result<(), Malformed> {
    let Some((&length, inner)) = lengths.split_first() else {
        return if let Some(element) = elements.next()? {
            write_scalar(encoding, element, out)
        } else {
            out.extend_from_array(b"null");
            Ok(())
        };
    };
    out.push(b'[');
    for index in 0..length {
        if index > 0 {
            out.push(b',');
        }
        // A dimension without elements inside a long one would let a few bytes ask for endless output.
        if inner.contains(&0) {
            return Err(MALFORMED);
        }
        write_dimension(encoding, inner, elements, out)?;
    }
    out.push(b']');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::Scalar;

    const INT4: Encoding = Encoding {
        scalar: Scalar::Int4,
        array: true,
        quoted: false,
    };

    fn array(lengths: &[i32], elements: &[Option<i32>]) -> Vec<u8> {
        let mut raw = Vec::new();
        raw.extend(
            i32::try_from(lengths.len())
                .expect("few dimensions")
                .to_be_bytes(),
        );
        raw.extend(1_i32.to_be_bytes());
        raw.extend(23_i32.to_be_bytes());
        for length in lengths {
            raw.extend(length.to_be_bytes());
            raw.extend(1_i32.to_be_bytes());
        }
        for element in elements {
            match element {
                None => raw.extend((-1_i32).to_be_bytes()),
                Some(value) => {
                    raw.extend(4_i32.to_be_bytes());
                    raw.extend(value.to_be_bytes());
                }
            }
        }
        raw
    }

    fn json(raw: &[u8]) -> Result<String, Malformed> {
        let mut out = Buffer::new();
        write(INT4, raw, &mut out)?;
        Ok(String::from_utf8(out.into_vec()).expect("JSON is UTF-8"))
    }

    #[test]
    fn arrays_nest_as_their_dimensions_say() {
        for (lengths, elements, expected) in [
            (&[][..], &[][..], "[]"),
            (&[3], &[Some(1), None, Some(-3)], "[1,null,-3]"),
            (&[2, 2], &[Some(1), Some(2), Some(3), None], "[[1,2],[3,null]]"),
            (&[1, 1, 2], &[Some(1), Some(2)], "[[[1,2]]]"),
        ] {
            assert_eq!(json(&array(lengths, elements)).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn an_array_cut_short_anywhere_is_an_error() {
        let whole = array(&[2, 2], &[Some(1), Some(2), Some(3), None]);
        for length in 0..whole.len() {
            assert!(
                json(&whole[..length]).is_err(),
                "{length} bytes of {}",
                whole.len()
            );
        }
        let mut longer = whole;
        longer.push(0);
        assert!(json(&longer).is_err());
    }

    #[test]
    fn a_header_that_asks_for_too_much_is_an_error() {
        assert!(json(&array(&[i32::MAX], &[Some(1)])).is_err());
        assert!(json(&array(&[i32::MAX, 0], &[])).is_err());
        assert!(json(&array(&[-1], &[])).is_err());
        assert!(json(&array(&[1; 7], &[Some(1)])).is_err());
    }
}
