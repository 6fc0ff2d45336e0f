//! What the header fields of a request ask for, read together.

use http::HeaderMap;
use http::header::HeaderName;
use rowstamp_domain::definition::ResourceDefinition;
use rowstamp_domain::operation::{Precondition, RowBound};

use crate::conditional::Conditions;
use crate::negotiate::{self, Media, RowsFormat};
use crate::preferences::{Preferences, Return, TransactionEnd};
use crate::problem::{Problem, codes};

static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What a request asks for besides its target, query and body.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) preferences: Preferences,
    pub(crate) conditions: Conditions,
    pub(crate) media: Media,
}

impl Asked {
    /// Reads the header fields of a request that is answered with one of `available`.
    ///
    /// # Errors
    /// 400 for what cannot be read or is not served, 406 when nothing available is acceptable.
    pub(crate) fn of_read(headers: &HeaderMap, available: &'static [Media]) -> Result<Self, Problem> {
        Ok(Self {
            preferences: Preferences::read(headers)?,
            conditions: Conditions::read(headers)?,
            media: negotiate::answer_media(headers, available)?,
        })
    }

    /// Whether rows that are in the way of new ones are to be changed, as far as can be told before everything is read.
    pub(crate) fn upserts(headers: &HeaderMap) -> bool {
        Preferences::read(headers).is_ok_and(|preferences| preferences.resolution.is_some())
    }

    /// Reads the header fields of a write without a body.
    ///
    /// # Errors
    /// As [`of_read`](Self::of_read); 400 for `Idempotency-Key`, which a write must not ignore.
    pub(crate) fn of_write(headers: &HeaderMap, available: &'static [Media]) -> Result<Self, Problem> {
        no_idempotency_key(headers)?;
        Self::of_read(headers, available)
    }

    /// Reads the header fields of a write with a body.
    ///
    /// # Errors
    /// As [`of_write`](Self::of_write); 415 when the body is not JSON.
    pub(crate) fn of_body_write(headers: &HeaderMap, available: &'static [Media]) -> Result<Self, Problem> {
        Self::of_write_with(headers, available, negotiate::body_is_json).map(|(asked, ())| asked)
    }

    /// Reads the header fields of a write whose body holds rows, and how it holds them.
    ///
    /// # Errors
    /// As [`of_body_write`](Self::of_body_write).
    pub(crate) fn of_rows(
        headers: &HeaderMap,
        available: &'static [Media],
    ) -> Result<(Self, RowsFormat), Problem> {
        Self::of_write_with(headers, available, negotiate::body_of_rows)
    }

    fn of_write_with<T>(
        headers: &HeaderMap,
        available: &'static [Media],
        body: impl FnOnce(&HeaderMap) -> Result<T, Problem>,
    ) -> Result<(Self, T), Problem> {
        // The media type of the body is judged before that of the answer, as the page of the contract orders them.
        let conditions = Conditions::read(headers)?;
        let preferences = Preferences::read(headers)?;
        no_idempotency_key(headers)?;
        let body = body(headers)?;
        let asked = Self {
            preferences,
            conditions,
            media: negotiate::answer_media(headers, available)?,
        };
        Ok((asked, body))
    }

    /// What is demanded of a row before it is written.
    ///
    /// # Errors
    /// 400 for conditions that contradict each other, 428 where the resource wants one and there is none.
    pub(crate) fn precondition(&self, definition: &ResourceDefinition) -> Result<Precondition, Problem> {
        let precondition = self.conditions.of_write()?;
        if definition.require_if_match && precondition == Precondition::None {
            return Err(Problem::new(
                codes::PRECONDITION_REQUIRED,
                format!("writes to {} must carry `If-Match`", definition.name),
            )
            .hint("send the ETag that came with the row, or `If-None-Match: *` with a PUT that creates"));
        }
        Ok(precondition)
    }

    /// Refuses conditions where there is no row yet that they could be about.
    ///
    /// # Errors
    /// 400.
    pub(crate) fn no_conditions(&self) -> Result<(), Problem> {
        if self.conditions == Conditions::default() {
            return Ok(());
        }
        Err(Problem::new(
            codes::INVALID_HEADER,
            "a collection has no version that a condition could be about",
        ))
    }

    /// What a POST of one object is answered with: the row, or an array where rows were asked for as in a collection.
    pub(crate) const fn show_created(&self) -> Show {
        let (unasked, asked) = if self.media.is_singular() {
            (Show::Object, Show::Object)
        } else if matches!(self.media, Media::Json) {
            (Show::Object, Show::Array)
        } else {
            (Show::Array, Show::Array)
        };
        self.show(unasked, asked)
    }

    /// What a write on many rows is answered with, if the caller may see them.
    pub(crate) const fn show_many(&self) -> Show {
        let asked = if self.media.is_singular() {
            Show::Object
        } else {
            Show::Array
        };
        self.show(Show::Nothing, asked)
    }

    /// How many rows a write on a collection may affect.
    pub(crate) fn bound(&self) -> RowBound {
        if self.media.is_singular() {
            return RowBound::One;
        }
        match self.preferences.most_affected() {
            Some(most) => RowBound::AtMost(most),
            None => RowBound::Any,
        }
    }

    /// Whether the write is to be undone once it is known what it would have done.
    ///
    /// # Errors
    /// 400 where the resource does not allow it.
    pub(crate) fn rolls_back(&self, definition: &ResourceDefinition) -> Result<bool, Problem> {
        if self.preferences.transaction != Some(TransactionEnd::Rollback) {
            return Ok(false);
        }
        if definition.allow_rollback {
            return Ok(true);
        }
        Err(Problem::new(
            codes::NOT_SERVED,
            format!("`Prefer: tx=rollback` is not allowed on {}", definition.name),
        ))
    }

    /// What a write is answered with, if the caller may see it: `unasked` where no preference says.
    pub(crate) const fn show(&self, unasked: Show, of_representation: Show) -> Show {
        match self.preferences.representation {
            None => unasked,
            Some(Return::Minimal | Return::HeadersOnly) => Show::Nothing,
            Some(Return::Representation) => of_representation,
        }
    }
}

fn no_idempotency_key(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.contains_key(&IDEMPOTENCY_KEY) {
        return Err(
            Problem::new(codes::NOT_SERVED, "`Idempotency-Key` is not served yet")
                .hint("create the row with PUT under a uid of your own; it can be sent twice"),
        );
    }
    Ok(())
}

/// How rows are shown in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Show {
    /// Not at all.
    Nothing,
    /// One object.
    Object,
    /// An array.
    Array,
}
