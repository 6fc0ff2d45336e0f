//! `Prefer`: what a client would like (RFC 7240, with PostgREST's words), and what it is told was honoured.
//!
//! Nothing here knows a route; whether a preference has a meaning there is said by whoever applies it.

use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::problem::{Problem, codes};

static PREFER: HeaderName = HeaderName::from_static("prefer");

/// The preferences of one request. Of a preference given twice the first counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Preferences {
    /// `return=`
    pub(crate) representation: Option<Return>,
    /// `count=`
    pub(crate) count: Option<CountPreference>,
    /// `handling=`
    pub(crate) handling: Option<Handling>,
    /// `resolution=`
    pub(crate) resolution: Option<Resolution>,
    /// `missing=`
    pub(crate) missing: Option<Missing>,
    /// `tx=`
    pub(crate) transaction: Option<TransactionEnd>,
    /// `max-affected=`, which counts with `handling=strict` alone.
    pub(crate) max_affected: Option<u64>,
    /// `timezone=UTC` was asked for; no other zone is served.
    pub(crate) utc: bool,
}

/// `return=`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Return {
    /// No body.
    Minimal,
    /// No body, `Location` if something was created.
    HeadersOnly,
    /// The rows.
    Representation,
}

/// `count=`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CountPreference {
    /// Every row, one by one.
    Exact,
    /// As the database estimates it.
    Planned,
    /// One by one as long as there are few, else as the database estimates it.
    Estimated,
}

/// `resolution=`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resolution {
    /// Rows that are in the way are changed.
    Merge,
    /// They are passed over.
    Ignore,
}

/// `missing=`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// What a record lacks is its default.
    Default,
    /// It is NULL.
    Null,
}

/// `tx=`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TransactionEnd {
    Commit,
    Rollback,
}

/// `handling=`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handling {
    /// Preferences that cannot be honoured are refused.
    Strict,
    /// They are ignored.
    Lenient,
}

impl Preferences {
    /// Reads every `Prefer` field.
    ///
    /// # Errors
    /// Preferences that change what a write does and are not served; with `handling=strict` also whatever else is not.
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut preferences = Self::default();
        let mut unknown: Vec<&str> = Vec::new();
        for field in headers.get_all(&PREFER) {
            let text = field
                .to_str()
                .map_err(|_| Problem::new(codes::INVALID_HEADER, "`Prefer` is not readable text"))?;
            for token in text.split(',').map(str::trim).filter(|token| !token.is_empty()) {
                preferences.take(token, &mut unknown)?;
            }
        }
        if preferences.handling == Some(Handling::Strict) && !unknown.is_empty() {
            return Err(Problem::new(
                codes::INVALID_PREFERENCES,
                "Invalid preferences given with handling=strict",
            )
            .details(format!("Invalid preferences: {}", unknown.join(", "))));
        }
        Ok(preferences)
    }

    /// How many rows a write may affect, where that was asked for in earnest.
    pub(crate) fn most_affected(self) -> Option<u64> {
        self.max_affected
            .filter(|_| self.handling == Some(Handling::Strict))
    }

    fn take<'a>(&mut self, token: &'a str, unknown: &mut Vec<&'a str>) -> Result<(), Problem> {
        match token {
            "return=minimal" => first(&mut self.representation, Return::Minimal),
            "return=headers-only" => first(&mut self.representation, Return::HeadersOnly),
            "return=representation" => first(&mut self.representation, Return::Representation),
            "count=exact" => first(&mut self.count, CountPreference::Exact),
            "count=planned" => first(&mut self.count, CountPreference::Planned),
            "count=estimated" => first(&mut self.count, CountPreference::Estimated),
            "handling=strict" => first(&mut self.handling, Handling::Strict),
            "handling=lenient" => first(&mut self.handling, Handling::Lenient),
            "resolution=merge-duplicates" => first(&mut self.resolution, Resolution::Merge),
            "resolution=ignore-duplicates" => first(&mut self.resolution, Resolution::Ignore),
            "missing=default" => first(&mut self.missing, Missing::Default),
            "missing=null" => first(&mut self.missing, Missing::Null),
            "tx=commit" => first(&mut self.transaction, TransactionEnd::Commit),
            "tx=rollback" => first(&mut self.transaction, TransactionEnd::Rollback),
            _ => {
                if let Some(zone) = token.strip_prefix("timezone=") {
                    if zone.trim_matches('"').eq_ignore_ascii_case("utc") {
                        self.utc = true;
                    } else {
                        return Err(Problem::new(
                            codes::INVALID_PREFERENCES,
                            "timestamps are answered in UTC, no other `timezone` is served",
                        ));
                    }
                } else if let Some(most) = token
                    .strip_prefix("max-affected=")
                    .and_then(|number| number.parse().ok())
                {
                    first(&mut self.max_affected, most);
                } else {
                    unknown.push(token);
                }
            }
        }
        Ok(())
    }

    /// `Preference-Applied`, where something was: each argument says whether that preference had a meaning on the route.
    pub(crate) fn applied(self, honoured: Honoured) -> Option<HeaderValue> {
        let mut words: Vec<&'static str> = Vec::new();
        if let Some(resolution) = self.resolution.filter(|_| honoured.creation) {
            words.push(match resolution {
                Resolution::Merge => "resolution=merge-duplicates",
                Resolution::Ignore => "resolution=ignore-duplicates",
            });
        }
        if self.missing == Some(Missing::Default) && honoured.creation {
            words.push("missing=default");
        }
        if let Some(representation) = honoured.representation {
            words.push(match representation {
                Return::Minimal => "return=minimal",
                Return::HeadersOnly => "return=headers-only",
                Return::Representation => "return=representation",
            });
        }
        if let Some(count) = self.count.filter(|_| honoured.count) {
            words.push(match count {
                CountPreference::Exact => "count=exact",
                CountPreference::Planned => "count=planned",
                CountPreference::Estimated => "count=estimated",
            });
        }
        if let Some(end) = self.transaction.filter(|_| honoured.transaction) {
            words.push(match end {
                TransactionEnd::Commit => "tx=commit",
                TransactionEnd::Rollback => "tx=rollback",
            });
        }
        match self.handling {
            Some(Handling::Strict) => words.push("handling=strict"),
            Some(Handling::Lenient) => words.push("handling=lenient"),
            None => {}
        }
        if self.utc {
            words.push("timezone=UTC");
        }
        if let Some(most) = self.most_affected().filter(|_| honoured.bound) {
            words.push("max-affected=");
            let text = format!("{}{most}", words.join(", "));
            return HeaderValue::from_str(&text).ok();
        }
        match words.as_slice() {
            [] => None,
            [only] => Some(HeaderValue::from_static(only)),
            several => HeaderValue::from_str(&several.join(", ")).ok(),
        }
    }
}

/// Which preferences an answer honoured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Honoured {
    /// The `return=` that was honoured, which is not the one asked for where the answer was too large.
    pub(crate) representation: Option<Return>,
    /// Whether rows were counted.
    pub(crate) count: bool,
    /// Whether rows were created, so that `resolution` and `missing` had a meaning.
    pub(crate) creation: bool,
    /// Whether something was written, so that `tx` had a meaning.
    pub(crate) transaction: bool,
    /// Whether the number of rows was bounded.
    pub(crate) bound: bool,
}

fn first<T>(slot: &mut Option<T>, value: T) {
    if slot.is_none() {
        *slot = Some(value);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn headers(fields: &[&str]) -> HeaderMap {
        fields
            .iter()
            .map(|field| ("prefer".parse().unwrap(), field.parse().unwrap()))
            .collect()
    }

    #[test]
    fn the_first_of_two_counts_also_across_fields() {
        let read = Preferences::read(&headers(&[
            "return=minimal , count=exact",
            "return=representation",
        ]));
        assert_eq!(
            read,
            Ok(Preferences {
                representation: Some(Return::Minimal),
                count: Some(CountPreference::Exact),
                ..Preferences::default()
            })
        );
    }

    #[test]
    fn unknown_preferences_are_ignored_unless_handling_is_strict() {
        assert_eq!(
            Preferences::read(&headers(&["respond-async"])),
            Ok(Preferences::default())
        );
        let refused = Preferences::read(&headers(&["respond-async, handling=strict, wait=3"])).unwrap_err();
        assert_eq!(refused.code(), "PGRST122");
    }

    #[test]
    fn what_would_change_a_write_is_refused_even_when_lenient() {
        assert!(Preferences::read(&headers(&["timezone=Europe/Berlin"])).is_err());
    }

    #[test]
    fn what_a_write_honoured_is_named_in_the_order_of_postgrest() {
        let asked = Preferences::read(&headers(&[
            "tx=rollback, max-affected=3, handling=strict, resolution=merge-duplicates, missing=default",
        ]))
        .unwrap();
        let honoured = Honoured {
            creation: true,
            transaction: true,
            bound: true,
            ..Honoured::default()
        };
        assert_eq!(
            asked.applied(honoured).unwrap(),
            "resolution=merge-duplicates, missing=default, tx=rollback, handling=strict, max-affected=3"
        );
        let lenient = Preferences::read(&headers(&["max-affected=3"])).unwrap();
        assert_eq!((lenient.most_affected(), lenient.applied(honoured)), (None, None));
    }

    #[test]
    fn what_was_honoured_is_named_in_one_field() {
        let asked = Preferences::read(&headers(&["handling=lenient, count=exact, timezone=UTC"])).unwrap();
        let honoured = Honoured {
            representation: Some(Return::Minimal),
            count: true,
            ..Honoured::default()
        };
        assert_eq!(
            asked.applied(honoured).unwrap(),
            "return=minimal, count=exact, handling=lenient, timezone=UTC"
        );
        assert_eq!(Preferences::default().applied(Honoured::default()), None);
    }
}
