//! People's hooks, called at their points. A resource without hooks passes through here untouched and unpaid.

use std::sync::Arc;

use rowstamp_domain::caller::Caller;
use rowstamp_domain::operation::{Operation, Outcome, Representation, Rows, Verdict};
use rowstamp_domain::query::Condition;
use rowstamp_domain::record::Record;
use rowstamp_domain::value::Timestamp;
use rowstamp_ports::exchange::ApiRequest;
use rowstamp_ports::{HookContext, Hooks, ReadScope, StoreContext, Transaction};
use uuid::Uuid;

use super::Controller;
use crate::problem::{Problem, codes};
use crate::resource_mapper::asked::Show;
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
        let context = self.hook_context(request, served, caller, self.clock.now());
        let mut scope = ReadScope::new(uid);
        hooks
            .before_read(&context, &mut scope)
            .await
            .map_err(|refusal| Problem::of_refusal(refusal, &served.definition))?;
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
        let context = self.hook_context(request, served, caller, self.clock.now());
        for record in records {
            hooks
                .after_read(&context, record)
                .await
                .map_err(|refusal| Problem::of_refusal(refusal, &served.definition))?;
        }
        Ok(())
    }

    /// Lets an after-read hook redact what a write shows.
    pub(super) async fn after_read_of_written(
        &self,
        request: &ApiRequest,
        written: &Written<'_>,
        caller: &Arc<Caller>,
        outcome: &mut Outcome,
    ) -> Result<(), Problem> {
        if written.show == Show::Nothing {
            return Ok(());
        }
        self.after_read(request, written.served, caller, outcome).await
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
        let (Some(hooks), Some(hooked)) = (served.hooks.as_ref().filter(|_| wanted), hooked) else {
            return self.execute(operation, context, served).await;
        };
        self.write_with_hook(operation, hooks, hooked, circumstances)
            .await
    }

    async fn write_with_hook(
        &self,
        operation: Operation,
        hooks: &Arc<dyn Hooks>,
        hooked: &HookContext,
        circumstances: &Circumstances<'_>,
    ) -> Result<Outcome, Problem> {
        let Circumstances { served, context, .. } = circumstances;
        let definition = &served.definition;
        let of_store = |error| Problem::of_store(&error, definition);
        let mut transaction = Transaction::new(self.store.begin(context).await.map_err(of_store)?);
        let outcome = match transaction.execute(operation).await {
            Ok(outcome) => outcome,
            Err(error) => {
                undo(transaction).await;
                return Err(of_store(error));
            }
        };
        let Some(after) = After::of(&outcome.verdict) else {
            undo(transaction).await;
            return Ok(outcome);
        };
        // A change of nothing is no change.
        if after.is_wanted(served) && outcome.affected > 0 {
            let hidden;
            let record = if let Rows::Records(records) = &outcome.rows {
                records.first()
            } else {
                // The caller may not see what it wrote; the hook may.
                hidden = hidden_record(&mut transaction, served, &outcome).await?;
                hidden.as_ref()
            };
            let record =
                record.ok_or_else(|| Problem::new(codes::INTERNAL, "the request could not be completed"))?;
            let said = match after {
                After::Create => hooks.after_create(hooked, &mut transaction, record).await,
                After::Update => hooks.after_update(hooked, &mut transaction, record).await,
                After::Delete => hooks.after_delete(hooked, &mut transaction, record).await,
            };
            if let Err(refusal) = said {
                let problem = Problem::of_refusal(refusal, definition);
                undo(transaction).await;
                return Err(problem);
            }
        }
        transaction.into_unit().commit().await.map_err(of_store)?;
        Ok(outcome)
    }
}

/// Ends a transaction in order. Dropping it would undo it too, so a failure to do so changes no answer.
async fn undo(transaction: Transaction) {
    if let Err(error) = transaction.into_unit().rollback().await {
        tracing::warn!(%error, "a transaction could not be rolled back in order");
    }
}

async fn hidden_record(
    transaction: &mut Transaction,
    served: &Served,
    outcome: &Outcome,
) -> Result<Option<Record>, Problem> {
    let Some(uid) = outcome.uid else {
        return Ok(None);
    };
    let read = transaction
        .execute(reading::whole(served, uid))
        .await
        .map_err(|error| Problem::of_store(&error, &served.definition))?;
    Ok(match read.rows {
        Rows::Records(records) => records.into_iter().next(),
        Rows::None | Rows::Json(_) => None,
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
}

impl Controller {
    pub(super) fn circumstances<'a>(
        &self,
        request: &'a ApiRequest,
        served: &'a Served,
        caller: &'a Arc<Caller>,
    ) -> Circumstances<'a> {
        let now = self.clock.now();
        Circumstances {
            served,
            caller,
            context: super::context(request, caller),
            now,
            hooked: served
                .hooks
                .is_some()
                .then(|| self.hook_context(request, served, caller, now)),
        }
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
        let representation = writing::representation(show, after_write, self.served.points.after_read);
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

    /// The hooks and their context, where the resource has the hook that `wanted` says.
    pub(super) fn hooks(&self, wanted: bool) -> Option<(&dyn Hooks, &HookContext)> {
        if !wanted {
            return None;
        }
        Some((self.served.hooks.as_deref()?, self.hooked.as_ref()?))
    }

    /// A hook's refusal as the answer.
    pub(super) fn refused(&self, refusal: rowstamp_ports::Refusal) -> Problem {
        Problem::of_refusal(refusal, &self.served.definition)
    }
}
