//! `Prefer`: what a client would like (RFC 7240, with PostgREST's words), and what it is told was honoured.
//!
//! Nothing here knows a route; whether a preference has a meaning there is said by whoever applies it.

use http::header::{HeaderMap, HeaderValue};

use crate::problem::{Problem, codes};

/// The preferences of one request. Of a preference given twice the first counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Preferences {
    /// `return=`
    pub(crate) representation: Option<Return>,
    /// `count=`
    pub(crate) count: Option<CountPreference>,
    /// `handling=`
    pub(crate) handling: Option<Handling>,
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
        for field in headers.get_all("prefer") {
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
            // Everything is committed and every default is applied without being asked to.
            "tx=commit" | "missing=default" => {}
            // A write that ignored one of these would do something else than was asked for.
            "tx=rollback" | "resolution=merge-duplicates" | "resolution=ignore-duplicates" => {
                return Err(Problem::new(
                    codes::NOT_SERVED,
                    format!("`Prefer: {token}` is not served yet"),
                ));
            }
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
        match self.handling {
            Some(Handling::Strict) => words.push("handling=strict"),
            Some(Handling::Lenient) => words.push("handling=lenient"),
            None => {}
        }
        if self.utc {
            words.push("timezone=UTC");
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
        for preference in [
            "tx=rollback",
            "resolution=merge-duplicates",
            "timezone=Europe/Berlin",
        ] {
            assert!(
                Preferences::read(&headers(&[preference])).is_err(),
                "{preference}"
            );
        }
    }

    #[test]
    fn what_was_honoured_is_named_in_one_field() {
        let asked = Preferences::read(&headers(&["handling=lenient, count=exact, timezone=UTC"])).unwrap();
        let honoured = Honoured {
            representation: Some(Return::Minimal),
            count: true,
        };
        assert_eq!(
            asked.applied(honoured).unwrap(),
            "return=minimal, count=exact, handling=lenient, timezone=UTC"
        );
        assert_eq!(Preferences::default().applied(Honoured::default()), None);
    }
}
