//! What each layer's errors mean in HTTP. Nothing is decided here that depends on the request.

use http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use rowstamp_domain::definition::ResourceDefinition;
use rowstamp_domain::validation::{MOST_VIOLATIONS, Pointer, Violation};
use rowstamp_ports::exchange::RequestErrorKind;
use rowstamp_ports::{
    Conflict, ConflictKind, FaultKind, FieldFault, IdentityError, QueryFault, Refusal, StoreError,
};

use super::{Code, Problem, codes};

/// How long a client waits before it tries a busy database again.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("1");

impl Problem {
    /// What a Request Mapper found.
    pub fn of_request(kind: &RequestErrorKind) -> Self {
        match kind {
            RequestErrorKind::UnknownEvent(_) => Self::new(codes::UNKNOWN_EVENT, kind.to_string()),
            RequestErrorKind::BodyTooLarge { .. } => Self::new(codes::BODY_TOO_LARGE, kind.to_string()),
            RequestErrorKind::BadBase64
            | RequestErrorKind::Malformed(_)
            | RequestErrorKind::BodyIncomplete => Self::new(codes::MALFORMED_REQUEST, kind.to_string()),
        }
    }

    /// What the identity port found.
    pub fn of_identity(error: &IdentityError) -> Self {
        match error {
            IdentityError::Invalid(words) => Self::new(codes::TOKEN_INVALID, words.clone()).header(
                WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer error=\"invalid_token\""),
            ),
            IdentityError::Unavailable => Self::new(codes::IDENTITY_UNAVAILABLE, error.to_string())
                .header(RETRY_AFTER, RETRY_AFTER_SECONDS),
        }
    }

    /// That an anonymous caller must say who it is.
    pub fn anonymous() -> Self {
        Self::new(codes::ANONYMOUS, "anonymous callers may not do this")
            .hint("send `Authorization: Bearer` with a token")
            .header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// What a store found while it worked on `resource`.
    pub fn of_store(error: &StoreError, resource: &ResourceDefinition) -> Self {
        match error {
            StoreError::Conflict(conflict) => of_conflict(conflict, resource),
            StoreError::Invalid(faults) => of_faults(faults, resource),
            StoreError::InvalidQuery(fault) => of_query(*fault),
            StoreError::Unavailable => Self::new(
                codes::UNAVAILABLE,
                "the database cannot be reached or is too busy",
            )
            .hint("nothing was written; try again")
            .header(RETRY_AFTER, RETRY_AFTER_SECONDS),
            StoreError::DeadlineExceeded => {
                Self::new(codes::DEADLINE_EXCEEDED, "the database did not answer in time")
                    .hint("nothing was written")
            }
            StoreError::OutcomeUnknown => {
                Self::new(codes::OUTCOME_UNKNOWN, "the write may or may not have happened")
                    .hint("read before you try again")
            }
            StoreError::Drift => Self::new(codes::DRIFT, "the database and the definition disagree")
                .hint("whoever runs this service finds more in its log, and in `rowstamp check`"),
            StoreError::Internal => Self::new(codes::INTERNAL, "the request could not be completed"),
        }
    }

    /// That the store could not carry out operations now.
    pub fn of_readiness() -> Self {
        Self::new(codes::UNAVAILABLE, "the database cannot be reached")
            .header(RETRY_AFTER, RETRY_AFTER_SECONDS)
    }

    /// What a hook said while it worked on `resource`.
    pub fn of_refusal(refusal: Refusal, resource: &ResourceDefinition) -> Self {
        match refusal {
            Refusal::Problem { status, code, detail } => Self::of_hook(status, code, detail),
            Refusal::Store(error) => Self::of_store(&error, resource),
        }
    }

    /// That a body breaks the definition of `resource` in these places.
    pub fn invalid_body(resource: &ResourceDefinition, violations: Vec<Violation>) -> Self {
        let message = match violations.as_slice() {
            [only] => format!("`{}`: {}", only.pointer, only.message),
            many => format!(
                "the body breaks the definition of {} in {} places{}",
                resource.name,
                many.len(),
                if many.len() < MOST_VIOLATIONS {
                    ""
                } else {
                    " or more"
                }
            ),
        };
        Self::new(codes::INVALID_BODY, message).errors(violations)
    }
}

fn of_conflict(conflict: &Conflict, resource: &ResourceDefinition) -> Problem {
    let names: Vec<&str> = conflict
        .fields
        .iter()
        .map(|id| resource.field(*id).name.as_str())
        .collect();
    let (code, word, what): (&'static Code, _, _) = match conflict.kind {
        ConflictKind::Unique => (codes::UNIQUE, "taken", "another row already has this value"),
        ConflictKind::MissingReference => (
            codes::FOREIGN_KEY,
            "no_such_row",
            "the row it refers to does not exist",
        ),
        ConflictKind::StillReferenced => {
            return Problem::new(codes::FOREIGN_KEY, "other rows still refer to this one");
        }
        ConflictKind::Exclusion => (codes::EXCLUSION, "excluded", "another row stands in the way"),
    };
    let message = if names.is_empty() {
        what.to_owned()
    } else {
        format!("{}: {what}", names.join(", "))
    };
    let violations = names
        .iter()
        .map(|name| {
            let record = conflict
                .record
                .map(|record| Pointer::Index(&Pointer::Root, record));
            Violation::new(
                &Pointer::Key(record.as_ref().unwrap_or(&Pointer::Root), name),
                word,
                what,
            )
        })
        .collect();
    Problem::new(code, message).errors(violations)
}

fn of_query(fault: QueryFault) -> Problem {
    match fault {
        QueryFault::RegularExpression => Problem::new(
            codes::INVALID_PATTERN,
            "a pattern of `match` or `imatch` is no regular expression",
        )
        .hint("PostgreSQL's regular expressions are POSIX ones"),
        QueryFault::SearchWords => Problem::new(
            codes::INVALID_SEARCH,
            "the words of `fts` do not follow the syntax of to_tsquery",
        )
        .hint("words are joined by &, | or <->; `plfts` and `wfts` take any text"),
        QueryFault::Value => Problem::new(
            codes::INVALID_VALUE,
            "a value cannot be cast to the type that was asked for, or is beyond its range",
        ),
    }
}

fn of_faults(faults: &[FieldFault], resource: &ResourceDefinition) -> Problem {
    let describe = |kind| match kind {
        FaultKind::Required => (codes::NULL_REFUSED, "required", "a value is required"),
        FaultKind::Check => (
            codes::CHECK_REFUSED,
            "check",
            "a check of the database does not hold",
        ),
        FaultKind::OutOfRange => (
            codes::VALUE_REFUSED,
            "out_of_range",
            "the value does not fit its column",
        ),
        FaultKind::Raised => (
            codes::TRIGGER_REFUSED,
            "refused",
            "a trigger of the database refused the values",
        ),
    };
    let (code, _, message) = faults.first().map_or(
        (codes::VALUE_REFUSED, "", "the database refused the values"),
        |fault| describe(fault.kind),
    );
    let violations = faults
        .iter()
        .filter_map(|fault| {
            let (_, word, what) = describe(fault.kind);
            let pointer = Pointer::Key(&Pointer::Root, &resource.field(fault.field?).name);
            Some(Violation::new(&pointer, word, what))
        })
        .collect();
    Problem::new(code, message).errors(violations)
}
