//! People's hooks, called at their points. A resource without hooks passes through here untouched and unpaid.

use std::sync::Arc;

use rowstamp_domain::caller::Caller;
use rowstamp_domain::operation::{Operation, Outcome, Representation, Rows, Verdict};
use rowstamp_domain::query::Condition;
use rowstamp_domain::record::Record;
use rowstamp_domain::value::{Timestamp, Value};
use rowstamp_ports::exchange::ApiRequest;
use rowstamp_ports::{HookContext, Hooks, ReadScope, StoreContext, StoreError, Transaction};
use uuid::Uuid;

use super::Controller;
use super::in_time::call;
use crate::negotiate::Media;
use crate::problem::{Problem, codes};
use crate::resource_mapper::asked::{Asked, Show};
use crate::resource_mapper::writing::{self, Writing};
use crate::resource_mapper::{access, reading};
use crate::respond::Written;
use crate::served::{Columns, Served};

/// Which hook comes after a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    Create,
    Update,
    Delete,
}

impl After {
    /// The hook that follows a successful write.
    const fn of(verdict: &Verdict) -> Option<Self> {
        match verdict {
            Verdict::Created => Some(Self::Create),
            Verdict::Updated => Some(Self::Update),
            Verdict::Deleted => Some(Self::Delete),
            _ => None,
        }
    }

    /// Whether the resource has it.
    const fn is_wanted(self, served: &Served) -> bool {
        match self {
            Self::Create => served.points.after_create,
            Self::Update => served.points.after_update,
            Self::Delete => served.points.after_delete,
        }
    }
}

impl Controller {
    pub(super) fn hook_context(
        &self,
        request: &ApiRequest,
        served: &Served,
        caller: &Arc<Caller>,
        now: Timestamp,
    ) -> HookContext {
        HookContext {
            api: Arc::clone(&self.api),
            resource: Arc::clone(&served.definition),
            caller: Arc::clone(caller),
            request_id: request.request_id().to_owned(),
            now,
        }
    }

    /// What may be seen, narrowed by a before-read hook.
    pub(super) async fn before_read(
        &self,
        request: &ApiRequest,
        served: &Served,
        caller: &Arc<Caller>,
        uid: Option<Uuid>,
        visible: Condition,
    ) -> Result<Condition, Problem> {
        let Some(hooks) = served.hooks.as_ref().filter(|_| served.points.before_read) else {
            return Ok(visible);
        };
        // Boxed, so that a resource without hooks does not carry the size of them; below too.
        Box::pin(self.narrowed(request, served, hooks, caller, uid, visible)).await
    }

    async fn narrowed(
        &self,
        request: &ApiRequest,
        served: &Served,
        hooks: &Arc<dyn Hooks>,
        caller: &Arc<Caller>,
        uid: Option<Uuid>,
        visible: Condition,
    ) -> Result<Condition, Problem> {
        let context = self.hook_context(request, served, caller, self.clock.now());
        let mut scope = ReadScope::new(uid);
        let narrowed = hooks.before_read(&context, &mut scope);
        call(request.deadline(), &served.definition, narrowed).await?;
        Ok(scope.into_required().into_iter().fold(visible, Condition::and))
    }

    /// Rows as an after-read hook leaves them.
    pub(super) async fn after_read(
        &self,
        request: &ApiRequest,
        served: &Served,
        caller: &Arc<Caller>,
        outcome: &mut Outcome,
    ) -> Result<(), Problem> {
        let Some(hooks) = served.hooks.as_ref().filter(|_| served.points.after_read) else {
            return Ok(());
        };
        let Rows::Records(records) = &mut outcome.rows else {
            return Ok(());
        };
        Box::pin(async {
            let context = self.hook_context(request, served, caller, self.clock.now());
            for record in records {
                let redacted = hooks.after_read(&context, record);
                call(request.deadline(), &served.definition, redacted).await?;
            }
            Ok(())
        })
        .await
    }

    /// Lets an after-read hook redact what a write shows. The row is written by now, so where the hook does not come to a good end the
    /// answer tells that, and shows nothing.
    pub(super) async fn after_read_of_written(
        &self,
        request: &ApiRequest,
        written: &mut Written<'_>,
        caller: &Arc<Caller>,
        outcome: &mut Outcome,
    ) {
        if written.show == Show::Nothing {
            return;
        }
        if let Err(problem) = self.after_read(request, written.served, caller, outcome).await {
            tracing::warn!(
                code = problem.code(),
                "what was written is not shown, since a hook was against it or failed"
            );
            written.withhold();
        }
    }

    /// Carries out a write: by itself, or in a transaction with the after-hook that the resource has for it.
    pub(super) async fn write(
        &self,
        operation: Operation,
        may_follow: &[After],
        circumstances: &Circumstances<'_>,
    ) -> Result<Outcome, Problem> {
        let Circumstances {
            served,
            context,
            hooked,
            ..
        } = circumstances;
        let wanted = may_follow.iter().any(|after| after.is_wanted(served));
        let following = match (served.hooks.as_ref().filter(|_| wanted), hooked) {
            (Some(hooks), Some(hooked)) => Some((hooks, hooked)),
            _ => None,
        };
        if following.is_none() && !circumstances.rolls_back {
            return self
                .store
                .execute(operation, context)
                .await
                .map_err(|error| circumstances.failed(error));
        }
        // Boxed, so that the usual way does not carry the size of this one.
        Box::pin(self.write_in_transaction(operation, following, circumstances)).await
    }

    async fn write_in_transaction(
        &self,
        operation: Operation,
        following: Option<(&Arc<dyn Hooks>, &HookContext)>,
        circumstances: &Circumstances<'_>,
    ) -> Result<Outcome, Problem> {
        let mut transaction = self.begin(circumstances).await?;
        match written(&mut transaction, operation, following, circumstances).await {
            Ok(outcome) if outcome.verdict.is_success() => circumstances.end(transaction, outcome).await,
            result => {
                undo(transaction).await;
                result
            }
        }
    }

    /// A transaction that further operations join.
    pub(super) async fn begin(&self, circumstances: &Circumstances<'_>) -> Result<Transaction, Problem> {
        let unit = self.store.begin(&circumstances.context).await;
        Ok(Transaction::new(
            unit.map_err(|error| circumstances.failed(error))?,
        ))
    }
}

/// Carries out one write of a transaction and the after-hook of each row that it wrote.
pub(super) async fn written(
    transaction: &mut Transaction,
    operation: Operation,
    following: Option<(&Arc<dyn Hooks>, &HookContext)>,
    circumstances: &Circumstances<'_>,
) -> Result<Outcome, Problem> {
    let served = circumstances.served;
    let uids = new_uids(&operation);
    let outcome = transaction
        .execute(operation)
        .await
        .map_err(|error| circumstances.failed(error))?;
    let (Some(after), Some((hooks, hooked))) = (After::of(&outcome.verdict), following) else {
        return Ok(outcome);
    };
    // A change of nothing is no change.
    if !after.is_wanted(served) || outcome.affected == 0 {
        return Ok(outcome);
    }
    for record in records_of(transaction, served, &outcome, uids).await? {
        let hook = match after {
            After::Create => hooks.after_create(hooked, transaction, &record),
            After::Update => hooks.after_update(hooked, transaction, &record),
            After::Delete => hooks.after_delete(hooked, transaction, &record),
        };
        circumstances.call(hook).await?;
    }
    Ok(outcome)
}

/// The uids of rows that an operation creates.
fn new_uids(operation: &Operation) -> Vec<Uuid> {
    let Operation::Insert(insert) = operation else {
        return Vec::new();
    };
    let uid = insert.resource.audit.uid;
    let Some(column) = insert.columns.iter().position(|column| *column == uid) else {
        return Vec::new();
    };
    let uids = insert.rows.iter().filter_map(|row| match row.get(column) {
        Some(Value::Uuid(uid)) => Some(*uid),
        _ => None,
    });
    uids.collect()
}

/// Every row that was written, also those that the caller may not see; hooks may.
async fn records_of(
    transaction: &mut Transaction,
    served: &Served,
    outcome: &Outcome,
    uids: Vec<Uuid>,
) -> Result<Vec<Record>, Problem> {
    let shown: &[Record] = match &outcome.rows {
        Rows::Records(records) => records,
        Rows::None | Rows::Json(_) | Rows::TooLarge => &[],
    };
    if u64::try_from(shown.len()) == Ok(outcome.affected) {
        return Ok(shown.to_vec());
    }
    let audit = served.definition.audit;
    let mut records = Vec::with_capacity(uids.len());
    let uids = if uids.is_empty() {
        outcome.uid.into_iter().collect()
    } else {
        uids
    };
    for uid in uids {
        let known = shown
            .iter()
            .find(|record| record.value(audit.uid) == Some(&Value::Uuid(uid)));
        let record = match known {
            Some(record) => Some(record.clone()),
            None => hidden_record(transaction, served, uid).await?,
        };
        records
            .push(record.ok_or_else(|| Problem::new(codes::INTERNAL, "the request could not be completed"))?);
    }
    Ok(records)
}

/// Ends a transaction in order. Dropping it would undo it too, so a failure to do so changes no answer.
pub(super) async fn undo(transaction: Transaction) {
    if let Err(error) = transaction.into_unit().rollback().await {
        tracing::warn!(%error, "a transaction could not be rolled back in order");
    }
}

async fn hidden_record(
    transaction: &mut Transaction,
    served: &Served,
    uid: Uuid,
) -> Result<Option<Record>, Problem> {
    let read = transaction
        .execute(reading::whole(served, uid))
        .await
        .map_err(|error| Problem::of_store(&error, &served.definition))?;
    Ok(match read.rows {
        Rows::Records(records) => records.into_iter().next(),
        Rows::None | Rows::Json(_) | Rows::TooLarge => None,
    })
}

/// In what circumstances a write happens.
pub(super) struct Circumstances<'a> {
    pub(super) served: &'a Served,
    pub(super) caller: &'a Arc<Caller>,
    pub(super) context: StoreContext,
    pub(super) now: Timestamp,
    /// There only where the resource has hooks.
    pub(super) hooked: Option<HookContext>,
    /// In which form rows are shown.
    media: Media,
    /// Whether everything is undone in the end.
    pub(super) rolls_back: bool,
    /// How many records the body lists; `None` where it is no list.
    pub(super) listed: Option<usize>,
}

impl Controller {
    pub(super) fn circumstances<'a>(
        &self,
        request: &'a ApiRequest,
        served: &'a Served,
        caller: &'a Arc<Caller>,
        asked: &Asked,
    ) -> Result<Circumstances<'a>, Problem> {
        let now = self.clock.now();
        Ok(Circumstances {
            served,
            caller,
            context: super::context(request, caller),
            now,
            hooked: served
                .hooks
                .is_some()
                .then(|| self.hook_context(request, served, caller, now)),
            media: asked.media,
            rolls_back: asked.rolls_back(&served.definition)?,
            listed: None,
        })
    }
}

impl<'a> Circumstances<'a> {
    /// Who writes, when, and what of it comes back; whole records where a hook will look at them.
    pub(super) fn writing(
        &self,
        columns: &Columns,
        show: Show,
        after_write: bool,
    ) -> Result<Writing<'a>, Problem> {
        let definition = &self.served.definition;
        let representation =
            writing::representation(show, self.media, after_write, self.served.points.after_read);
        if representation == Representation::Records && !columns.select.is_plain() {
            return Err(Problem::new(
                codes::NOT_SERVED,
                format!(
                    "a hook looks at each row of {} that is written, so `select` can name fields only",
                    definition.name
                ),
            ));
        }
        let select = if representation == Representation::Records {
            &self.served.every_field
        } else {
            &columns.select
        };
        Ok(Writing {
            served: self.served,
            caller: self.caller,
            stamp: writing::stamp(definition, self.now, self.caller)?,
            visible: access::visible(definition, self.caller),
            select: select.clone(),
            representation,
        })
    }

    /// The hooks that follow a write, where the resource has them.
    pub(super) fn following(&self, after: After) -> Option<(&Arc<dyn Hooks>, &HookContext)> {
        let hooks = self
            .served
            .hooks
            .as_ref()
            .filter(|_| after.is_wanted(self.served))?;
        Some((hooks, self.hooked.as_ref()?))
    }

    /// The hooks and their context, where the resource has the hook that `wanted` says.
    pub(super) fn hooks(&self, wanted: bool) -> Option<(&dyn Hooks, &HookContext)> {
        if !wanted {
            return None;
        }
        Some((self.served.hooks.as_deref()?, self.hooked.as_ref()?))
    }

    /// A store's failure as the answer, with the record of the body that it is about.
    pub(super) fn failed(&self, mut error: StoreError) -> Problem {
        if let StoreError::Conflict(conflict) = &mut error {
            conflict.record = match self.listed {
                None => None,
                Some(1) => Some(0),
                Some(_) => conflict.record,
            };
        }
        Problem::of_store(&error, &self.served.definition)
    }

    /// Ends a transaction in which everything went well: for good, or as if nothing had been, where that was asked for.
    pub(super) async fn end(&self, transaction: Transaction, outcome: Outcome) -> Result<Outcome, Problem> {
        let unit = transaction.into_unit();
        let ended = if self.rolls_back {
            unit.rollback().await
        } else {
            unit.commit().await
        };
        ended.map_err(|error| self.failed(error))?;
        Ok(outcome)
    }

    /// Calls a hook within the request's time.
    pub(super) async fn call(
        &self,
        hook: impl Future<Output = Result<(), rowstamp_ports::Refusal>>,
    ) -> Result<(), Problem> {
        call(self.context.deadline, &self.served.definition, hook).await
    }
}
