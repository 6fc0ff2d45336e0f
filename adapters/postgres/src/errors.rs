//! What PostgreSQL's refusals mean: the only place that reads a SQLSTATE.
//!
//! The real message is logged here and goes no further.

use rowstamp_domain::definition::{FieldId, ResourceDefinition};
use rowstamp_domain::operation::{Operation, Outcome, Verdict};
use rowstamp_domain::query::{Condition, Predicate, Select};
use rowstamp_ports::{Conflict, ConflictKind, FaultKind, FieldFault, QueryFault, StoreError};
use tokio_postgres::Error;
use tokio_postgres::error::DbError;
use tracing::{debug, error, warn};

use crate::connection::Chain;
use crate::params::Unfit;
use crate::schema::names;
use crate::sql::RACE_LOST;

/// "invalid input syntax": what an upsert that lost a race fails with on purpose.
const RACE: &str = "22P02";

/// How far a statement had come when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It wrote nothing, or was never sent.
    NothingWritten,
    /// It was sent, and may have been carried out.
    Sent,
}

/// Whether what failed may be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// No.
    Never,
    /// No: a policy of the table refuses the row, which is a verdict and no error.
    Refused,
    /// Nothing was written, since others were in the way; a moment later they may not be.
    Soon,
    /// Nothing was written, since the connection is of no use; another may be.
    OnAnotherConnection,
    /// Nothing was written, since the server does not write; another may be behind its name.
    OnAnotherServer,
}

/// An error, and whether trying again can help.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) error: StoreError,
    pub(crate) again: Again,
}

impl Failure {
    /// One that nothing can be done about.
    pub(crate) const fn for_good(error: StoreError) -> Self {
        Self {
            error,
            again: Again::Never,
        }
    }

    /// One that another connection may not run into.
    pub(crate) const fn on_another_connection(error: StoreError) -> Self {
        Self {
            error,
            again: Again::OnAnotherConnection,
        }
    }

    /// A row that a policy of its table refuses.
    pub(crate) const fn refused() -> Self {
        Self {
            error: StoreError::Internal,
            again: Again::Refused,
        }
    }

    /// What the caller of the store gets to know.
    pub(crate) fn told(self) -> Result<Outcome, StoreError> {
        match self.again {
            Again::Refused => Ok(Outcome::verdict(Verdict::NotWritable)),
            _ => Err(self.error),
        }
    }
}

/// What a failure of an operation's statement means.
pub(crate) fn classify(cause: &Error, phase: Phase, operation: &Operation) -> Failure {
    let error = match cause.as_db_error() {
        Some(refusal) => refused(refusal, phase, Some(operation)),
        None => broken(cause, phase),
    };
    let again = again(cause, &error);
    Failure { error, again }
}

/// What a failure outside any operation means, such as one of COMMIT.
pub(crate) fn classify_plain(cause: &Error, phase: Phase) -> Failure {
    let error = match cause.as_db_error() {
        Some(refusal) => refused(refusal, phase, None),
        None => broken(cause, phase),
    };
    let again = again(cause, &error);
    Failure { error, again }
}

/// What is wrong with a transaction's role or claims: not the caller's doing, and nothing of the operation was carried out.
pub(crate) fn classify_set_up(cause: &Error) -> Failure {
    match cause.as_db_error() {
        Some(refusal) if refusal.code().code() == "22023" || refusal.code().code() == "42501" => {
            error!(
                sqlstate = refusal.code().code(),
                message = refusal.message(),
                "the role of ROWSTAMP_DB_ROLE cannot be switched to"
            );
            Failure::for_good(StoreError::Drift)
        }
        _ => classify_plain(cause, Phase::NothingWritten),
    }
}

fn again(cause: &Error, error: &StoreError) -> Again {
    if *error != StoreError::Unavailable {
        return Again::Never;
    }
    match cause.as_db_error().map(|refusal| refusal.code().code()) {
        Some("40001" | "40P01" | RACE) => Again::Soon,
        Some("25006") => Again::OnAnotherServer,
        None => Again::OnAnotherConnection,
        Some(code) if code.starts_with("57P") || code.starts_with("08") => Again::OnAnotherConnection,
        Some(_) => Again::Never,
    }
}

/// Whether a row was refused by a policy of its table, which means its caller and not the definition. The SQLSTATE says less than
/// the place in the server's source, which no language changes.
pub(crate) fn is_policy(cause: &Error) -> bool {
    cause.as_db_error().is_some_and(|refusal| {
        refusal.code().code() == "42501" && refusal.routine() == Some("ExecWithCheckOptions")
    })
}

/// The connection failed, or what came over it was not understood.
fn broken(cause: &Error, phase: Phase) -> StoreError {
    if never_sent(cause) {
        error!(cause = %Chain(cause), "an operation does not fit its definition");
        return StoreError::Internal;
    }
    warn!(cause = %Chain(cause), ?phase, "a PostgreSQL connection failed");
    match phase {
        Phase::NothingWritten => StoreError::Unavailable,
        Phase::Sent => StoreError::OutcomeUnknown,
    }
}

/// Whether a statement's own values kept it from being sent.
pub(crate) fn never_sent(cause: &Error) -> bool {
    std::error::Error::source(cause).is_some_and(<dyn std::error::Error>::is::<Unfit>)
}

/// Whether a statement was refused because its answer's columns have changed since it was prepared ("cached plan must not change
/// result type"). The SQLSTATE says less than the place in the server's source, which no language changes.
pub(crate) fn is_outdated(cause: &Error) -> bool {
    cause.as_db_error().is_some_and(|refusal| {
        refusal.code().code() == "0A000" && refusal.routine() == Some("RevalidateCachedQuery")
    })
}

fn refused(refusal: &DbError, phase: Phase, operation: Option<&Operation>) -> StoreError {
    let sqlstate = refusal.code().code();
    let error = mean(sqlstate, refusal, phase, operation);
    match &error {
        StoreError::Conflict(_) | StoreError::Invalid(_) => {
            debug!(
                sqlstate,
                constraint = refusal.constraint(),
                "PostgreSQL refused a row"
            );
        }
        StoreError::InvalidQuery(fault) => debug!(sqlstate, ?fault, "PostgreSQL refused a query"),
        StoreError::Unavailable | StoreError::DeadlineExceeded | StoreError::OutcomeUnknown => {
            warn!(
                sqlstate,
                message = message(refusal),
                "PostgreSQL could not carry out a statement"
            );
        }
        StoreError::Drift | StoreError::Internal => {
            error!(
                sqlstate,
                message = message(refusal),
                hint = refusal.hint().filter(|_| !is_raised(refusal)),
                table = refusal.table(),
                column = refusal.column(),
                constraint = refusal.constraint(),
                "PostgreSQL refused a statement"
            );
        }
    }
    error
}

fn mean(sqlstate: &str, refusal: &DbError, phase: Phase, operation: Option<&Operation>) -> StoreError {
    let conflict = |kind| {
        let fields = operation
            .map(|operation| fields_of(operation.resource(), refusal))
            .unwrap_or_default();
        let record = operation.and_then(|operation| record_of(operation, &fields, refusal));
        StoreError::Conflict(Conflict { kind, fields, record })
    };
    let invalid = |kind| {
        StoreError::Invalid(vec![FieldFault {
            field: single_field(operation, refusal),
            kind,
        }])
    };
    match sqlstate {
        "23505" => conflict(ConflictKind::Unique),
        "23503" if matches!(operation, Some(Operation::Delete(_) | Operation::DeleteMany(_))) => {
            conflict(ConflictKind::StillReferenced)
        }
        "23503" => conflict(ConflictKind::MissingReference),
        "23001" => conflict(ConflictKind::StillReferenced),
        "23P01" => conflict(ConflictKind::Exclusion),
        "23502" => invalid(FaultKind::Required),
        "23514" => invalid(FaultKind::Check),
        // Too deep, or too large for an index.
        "54000" | "54001" => invalid(FaultKind::OutOfRange),
        // A row came into being where one was to be created, and all was undone; the same operation now finds it.
        RACE if refusal.message().contains(RACE_LOST) => StoreError::Unavailable,
        // Serialisation failure, deadlock, lock not available, too many connections, out of resources: nothing was written.
        "40001" | "40P01" | "55P03" | "53000" | "53100" | "53200" | "53300" | "25006" => {
            StoreError::Unavailable
        }
        "57014" | "25P03" | "25P04" => StoreError::DeadlineExceeded,
        "42P01" | "42703" | "42883" | "42804" | "42704" | "3F000" | "3D000" | "42P10" | "428C9" | "42501"
        | "0A000" => StoreError::Drift,
        "2201B" => StoreError::InvalidQuery(QueryFault::RegularExpression),
        // The statement itself is well formed, so this is about the words of a search.
        "42601" if operation.is_some_and(searches) => StoreError::InvalidQuery(QueryFault::SearchWords),
        // What a read computes of stored values: casts and sums. The cast of one JSON value to another type is refused as 22023.
        _ if sqlstate.starts_with("22") && operation.is_some_and(|operation| !operation.is_write()) => {
            StoreError::InvalidQuery(QueryFault::Value)
        }
        _ if sqlstate.starts_with("22") => invalid(FaultKind::OutOfRange),
        // The server is going away or coming up, or the connection is.
        _ if sqlstate.starts_with("57P") || sqlstate.starts_with("08") => match phase {
            Phase::NothingWritten => StoreError::Unavailable,
            Phase::Sent => StoreError::OutcomeUnknown,
        },
        // A column that it names is the trigger's word.
        _ if is_raised(refusal) => StoreError::Invalid(vec![FieldFault {
            field: None,
            kind: FaultKind::Raised,
        }]),
        _ => StoreError::Internal,
    }
}

/// Whether a function or a trigger of the database's owner says this, in words that may hold values of rows: by RAISE, whatever its code,
/// or with a code that PostgreSQL has no meaning for. The SQL standard leaves classes that begin with 5 to 9 and I to Z to implementations,
/// and PostgreSQL uses a few of these.
fn is_raised(refusal: &DbError) -> bool {
    let sqlstate = refusal.code().code();
    let is_own = sqlstate.starts_with(|first: char| matches!(first, '5'..='9' | 'I'..='Z'))
        && !["53", "54", "55", "57", "58", "72", "XX"]
            .iter()
            .any(|class| sqlstate.starts_with(class));
    is_own || matches!(refusal.routine(), Some("exec_stmt_raise" | "exec_stmt_assert"))
}

/// What the server says of a refusal, for a log. Words of a trigger are left out.
fn message(refusal: &DbError) -> &str {
    if is_raised(refusal) {
        "raised in the database"
    } else {
        refusal.message()
    }
}

/// Whether a query of the operation's searches text.
fn searches(operation: &Operation) -> bool {
    fn condition(of: &Condition) -> bool {
        match of {
            Condition::Always | Condition::Never | Condition::Embedded(_) => false,
            Condition::All(parts) | Condition::Any(parts) => parts.iter().any(condition),
            Condition::Not(inner) => condition(inner),
            Condition::Test(test) => matches!(test.predicate, Predicate::Search { .. }),
        }
    }
    fn embeds(select: &Select) -> bool {
        select
            .embeds()
            .any(|(_, embed)| condition(&embed.query.condition) || embeds(&embed.query.select))
    }
    match operation {
        Operation::List(list) => condition(&list.query.condition) || embeds(&list.query.select),
        Operation::UpdateMany(update) => condition(&update.condition) || embeds(&update.select),
        Operation::DeleteMany(delete) => condition(&delete.condition) || embeds(&delete.select),
        Operation::Read(read) => embeds(&read.select),
        _ => false,
    }
}

/// The field that a refusal names by its column or its CHECK.
fn single_field(operation: Option<&Operation>, refusal: &DbError) -> Option<FieldId> {
    let resource = operation?.resource();
    if let Some(column) = refusal.column() {
        return field_of_column(resource, column);
    }
    let constraint = refusal.constraint()?;
    resource
        .field_ids()
        .find(|id| names::check(resource, resource.field(*id)) == constraint)
}

fn field_of_column(resource: &ResourceDefinition, column: &str) -> Option<FieldId> {
    resource
        .field_ids()
        .find(|id| resource.field(*id).column == column)
}

/// The fields of a unique or foreign key, by the constraint's name or, in a table that was there before, by the columns that the
/// refusal lists. None when the constraint is not one of the definition.
fn fields_of(resource: &ResourceDefinition, refusal: &DbError) -> Vec<FieldId> {
    // A constraint of another table, such as one that still refers to this row, says nothing about fields of this one.
    if refusal.table().is_some_and(|table| table != resource.table.table) {
        return Vec::new();
    }
    let constraint = refusal.constraint().unwrap_or_default();
    if constraint == names::primary_key(resource) {
        return vec![resource.audit.uid];
    }
    let unique = resource
        .unique
        .iter()
        .find(|fields| names::unique(resource, fields) == constraint);
    if let Some(fields) = unique {
        return fields.clone();
    }
    let reference = resource.field_ids().find(|id| {
        let field = resource.field(*id);
        field.references.is_some() && names::foreign_key(resource, field) == constraint
    });
    if let Some(field) = reference {
        return vec![field];
    }
    declared(resource, key_columns(refusal.detail().unwrap_or_default()))
}

/// The columns' fields, if together they are a key of the definition.
fn declared(resource: &ResourceDefinition, columns: Vec<&str>) -> Vec<FieldId> {
    let fields: Option<Vec<FieldId>> = columns
        .into_iter()
        .map(|column| field_of_column(resource, column))
        .collect();
    let Some(fields) = fields else {
        return Vec::new();
    };
    let same = |set: &[FieldId]| set.len() == fields.len() && set.iter().all(|field| fields.contains(field));
    let is_key = fields == [resource.audit.uid]
        || resource.unique.iter().any(|set| same(set))
        || matches!(&*fields, [field] if resource.field(*field).references.is_some());
    if is_key { fields } else { Vec::new() }
}

/// The columns in `Key (a, b)=(…) already exists.`, whatever language the words are in.
fn key_columns(detail: &str) -> Vec<&str> {
    detail
        .split_once(")=(")
        .and_then(|(before, _)| before.rsplit_once('('))
        .map(|(_, columns)| {
            columns
                .split(", ")
                .map(|column| column.trim_matches('"'))
                .collect()
        })
        .unwrap_or_default()
}

/// Which record of many has the values that the refusal shows; `None` when it is not exactly one.
fn record_of(operation: &Operation, fields: &[FieldId], refusal: &DbError) -> Option<usize> {
    let Operation::Insert(insert) = operation else {
        return None;
    };
    if insert.rows.len() < 2 || fields.is_empty() {
        return None;
    }
    let detail = refusal.detail()?;
    // The values are in the order of the key's columns, which need not be that of the definition.
    let columns: Vec<usize> = key_columns(detail)
        .into_iter()
        .map(|column| {
            let field = field_of_column(&insert.resource, column)?;
            insert.columns.iter().position(|given| *given == field)
        })
        .collect::<Option<_>>()?;
    let (_, values) = detail.split_once(")=(")?;
    let mut text = String::new();
    let mut matching = insert.rows.iter().enumerate().filter(|(_, row)| {
        text.clear();
        for (index, column) in columns.iter().enumerate() {
            if index > 0 {
                text.push_str(", ");
            }
            row[*column].write_text(&mut text);
        }
        values
            .strip_prefix(text.as_str())
            .is_some_and(|rest| rest.starts_with(')'))
    });
    let (index, _) = matching.next()?;
    matching.next().is_none().then_some(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_of_a_key_are_found_in_any_language() {
        for (detail, columns) in [
            ("Key (isbn)=(978) already exists.", vec!["isbn"]),
            ("Key (a, \"B c\")=(1, x) already exists.", vec!["a", "B c"]),
            ("Schlüssel »(isbn)=(978)« existiert bereits.", vec!["isbn"]),
            (
                "Key (author_uid)=(0) is not present in table \"authors\".",
                vec!["author_uid"],
            ),
            ("nothing", vec![]),
        ] {
            assert_eq!(key_columns(detail), columns, "{detail}");
        }
    }
}
