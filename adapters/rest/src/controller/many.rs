//! Rows written by way of their collection: created or upserted, changed or deleted by a condition.

use rowstamp_domain::operation::{
    Count, List, Operation, Outcome, Precondition, Representation, RowBound, Rows, Verdict,
};
use rowstamp_domain::query::grammar::Filtered;
use rowstamp_domain::query::{Condition, Direction, Nulls, Operand, OrderTerm, Query};
use rowstamp_domain::record::Record;
use rowstamp_domain::value::Value;
use rowstamp_ports::Transaction;
use rowstamp_ports::exchange::{ApiRequest, ApiResponse};
use uuid::Uuid;

use super::Controller;
use super::hooked::{After, Circumstances, undo, written};
use super::lists::refused;
use crate::negotiate;
use crate::problem::{Problem, codes};
use crate::resource_mapper::asked::Asked;
use crate::resource_mapper::bulk::{self, Intent, Records};
use crate::resource_mapper::writing::{self, ReplaceRights, Sent};
use crate::resource_mapper::{access, parameters};
use crate::respond::{self, Written};
use crate::served::{Columns, Served};

impl Controller {
    /// POST: one record or many, all or none.
    pub(super) async fn create(&self, request: &ApiRequest, served: &Served) -> Result<ApiResponse, Problem> {
        let definition = &served.definition;
        let caller = self.identify(request).await?;
        let create = access::create(definition, &caller);
        let upserts = Asked::upserts(request.headers());
        let rights = if upserts {
            ReplaceRights::of(definition, &caller)?
        } else {
            ReplaceRights::creation(create)?
        };
        let creation = parameters::of_creation(request.query(), served, &self.reach(&caller))?;
        let (asked, format) = Asked::of_rows(request.headers(), negotiate::COLLECTION)?;
        asked.no_conditions()?;
        let intent = Intent::new(served, asked.preferences, creation.given, creation.target);
        let mut body = bulk::records(served, request.body(), format, &intent, &caller, &*self.uids)?;
        let mut circumstances = self.circumstances(request, served, &caller, &asked)?;
        circumstances.listed = body.is_list.then_some(body.records.len());
        let show = if body.is_list {
            asked.show_many()
        } else {
            asked.show_created()
        };
        let mut written =
            Written::new(served, &asked, &creation.columns, show, request.entrance()).of_creation();
        if upserts {
            no_hooks_of_upserts(served)?;
        }
        before_each(&circumstances, &mut body).await?;

        let is_list = body.is_list;
        let writing = circumstances.writing(&creation.columns, show, served.points.after_create)?;
        if body.records.is_empty() {
            return match asked.bound() {
                RowBound::One => Err(row_count(&asked, 0)),
                RowBound::Any | RowBound::AtMost(_) => {
                    Ok(written.created_many(Outcome::verdict(Verdict::Created)))
                }
            };
        }
        let operation = bulk::create(writing, body, &intent, rights, asked.bound())?;
        let mut outcome = self.write(operation, &[After::Create], &circumstances).await?;
        if !matches!(outcome.verdict, Verdict::Created | Verdict::Updated) {
            return Err(many_refused(&outcome, served, &asked, is_list));
        }
        self.after_read_of_written(request, &mut written, &caller, &mut outcome)
            .await;
        Ok(if is_list || outcome.affected == 0 {
            written.created_many(outcome)
        } else if outcome.verdict == Verdict::Created {
            written.created(outcome, request.base_path())
        } else {
            written.merged(outcome)
        })
    }

    /// PATCH on a collection.
    pub(super) async fn update_many(
        &self,
        request: &ApiRequest,
        served: &Served,
    ) -> Result<ApiResponse, Problem> {
        let definition = &served.definition;
        let caller = self.identify(request).await?;
        let permitted = access::update(definition, &caller)?;
        let (filtered, given) = parameters::of_many(request.query(), served, &self.reach(&caller))?;
        let asked = Asked::of_body_write(request.headers(), negotiate::COLLECTION)?;
        asked.no_conditions()?;
        // No row has the nil uid, so one that is sent is another than that of each row.
        let read = || writing::sent_to_rows(served, request.body(), given.as_deref(), &caller);
        let sent = read()?;

        let circumstances = self.circumstances(request, served, &caller, &asked)?;
        let columns = served.columns(filtered.select.clone());
        let show = asked.show_many();
        let mut written = Written::new(served, &asked, &columns, show, request.entrance());
        let points = served.points;
        let mut outcome = if points.before_update || points.after_update {
            let each = EachRow {
                filtered: &filtered,
                permitted,
                columns: &columns,
                written: &written,
                bound: asked.bound(),
            };
            Box::pin(self.update_each(&circumstances, &each, sent, read)).await?
        } else {
            let writing = circumstances.writing(&columns, show, false)?;
            let operation = bulk::update_many(writing, sent, filtered, permitted, asked.bound())?;
            self.write(operation, &[], &circumstances).await?
        };
        if outcome.verdict != Verdict::Updated {
            return Err(many_refused(&outcome, served, &asked, false));
        }
        self.after_read_of_written(request, &mut written, &caller, &mut outcome)
            .await;
        Ok(written.updated_many(outcome))
    }

    /// DELETE on a collection.
    pub(super) async fn delete_many(
        &self,
        request: &ApiRequest,
        served: &Served,
    ) -> Result<ApiResponse, Problem> {
        let definition = &served.definition;
        let caller = self.identify(request).await?;
        let permitted = access::delete(definition, &caller)?;
        let (filtered, _) = parameters::of_many(request.query(), served, &self.reach(&caller))?;
        let asked = Asked::of_write(request.headers(), negotiate::COLLECTION)?;
        asked.no_conditions()?;

        let circumstances = self.circumstances(request, served, &caller, &asked)?;
        let columns = served.columns(filtered.select.clone());
        let show = asked.show_many();
        let mut written = Written::new(served, &asked, &columns, show, request.entrance());
        let points = served.points;
        let mut outcome = if points.before_delete || points.after_delete {
            let each = EachRow {
                filtered: &filtered,
                permitted,
                columns: &columns,
                written: &written,
                bound: asked.bound(),
            };
            Box::pin(self.delete_each(&circumstances, &each)).await?
        } else {
            let writing = circumstances.writing(&columns, show, false)?;
            let operation = bulk::delete_many(writing, filtered, permitted, asked.bound());
            self.write(operation, &[], &circumstances).await?
        };
        if outcome.verdict != Verdict::Deleted {
            return Err(many_refused(&outcome, served, &asked, false));
        }
        self.after_read_of_written(request, &mut written, &caller, &mut outcome)
            .await;
        Ok(written.deleted_many(outcome))
    }

    /// Changes the rows that match one by one, each between its hooks, in one transaction.
    async fn update_each(
        &self,
        circumstances: &Circumstances<'_>,
        each: &EachRow<'_>,
        first: Sent,
        read: impl Fn() -> Result<Sent, Problem>,
    ) -> Result<Outcome, Problem> {
        first.must_be_readable(&circumstances.served.definition)?;
        if first.change.iter().next().is_none() {
            // Nothing is given, so nothing is changed, as without hooks.
            return Ok(each.bounded(0).unwrap_or(Outcome::verdict(Verdict::Updated)));
        }
        let mut transaction = self.begin(circumstances).await?;
        let result = update_in(&mut transaction, circumstances, each, read).await;
        finish(transaction, circumstances, result).await
    }

    /// Deletes the rows that match one by one, each between its hooks, in one transaction.
    async fn delete_each(
        &self,
        circumstances: &Circumstances<'_>,
        each: &EachRow<'_>,
    ) -> Result<Outcome, Problem> {
        let mut transaction = self.begin(circumstances).await?;
        let result = delete_in(&mut transaction, circumstances, each).await;
        finish(transaction, circumstances, result).await
    }
}

async fn finish(
    transaction: Transaction,
    circumstances: &Circumstances<'_>,
    result: Result<Outcome, Problem>,
) -> Result<Outcome, Problem> {
    match result {
        Ok(outcome) if outcome.verdict.is_success() => circumstances.end(transaction, outcome).await,
        result => {
            undo(transaction).await;
            result
        }
    }
}

/// A write on a collection whose rows have hooks.
struct EachRow<'a> {
    filtered: &'a Filtered,
    permitted: Condition,
    columns: &'a Columns,
    written: &'a Written<'a>,
    bound: RowBound,
}

impl EachRow<'_> {
    fn bounded(&self, rows: u64) -> Option<Outcome> {
        (!self.bound.allows(rows)).then(|| Outcome::verdict(Verdict::RowCount(rows)))
    }
}

/// The outcome of as many rows as were written, and what is shown of them.
fn outcome(verdict: Verdict, written: u64, shown: Vec<Record>) -> Outcome {
    Outcome {
        returned: u64::try_from(shown.len()).unwrap_or(u64::MAX),
        affected: written,
        rows: if shown.is_empty() {
            Rows::None
        } else {
            Rows::Records(shown)
        },
        ..Outcome::verdict(verdict)
    }
}

/// The uids of the rows that are meant, in their order.
async fn meant(
    transaction: &mut Transaction,
    circumstances: &Circumstances<'_>,
    each: &EachRow<'_>,
) -> Result<Vec<Uuid>, Problem> {
    let served = circumstances.served;
    if !each.filtered.select.is_plain() {
        return Err(Problem::new(
            codes::NOT_SERVED,
            format!(
                "rows of {} are written one by one, between hooks: neither `select` nor filters can speak of embeds",
                served.definition.name
            ),
        ));
    }
    let definition = &served.definition;
    let uid = definition.audit.uid;
    let list = Operation::List(List {
        resource: std::sync::Arc::clone(definition),
        visible: access::visible(definition, circumstances.caller).and(each.permitted.clone()),
        query: Query {
            select: served.every_field.clone(),
            condition: each.filtered.condition.clone(),
            order: vec![OrderTerm {
                embed: None,
                operand: Operand::Field(uid),
                direction: Direction::Ascending,
                nulls: Nulls::Last,
            }],
            after: None,
            limit: u32::MAX,
            offset: 0,
        },
        count: Count::None,
        look_ahead: false,
        representation: Representation::Records,
    });
    let outcome = transaction
        .execute(list)
        .await
        .map_err(|error| circumstances.failed(error))?;
    let Rows::Records(records) = outcome.rows else {
        return Ok(Vec::new());
    };
    let uids = records.iter().filter_map(|record| match record.value(uid) {
        Some(Value::Uuid(uid)) => Some(*uid),
        _ => None,
    });
    Ok(uids.collect())
}

async fn update_in(
    transaction: &mut Transaction,
    circumstances: &Circumstances<'_>,
    each: &EachRow<'_>,
    read: impl Fn() -> Result<Sent, Problem>,
) -> Result<Outcome, Problem> {
    let served = circumstances.served;
    let uids = meant(transaction, circumstances, each).await?;
    if let Some(outcome) = each.bounded(uids.len() as u64) {
        return Ok(outcome);
    }
    let (mut count, mut shown) = (0, Vec::new());
    for uid in uids {
        let mut sent = read()?;
        if let Some((hooks, hooked)) = circumstances.hooks(served.points.before_update && sent.is_readable())
        {
            circumstances
                .call(hooks.before_update(hooked, uid, &mut sent.change))
                .await?;
        }
        let writing = circumstances.writing(each.columns, each.written.show, true)?;
        let operation = writing::update(writing, sent, uid, each.permitted.clone(), Precondition::None)?;
        let outcome = written(
            transaction,
            operation,
            circumstances.following(After::Update),
            circumstances,
        )
        .await?;
        match outcome.verdict {
            Verdict::Updated => {
                count += outcome.affected;
                take_records(outcome, &mut shown);
            }
            // It went, or out of sight, since it was looked for.
            Verdict::NotFound | Verdict::NotVisible => {}
            _ => return Ok(outcome),
        }
    }
    Ok(outcome(Verdict::Updated, count, shown))
}

async fn delete_in(
    transaction: &mut Transaction,
    circumstances: &Circumstances<'_>,
    each: &EachRow<'_>,
) -> Result<Outcome, Problem> {
    let served = circumstances.served;
    let uids = meant(transaction, circumstances, each).await?;
    if let Some(outcome) = each.bounded(uids.len() as u64) {
        return Ok(outcome);
    }
    let (mut count, mut shown) = (0, Vec::new());
    for uid in uids {
        if let Some((hooks, hooked)) = circumstances.hooks(served.points.before_delete) {
            circumstances.call(hooks.before_delete(hooked, uid)).await?;
        }
        let writing = circumstances.writing(each.columns, each.written.show, true)?;
        let operation = writing::delete(writing, uid, each.permitted.clone(), Precondition::None);
        let outcome = written(
            transaction,
            operation,
            circumstances.following(After::Delete),
            circumstances,
        )
        .await?;
        match outcome.verdict {
            Verdict::Deleted => {
                count += outcome.affected;
                take_records(outcome, &mut shown);
            }
            Verdict::NotFound | Verdict::NotVisible => {}
            _ => return Ok(outcome),
        }
    }
    Ok(outcome(Verdict::Deleted, count, shown))
}

fn take_records(outcome: Outcome, shown: &mut Vec<Record>) {
    if let Rows::Records(records) = outcome.rows {
        shown.extend(records);
    }
}

/// Whether a record becomes a new row or changes one, only the store finds out, so no hook could be asked first.
fn no_hooks_of_upserts(served: &Served) -> Result<(), Problem> {
    let points = served.points;
    if !(points.before_create || points.after_create || points.before_update || points.after_update) {
        return Ok(());
    }
    Err(Problem::new(
        codes::NOT_SERVED,
        format!(
            "{} has hooks on creation or change, which `Prefer: resolution` cannot call",
            served.definition.name
        ),
    )
    .hint("send each row with PUT, under its own path"))
}

async fn before_each(circumstances: &Circumstances<'_>, body: &mut Records) -> Result<(), Problem> {
    let Some((hooks, hooked)) = circumstances.hooks(circumstances.served.points.before_create) else {
        return Ok(());
    };
    for record in &mut body.records {
        if record.sent.is_readable() {
            circumstances
                .call(hooks.before_create(hooked, &mut record.sent.change))
                .await?;
        }
    }
    Ok(())
}

/// What a verdict other than success means for many rows.
fn many_refused(outcome: &Outcome, served: &Served, asked: &Asked, is_list: bool) -> Problem {
    match &outcome.verdict {
        Verdict::RowCount(rows) => row_count(asked, *rows),
        Verdict::RecordMismatch(fields) => writing::record_mismatch(&served.definition, fields, is_list),
        Verdict::NotWritable => Problem::new(
            codes::FORBIDDEN,
            "the caller may not do this with one of these rows",
        ),
        _ => refused(outcome, served),
    }
}

fn row_count(asked: &Asked, rows: u64) -> Problem {
    if asked.media.is_singular() {
        return respond::not_singular(rows);
    }
    Problem::new(
        codes::TOO_MANY_AFFECTED,
        "Query result exceeds max-affected preference constraint",
    )
    .details(format!("The query affects {rows} rows"))
}
