//! What transactions begin with: limits, a role, and who is calling.
//!
//! All of it is local to the transaction and ends with it, whichever way it ends.

use std::sync::Arc;
use std::time::Instant;

use futures_util::future::join;
use rowstamp_domain::caller::Caller;
use rowstamp_ports::StoreContext;
use serde_json::Value;
use tokio_postgres::Error;
use tokio_postgres::types::{ToSql, Type};

use crate::connection::{Live, Settings, Statements};

/// What a session that is nobody's own may have otherwise, for the length of one transaction.
const SESSION: [(&str, &str); 4] = [
    ("idle_in_transaction_session_timeout", "60000"),
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO"),
    ("IntervalStyle", "postgres"),
];

/// How the transactions of a store begin.
#[derive(Debug)]
pub(crate) struct SetUp {
    begin: &'static str,
    /// Sets everything that is to be set, one parameter each; `None` where nothing is.
    sql: Option<String>,
    session: &'static [(&'static str, &'static str)],
    role: Option<Arc<str>>,
    statement_timeout_ms: u64,
}

/// How one transaction begins.
#[derive(Debug)]
pub(crate) struct Beginning<'a> {
    set_up: &'a SetUp,
    values: Vec<String>,
}

impl SetUp {
    pub(crate) fn new(settings: &Settings) -> Self {
        let role: Option<Arc<str>> = settings.role().map(Arc::from);
        let (begin, session): (_, &[_]) = match settings.statements() {
            Statements::Prepared => ("BEGIN", &[]),
            Statements::Unnamed => ("BEGIN ISOLATION LEVEL READ COMMITTED", &SESSION),
        };
        let mut names = Vec::new();
        if !settings.shares_connections() {
            names.push("statement_timeout");
            names.extend(session.iter().map(|(name, _)| *name));
        }
        if role.is_some() {
            names.extend(["role", "request.jwt.claims"]);
        }
        Self {
            begin,
            sql: (!names.is_empty()).then(|| setting(&names)),
            session,
            role,
            statement_timeout_ms: settings.statement_timeout_ms(),
        }
    }

    /// The role that each transaction switches to.
    pub(crate) fn role(&self) -> Option<&str> {
        self.role.as_deref()
    }

    /// The beginning of a transaction for this request.
    pub(crate) fn beginning(&self, context: &StoreContext) -> Beginning<'_> {
        let mut values = Vec::new();
        if self.sql.is_some() {
            values.push(self.limit_ms(context.deadline).to_string());
            values.extend(self.session.iter().map(|(_, value)| (*value).to_owned()));
        }
        if let Some(role) = &self.role {
            values.push((**role).to_owned());
            values.push(claims(&context.caller, role));
        }
        Beginning { set_up: self, values }
    }

    /// How long a statement may take: as long as the setting says, and no longer than the request has. 0 is no limit.
    fn limit_ms(&self, deadline: Option<Instant>) -> u64 {
        let left = deadline.map(|deadline| {
            let left = deadline.saturating_duration_since(Instant::now()).as_millis();
            u64::try_from(left).unwrap_or(u64::MAX).max(1)
        });
        match (self.statement_timeout_ms, left) {
            (0, left) => left.unwrap_or(0).min(i32::MAX as u64),
            (limit, left) => limit.min(left.unwrap_or(limit)),
        }
    }
}

impl Beginning<'_> {
    /// Sends BEGIN and what belongs to it when this is first polled; ready when the server has answered.
    ///
    /// # Errors
    /// The first of what failed.
    pub(crate) async fn send(&self, live: &Live) -> Result<(), Error> {
        let begin = live.client().batch_execute(self.set_up.begin);
        let Some(sql) = &self.set_up.sql else {
            return begin.await;
        };
        let params: Vec<(&(dyn ToSql + Sync), Type)> = self
            .values
            .iter()
            .map(|value| (value as &(dyn ToSql + Sync), Type::TEXT))
            .collect();
        let (begun, set) = join(begin, live.client().query_typed(sql, &params)).await;
        begun?;
        set.map(drop)
    }
}

/// `SELECT set_config('a', $1, true), …`: each until the end of the transaction.
fn setting(names: &[&str]) -> String {
    let calls: Vec<String> = names
        .iter()
        .enumerate()
        .map(|(index, name)| format!("set_config('{name}', ${}, true)", index + 1))
        .collect();
    format!("SELECT {}", calls.join(", "))
}

/// The caller's claims as policies read them: what the token or the authorizer said, with `sub` and groups as Rowstamp understood
/// them, and `role`, which no claim decides.
fn claims(caller: &Caller, role: &str) -> String {
    let mut claims: serde_json::Map<String, Value> = caller
        .claims()
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    match caller.subject() {
        Some(subject) => claims.insert("sub".to_owned(), subject.into()),
        None => claims.remove("sub"),
    };
    if !caller.groups().is_empty() {
        claims.insert("cognito:groups".to_owned(), caller.groups().into());
    }
    claims.insert("role".to_owned(), role.into());
    Value::Object(claims).to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rowstamp_domain::caller::Proof;

    use super::*;

    #[test]
    fn no_claim_stands_in_for_the_subject_or_the_role() {
        let forged = BTreeMap::from([
            ("sub".to_owned(), Value::from("mallory")),
            ("role".to_owned(), Value::from("postgres")),
            ("tenant".to_owned(), Value::from("t1")),
        ]);
        let caller = Caller::new("alice", Proof::Token)
            .with_groups(["a b"])
            .with_claims(forged.clone());
        assert_eq!(
            claims(&caller, "app"),
            r#"{"cognito:groups":["a b"],"role":"app","sub":"alice","tenant":"t1"}"#
        );
        assert_eq!(claims(&Caller::anonymous(), "app"), r#"{"role":"app"}"#);
        let odd = Caller::anonymous().with_claims(forged);
        assert_eq!(claims(&odd, "app"), r#"{"role":"app","tenant":"t1"}"#);
    }

    #[test]
    fn everything_set_is_local_to_the_transaction() {
        assert_eq!(
            setting(&["role", "request.jwt.claims"]),
            "SELECT set_config('role', $1, true), set_config('request.jwt.claims', $2, true)"
        );
    }
}
