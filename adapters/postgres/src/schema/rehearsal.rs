//! What requests would be refused by the server: the statements of every kind of request, explained and not carried out.
//!
//! EXPLAIN parses, rewrites and plans a statement and looks at privileges, as its execution would begin with. No value is sent, so what
//! values are refused for is not found out here, and neither is what triggers and policies do.

use std::sync::Arc;

use rowstamp_domain::definition::{ApiDefinition, ResourceDefinition};
use rowstamp_domain::operation::{ConflictAction, OnConflict, Operation};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, Row};

use super::SchemaError;
use super::keys;
use super::rules::is_for_nobody;
use super::session::{Refusal, Session, all};
use super::stand_ins::StandIns;
use crate::sql::{self, Plans};

/// What a request does to rows, in the order in which it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verb {
    Read,
    Create,
    Put,
    Upsert,
    Change,
    Delete,
}

impl Verb {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Create => "create",
            Self::Put => "put",
            Self::Upsert => "upsert",
            Self::Change => "change",
            Self::Delete => "delete",
        }
    }

    /// The privileges on the table that it needs. Rows are locked before they are changed or deleted, which needs UPDATE.
    pub(super) const fn privileges(self) -> &'static [&'static str] {
        match self {
            Self::Read => &["SELECT"],
            Self::Create => &["SELECT", "INSERT"],
            Self::Put | Self::Upsert => &["SELECT", "INSERT", "UPDATE"],
            Self::Change => &["SELECT", "UPDATE"],
            Self::Delete => &["SELECT", "UPDATE", "DELETE"],
        }
    }
}

/// What is refused of one kind of request for a resource.
#[derive(Debug)]
pub(super) struct Refused {
    /// The position of the resource.
    pub(super) resource: usize,
    pub(super) verb: Verb,
    pub(super) refusal: Refusal,
}

/// Explains what requests ask of the `resources` at these positions, and tells what was refused, in their order.
pub(super) async fn rehearse(
    session: &Session,
    api: &ApiDefinition,
    resources: &[usize],
) -> Result<Vec<Refused>, SchemaError> {
    let plans = Plans::default();
    let operations: Vec<(usize, Verb, Operation)> = resources
        .iter()
        .flat_map(|position| {
            let operations = operations(&api.resources[*position]);
            operations
                .into_iter()
                .map(|(verb, operation)| (*position, verb, operation))
        })
        .collect();
    let mut attempts = Vec::with_capacity(operations.len());
    for (_, _, operation) in &operations {
        attempts.push(session.attempt(explain(session.client(), &plans, operation)));
    }
    let refusals: Vec<Option<Refusal>> = all(attempts).await?;
    let told = operations.into_iter().zip(refusals);
    Ok(told
        .filter_map(|((resource, verb, _), refusal)| {
            Some(Refused {
                resource,
                verb,
                refusal: refusal?,
            })
        })
        .collect())
}

async fn explain(client: &Client, plans: &Plans, operation: &Operation) -> Result<Vec<Row>, Error> {
    let plan = plans.find(operation);
    let params = sql::params(operation);
    let typed: Vec<(&(dyn ToSql + Sync), Type)> = params
        .iter()
        .zip(&plan.types)
        .map(|(param, ty)| (param as &(dyn ToSql + Sync), ty.clone()))
        .collect();
    client.query_typed(&format!("EXPLAIN {}", plan.sql), &typed).await
}

/// Every kind of statement that requests make of a resource, with rules and preconditions that have to be judged.
fn operations(resource: &Arc<ResourceDefinition>) -> Vec<(Verb, Operation)> {
    let stand_ins = StandIns::of(resource);
    let access = &resource.access;
    let [reads, creates, updates, deletes] =
        [&access.read, &access.create, &access.update, &access.delete].map(|rule| !is_for_nobody(rule));
    let mut list = Vec::new();
    if reads {
        list.push((Verb::Read, stand_ins.read()));
        list.push((Verb::Read, stand_ins.list()));
    }
    if creates {
        list.push((Verb::Create, Operation::Insert(stand_ins.insert(1, None))));
        list.push((Verb::Create, Operation::Insert(stand_ins.insert(2, None))));
    }
    if creates || updates {
        list.push((Verb::Put, stand_ins.replace()));
        for target in keys::sets(resource) {
            for action in [ConflictAction::Ignore, stand_ins.merge()] {
                let target = target.clone();
                let insert = stand_ins.insert(1, Some(OnConflict { target, action }));
                list.push((Verb::Upsert, Operation::Insert(insert)));
            }
        }
    }
    if updates {
        list.push((Verb::Change, Operation::Update(stand_ins.update())));
        list.push((Verb::Change, stand_ins.update_many()));
    }
    if deletes {
        list.push((Verb::Delete, stand_ins.delete()));
        list.push((Verb::Delete, stand_ins.delete_many()));
    }
    list
}
