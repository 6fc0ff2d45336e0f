//! Operators given their meaning for what they are asked of.

use super::super::error::{QueryError, QueryErrorKind, excerpt};
use super::super::syntax::{Operand as Text, Operation};
use super::values::Slot;
use super::{Binder, Values};
use crate::field_type::{FieldType, ScalarType};
use crate::query::{Comparison, IsTest, PatternKind, Predicate, Quantifier, SearchConfig, SearchKind};

/// The longest pattern of `match` and `imatch`, and the longest words of a search, in bytes.
const MAX_PATTERN_BYTES: usize = 10_000;
const TEXT: FieldType = FieldType::scalar(ScalarType::Text);

impl<V: Values> Binder<'_, V> {
    /// What is asked of `slot`; nothing where its value would have to be in an empty list.
    pub(super) fn predicate(
        &self,
        slot: &Slot<'_>,
        operation: &Operation<'_>,
    ) -> Result<Option<Predicate<V::Value>>, Box<QueryError>> {
        let asked = Asked {
            values: &self.values,
            slot,
            operation,
        };
        let text = match &operation.operand {
            Text::List(_) if operation.modifier.is_some() => return Err(asked.no_modifier().into()),
            Text::List(list) if list.is_empty() => return Ok(None),
            Text::List(list) => {
                let values: Result<_, _> = list.iter().map(|text| asked.value(text)).collect();
                return values.map(Predicate::In).map(Some);
            }
            Text::One(text) => text.as_ref(),
        };
        asked.predicate(text).map(Some)
    }
}

/// An operator, and what it is asked of.
struct Asked<'a, V> {
    values: &'a V,
    slot: &'a Slot<'a>,
    operation: &'a Operation<'a>,
}

impl<V: Values> Asked<'_, V> {
    fn predicate(&self, text: &str) -> Result<Predicate<V::Value>, Box<QueryError>> {
        let operator = self.operation.operator;
        if let Some(comparison) = comparison(operator) {
            return Ok(match self.quantifier()? {
                None => Predicate::Compare(comparison, self.value(text)?),
                Some(quantifier) => Predicate::CompareEach(comparison, quantifier, self.each(text)?),
            });
        }
        if let Some(kind) = pattern_kind(operator) {
            return self.matches(kind, text);
        }
        if let Some(kind) = search_kind(operator) {
            return self.search(kind, text);
        }
        if self.operation.modifier.is_some() {
            return Err(self.no_modifier().into());
        }
        match operator {
            "is" => self.is_test(text).map(Predicate::Is),
            "isdistinct" => self.value(text).map(Predicate::IsDistinct),
            "cs" => self
                .nested("arrays and json")
                .and_then(|()| self.value(text))
                .map(Predicate::Contains),
            "cd" => self
                .nested("arrays and json")
                .and_then(|()| self.value(text))
                .map(Predicate::ContainedIn),
            "ov" if !self.slot.ty.array => Err(self.wrong_type(operator, "arrays").into()),
            "ov" => self.value(text).map(Predicate::Overlaps),
            _ => {
                let message =
                    format!("the operator `{operator}` is for ranges, and there are no range types");
                Err(QueryError::unsupported(self.slot.name, message).into())
            }
        }
    }

    fn matches(&self, kind: PatternKind, text: &str) -> Result<Predicate<V::Value>, Box<QueryError>> {
        if self.slot.ty != TEXT {
            return Err(self.wrong_type(self.operation.operator, "text").into());
        }
        let Some(quantifier) = self.quantifier()? else {
            let pattern = pattern(kind, text).map_err(|expected| self.bad_value(expected))?;
            let pattern = self
                .values
                .pattern(&pattern)
                .map_err(|expected| self.bad_value(expected))?;
            return Ok(Predicate::Matches(kind, pattern));
        };
        let read = |text: &str| self.values.pattern(&pattern(kind, text)?);
        let texts = super::values::texts(text).map_err(|expected| self.bad_value(expected))?;
        let patterns: Result<_, _> = texts.iter().map(|text| read(text)).collect();
        let patterns = patterns.map_err(|expected| self.bad_value(expected))?;
        Ok(Predicate::MatchesEach(kind, quantifier, patterns))
    }

    fn search(&self, kind: SearchKind, text: &str) -> Result<Predicate<V::Value>, Box<QueryError>> {
        let is_searchable =
            !self.slot.ty.array && matches!(self.slot.ty.scalar, ScalarType::Text | ScalarType::Json);
        if !is_searchable {
            return Err(self.wrong_type(self.operation.operator, "text and json").into());
        }
        let config = match self.operation.modifier {
            None => None,
            Some(name) => Some(SearchConfig::named(name.trim()).ok_or_else(|| {
                let expected = format!(
                    "there is no language {:?}, expected one of {}",
                    excerpt(name),
                    SearchConfig::names().join(", ")
                );
                self.bad_value(expected)
            })?),
        };
        if text.len() > MAX_PATTERN_BYTES {
            return Err(self
                .bad_value(format!("expected at most {MAX_PATTERN_BYTES} bytes"))
                .into());
        }
        let words = Slot {
            name: self.slot.name,
            ty: TEXT,
            members: &[],
        };
        let words = self
            .values
            .value(text, &words)
            .map_err(|expected| self.bad_value(expected))?;
        Ok(Predicate::Search { kind, config, words })
    }

    fn is_test(&self, text: &str) -> Result<IsTest, Box<QueryError>> {
        let words = [
            ("null", IsTest::Null),
            ("not_null", IsTest::NotNull),
            ("true", IsTest::True),
            ("false", IsTest::False),
            ("unknown", IsTest::Unknown),
        ];
        let Some((_, test)) = words
            .into_iter()
            .find(|(word, _)| text.eq_ignore_ascii_case(word))
        else {
            let expected = "isVal: (null, not_null, true, false, unknown)";
            return Err(QueryError::syntax(self.slot.name, "filter", text, 0, expected).into());
        };
        let is_boolean = self.slot.ty == FieldType::scalar(ScalarType::Boolean);
        if matches!(test, IsTest::Null | IsTest::NotNull) || is_boolean {
            Ok(test)
        } else {
            Err(self.wrong_type(&format!("is.{text}"), "boolean").into())
        }
    }

    fn value(&self, text: &str) -> Result<V::Value, Box<QueryError>> {
        self.values
            .value(text, self.slot)
            .map_err(|expected| self.bad_value(expected).into())
    }

    /// The values of `{a,b}`.
    fn each(&self, text: &str) -> Result<Vec<V::Value>, Box<QueryError>> {
        if self.slot.ty.array {
            return Err(self.wrong_type("(any) and (all)", "single values").into());
        }
        self.values
            .each(text, self.slot)
            .map_err(|expected| self.bad_value(expected).into())
    }

    fn quantifier(&self) -> Result<Option<Quantifier>, Box<QueryError>> {
        match self.operation.modifier {
            None => Ok(None),
            Some("any") => Ok(Some(Quantifier::Any)),
            Some("all") => Ok(Some(Quantifier::All)),
            Some(_) => Err(self.no_modifier().into()),
        }
    }

    fn nested(&self, types: &str) -> Result<(), Box<QueryError>> {
        if self.slot.ty.array || self.slot.ty.scalar == ScalarType::Json {
            Ok(())
        } else {
            Err(self.wrong_type(self.operation.operator, types).into())
        }
    }

    fn no_modifier(&self) -> QueryError {
        let operator = self.operation.operator;
        let message = format!(
            "`{operator}` cannot be followed by `({})`",
            excerpt(self.operation.modifier.unwrap_or_default())
        );
        QueryError::new(QueryErrorKind::Syntax, self.slot.name, message)
            .with_hint("(any) and (all) follow comparisons and patterns, a language follows the operators of full-text search")
    }

    fn bad_value(&self, expected: String) -> QueryError {
        let name = self.slot.name;
        let kind = QueryErrorKind::Value {
            field: name.to_owned(),
        };
        QueryError::new(kind, name, format!("invalid value for `{name}`")).with_details(expected)
    }

    fn wrong_type(&self, operator: &str, types: &str) -> QueryError {
        let name = self.slot.name;
        let kind = QueryErrorKind::Operator {
            field: name.to_owned(),
        };
        let message = format!("`{operator}` is for {types}, and `{name}` is {}", self.slot.ty);
        QueryError::new(kind, name, message)
    }
}

/// A pattern as SQL has it.
fn pattern(kind: PatternKind, text: &str) -> Result<String, String> {
    match kind {
        PatternKind::Like | PatternKind::ILike => {
            if text.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1 {
                return Err("a pattern may not end with a lone backslash".to_owned());
            }
            Ok(text.replace('*', "%"))
        }
        PatternKind::Regex | PatternKind::IRegex if text.len() > MAX_PATTERN_BYTES => {
            Err(format!("expected at most {MAX_PATTERN_BYTES} bytes"))
        }
        PatternKind::Regex | PatternKind::IRegex => Ok(text.to_owned()),
    }
}

fn comparison(operator: &str) -> Option<Comparison> {
    Some(match operator {
        "eq" => Comparison::Eq,
        "neq" => Comparison::Neq,
        "gt" => Comparison::Gt,
        "gte" => Comparison::Gte,
        "lt" => Comparison::Lt,
        "lte" => Comparison::Lte,
        _ => return None,
    })
}

fn pattern_kind(operator: &str) -> Option<PatternKind> {
    Some(match operator {
        "like" => PatternKind::Like,
        "ilike" => PatternKind::ILike,
        "match" => PatternKind::Regex,
        "imatch" => PatternKind::IRegex,
        _ => return None,
    })
}

fn search_kind(operator: &str) -> Option<SearchKind> {
    Some(match operator {
        "fts" => SearchKind::Query,
        "plfts" => SearchKind::Plain,
        "phfts" => SearchKind::Phrase,
        "wfts" => SearchKind::Web,
        _ => return None,
    })
}
