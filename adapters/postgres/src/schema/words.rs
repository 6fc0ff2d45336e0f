//! What the database said, in words that may stand in a log: without what its rows hold.
//!
//! PostgreSQL keeps values out of its messages for the most part; it shows them in the DETAIL of a constraint's refusal, and in the
//! message where a value itself is no good.

use tokio_postgres::Error;
use tokio_postgres::error::DbError;

use super::SchemaError;
use crate::connection::{Chain, of_network};

/// What a failure of a statement is told as.
pub(super) fn refused(cause: &Error) -> SchemaError {
    match cause.as_db_error() {
        Some(error) if error.code().code() == "55P03" => SchemaError::Locked,
        Some(error) => SchemaError::Refused(words(error)),
        None if cause.is_closed() || of_network(cause).is_some() => SchemaError::Unanswered,
        None => SchemaError::Refused(Chain(cause).to_string()),
    }
}

/// What a failure of the migration files is told as.
pub(super) fn failed(error: &refinery::Error) -> SchemaError {
    let refinery::error::Kind::Connection(context, cause) = error.kind() else {
        return SchemaError::Migrations(Chain(error).to_string());
    };
    let said = match cause
        .downcast_ref::<Error>()
        .map(|cause| (cause, cause.as_db_error()))
    {
        Some((_, Some(error))) => words(error),
        Some((cause, None)) => Chain(cause).to_string(),
        None => return SchemaError::Migrations(context.clone()),
    };
    SchemaError::Migrations(format!("{context}: {said}"))
}

/// The message of a refusal, what it is about, and its SQLSTATE.
fn words(error: &DbError) -> String {
    let mut about = about(error);
    about.push(format!("SQLSTATE {}", error.code().code()));
    format!("{} ({})", message(error), about.join(", "))
}

/// What was said of a statement of our own, in which no values are.
pub(super) fn plain_words(error: &DbError) -> String {
    match error.detail() {
        Some(detail) => format!("{} ({detail})", error.message()),
        None => error.message().to_owned(),
    }
}

fn message(error: &DbError) -> &str {
    if error.code().code().starts_with("22") {
        "a value was refused"
    } else {
        error.message()
    }
}

fn about(error: &DbError) -> Vec<String> {
    if !shows_values(error.code().code()) {
        let more = error.detail().or(error.hint());
        return more.map(str::to_owned).into_iter().collect();
    }
    let parts = [
        ("table", error.table()),
        ("column", error.column()),
        ("constraint", error.constraint()),
    ];
    let named = parts.into_iter().filter_map(|(what, name)| Some((what, name?)));
    named.map(|(what, name)| format!("{what} {name}")).collect()
}

/// Whether a refusal's DETAIL can show what rows hold: data exceptions, constraints, and whatever somebody raises, mostly in a class
/// that PostgreSQL does not have.
fn shows_values(sqlstate: &str) -> bool {
    const OF_THE_SERVER: [&str; 20] = [
        "08", "0A", "0L", "0P", "20", "21", "25", "26", "28", "2B", "34", "3D", "3F", "40", "42", "53", "54",
        "55", "57", "58",
    ];
    !OF_THE_SERVER.iter().any(|class| sqlstate.starts_with(class))
}
