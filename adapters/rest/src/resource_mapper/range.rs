//! `Range: 0-24` as PostgREST reads it: which rows of a list are wanted, counted from 0, both ends included.
//!
//! Whether the rows are there is not known here.

use http::header::{HeaderMap, RANGE};
use rowstamp_domain::query::Query;

use crate::problem::{Problem, codes};

/// Rows from one position up to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    first: u64,
    last: Option<u64>,
}

impl Range {
    /// The range that is asked for, in `items` or without a unit; ranges in other units are not for lists and ignored (RFC 9110, 14.2).
    ///
    /// # Errors
    /// 400 for what is no range, 416 for one whose end is before its beginning.
    pub(crate) fn read(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let Some(value) = headers.get(RANGE) else {
            return Ok(None);
        };
        let text = value.to_str().unwrap_or_default().trim();
        let range = match text.split_once('=') {
            Some((unit, range)) if unit.trim().eq_ignore_ascii_case("items") => range.trim(),
            Some(_) => return Ok(None),
            None => text,
        };
        let Some(range) = Self::parse(range) else {
            return Err(Problem::new(
                codes::INVALID_HEADER,
                "`Range` is not one of rows, such as `0-24` or `25-`",
            ));
        };
        if range.last.is_some_and(|last| last < range.first) {
            return Err(
                Problem::new(codes::OUT_OF_BOUNDS, "Requested range not satisfiable").details(
                    "The lower boundary must be lower than or equal to the upper boundary in the Range header.",
                ),
            );
        }
        Ok(Some(range))
    }

    fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.split_once('-')?;
        let number = |digits: &str| {
            let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            // PostgreSQL's OFFSET is a bigint.
            is_number.then(|| {
                digits
                    .parse()
                    .map_or(i64::MAX as u64, |number: u64| number.min(i64::MAX as u64))
            })
        };
        Some(Self {
            first: number(first)?,
            last: if last.is_empty() {
                None
            } else {
                Some(number(last)?)
            },
        })
    }

    /// The page of `query` that is in this range too.
    ///
    /// Where the query limits its page itself, the range is of the rows that it has then; `most` rows are a page in any case.
    pub(crate) fn narrow(self, query: &mut Query, is_limited: bool, most: u32) {
        let end = if is_limited {
            query.offset.saturating_add(u64::from(query.limit))
        } else {
            u64::MAX
        };
        let end = self.last.map_or(end, |last| end.min(last.saturating_add(1)));
        query.offset = query.offset.max(self.first);
        let rows = end.saturating_sub(query.offset);
        query.limit = u32::try_from(rows).unwrap_or(u32::MAX).min(most);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use rowstamp_domain::query::{Condition, Select};

    use super::*;

    fn read(value: &str) -> Result<Option<Range>, Problem> {
        let headers = [(RANGE, value.parse().unwrap())].into_iter().collect();
        Range::read(&headers)
    }

    #[test]
    fn ranges_are_of_rows() {
        let range = |first, last| Ok(Some(Range { first, last }));
        assert_eq!(read("0-24"), range(0, Some(24)));
        assert_eq!(read("items=5-5"), range(5, Some(5)));
        assert_eq!(read("Items = 25-"), range(25, None));
        assert_eq!(read("bytes=0-5"), Ok(None));
        for text in ["-5", "a-b", "5", "", "1-2,4-5", "items=", "1 - 2"] {
            assert_eq!(read(text).unwrap_err().code(), "RS_INVALID_HEADER", "{text}");
        }
        assert_eq!(read("5-4").unwrap_err().code(), "PGRST103");
    }

    #[test]
    fn a_page_is_what_range_and_parameters_have_in_common() {
        // (limit, whether it was given, offset), range, (limit, offset)
        for ((limit, given, offset), (first, last), expected) in [
            ((25, false, 0), (0, Some(9)), (10, 0)),
            ((25, false, 0), (0, Some(99)), (50, 0)),
            ((25, false, 0), (10, None), (50, 10)),
            ((5, true, 0), (0, Some(9)), (5, 0)),
            ((5, true, 0), (3, Some(9)), (2, 3)),
            ((5, true, 10), (0, Some(11)), (2, 10)),
            ((5, true, 0), (7, Some(9)), (0, 7)),
            ((0, true, 0), (0, Some(9)), (0, 0)),
        ] {
            let mut query = Query {
                select: Select([].into()),
                condition: Condition::Always,
                order: Vec::new(),
                after: None,
                limit,
                offset,
            };
            Range { first, last }.narrow(&mut query, given, 50);
            assert_eq!((query.limit, query.offset), expected, "{first}-{last:?}");
        }
    }
}
