//! Single rows: read, replaced, changed, deleted.

use rowstamp_domain::operation::{Precondition, Verdict};
use rowstamp_domain::validation::Purpose;
use rowstamp_ports::exchange::{ApiRequest, ApiResponse};
use uuid::Uuid;

use super::Controller;
use super::hooked::{After, Circumstances};
use super::lists::refused;
use crate::negotiate;
use crate::problem::{Problem, codes};
use crate::resource_mapper::asked::{Asked, Show};
use crate::resource_mapper::writing::{self, ReplaceRights, Replacement};
use crate::resource_mapper::{access, parameters, reading};
use crate::respond::{self, Written};
use crate::served::{Columns, Served};

impl Controller {
    pub(super) async fn read(
        &self,
        request: &ApiRequest,
        served: &Served,
        uid: Option<Uuid>,
    ) -> Result<ApiResponse, Problem> {
        let caller = self.identify(request).await?;
        let visible = access::read(&served.definition, &caller)?;
        let uid = known(uid)?;
        let columns = parameters::of_item(request.query(), served, &self.reach(&caller))?;
        let asked = Asked::of_read(request.headers(), negotiate::READ_ITEM)?;

        let visible = self
            .before_read(request, served, &caller, Some(uid), visible)
            .await?;
        let operation = reading::item(served, uid, visible, &columns.select, asked.media);
        let mut outcome = self
            .execute(operation, &super::context(request, &caller), served)
            .await?;
        if outcome.verdict != Verdict::Found {
            return Err(refused(&outcome, served));
        }
        self.after_read(request, served, &caller, &mut outcome).await?;

        respond::item(outcome, served, &asked, &columns, request.entrance())
    }

    pub(super) async fn replace(
        &self,
        request: &ApiRequest,
        served: &Served,
        uid: Option<Uuid>,
    ) -> Result<ApiResponse, Problem> {
        let definition = &served.definition;
        let caller = self.identify(request).await?;
        let rights = ReplaceRights::of(definition, &caller)?;
        let uid = known(uid)?;
        let columns = parameters::of_item(request.query(), served, &self.reach(&caller))?;
        let asked = Asked::of_body_write(request.headers(), negotiate::ITEM)?;
        let precondition = asked.precondition(definition)?;
        let sent = writing::sent_to_item(served, request.body(), Purpose::Replace(uid), &caller)?;
        writing::usable_uid(definition, uid)?;

        let circumstances = self.circumstances(request, served, &caller, &asked)?;
        let show = asked.show(Show::Object, Show::Object);
        let replacing = Replacing {
            uid,
            rights,
            precondition,
            columns: &columns,
            show,
        };
        let mut outcome = if served.points.before_create || served.points.before_update {
            Box::pin(self.replace_with_hooks(request, &circumstances, &replacing)).await?
        } else {
            let replacement = replacing.map(&circumstances, sent, None)?;
            let outcome = self
                .write(replacement.operation, REPLACED, &circumstances)
                .await?;
            match (&outcome.verdict, replacement.when_absent) {
                (Verdict::NotFound, Some(problem)) => return Err(problem),
                _ => outcome,
            }
        };
        let created = match &outcome.verdict {
            Verdict::Created => true,
            Verdict::Updated => false,
            _ => return Err(refused(&outcome, served)),
        };
        let mut written = Written::new(served, &asked, &columns, show, request.entrance());
        self.after_read_of_written(request, &mut written, &caller, &mut outcome)
            .await;
        Ok(if created {
            written.put_created(outcome, request.base_path())
        } else {
            written.replaced(outcome)
        })
    }

    /// A PUT where a before-hook has a say. Which one depends on whether there is a row, so that is asked first; the operation
    /// then holds only if it is still so, and is tried once more if it is not.
    async fn replace_with_hooks(
        &self,
        request: &ApiRequest,
        circumstances: &Circumstances<'_>,
        replacing: &Replacing<'_>,
    ) -> Result<rowstamp_domain::operation::Outcome, Problem> {
        let Circumstances {
            served,
            caller,
            context,
            ..
        } = circumstances;
        let uid = replacing.uid;
        for _ in 0..2 {
            let there = self
                .execute(reading::existence(served, uid), context, served)
                .await?
                .verdict
                == Verdict::Found;
            let mut sent = writing::sent_to_item(served, request.body(), Purpose::Replace(uid), caller)?;
            if there {
                replacing.rights.update.as_ref().map_err(Clone::clone)?;
                if let Some((hooks, hooked)) =
                    circumstances.hooks(served.points.before_update && sent.is_readable())
                {
                    circumstances
                        .call(hooks.before_update(hooked, uid, &mut sent.change))
                        .await?;
                }
            } else {
                replacing.rights.create.as_ref().map_err(Clone::clone)?;
                if let Some((hooks, hooked)) =
                    circumstances.hooks(served.points.before_create && sent.is_readable())
                {
                    circumstances
                        .call(hooks.before_create(hooked, &mut sent.change))
                        .await?;
                }
            }
            let Replacement {
                operation,
                when_absent,
            } = replacing.map(circumstances, sent, Some(there))?;
            let outcome = self.write(operation, REPLACED, circumstances).await?;
            match (&outcome.verdict, there, when_absent) {
                (Verdict::NotFound, false, Some(problem)) => return Err(problem),
                // The row went away in between, or came into being.
                (Verdict::NotFound, true, _) => {}
                (Verdict::PreconditionFailed, false, _) if replacing.precondition == Precondition::None => {}
                _ => return Ok(outcome),
            }
        }
        Err(Problem::of_store(
            &rowstamp_ports::StoreError::Unavailable,
            &served.definition,
        ))
    }

    pub(super) async fn update(
        &self,
        request: &ApiRequest,
        served: &Served,
        uid: Option<Uuid>,
    ) -> Result<ApiResponse, Problem> {
        let definition = &served.definition;
        let caller = self.identify(request).await?;
        let permitted = access::update(definition, &caller)?;
        let uid = known(uid)?;
        let columns = parameters::of_item(request.query(), served, &self.reach(&caller))?;
        let asked = Asked::of_body_write(request.headers(), negotiate::ITEM)?;
        let precondition = asked.precondition(definition)?;
        let mut sent = writing::sent_to_item(served, request.body(), Purpose::Update(uid), &caller)?;

        let circumstances = self.circumstances(request, served, &caller, &asked)?;
        if let Some((hooks, context)) = circumstances.hooks(served.points.before_update && sent.is_readable())
        {
            circumstances
                .call(hooks.before_update(context, uid, &mut sent.change))
                .await?;
        }

        let show = asked.show(Show::Object, Show::Object);
        let writing = circumstances.writing(&columns, show, served.points.after_update)?;
        let operation = writing::update(writing, sent, uid, permitted, precondition)?;
        let mut outcome = self.write(operation, &[After::Update], &circumstances).await?;
        if outcome.verdict != Verdict::Updated {
            return Err(refused(&outcome, served));
        }
        let mut written = Written::new(served, &asked, &columns, show, request.entrance());
        self.after_read_of_written(request, &mut written, &caller, &mut outcome)
            .await;
        Ok(written.updated(outcome))
    }

    pub(super) async fn delete(
        &self,
        request: &ApiRequest,
        served: &Served,
        uid: Option<Uuid>,
    ) -> Result<ApiResponse, Problem> {
        let definition = &served.definition;
        let caller = self.identify(request).await?;
        let permitted = access::delete(definition, &caller)?;
        let uid = known(uid)?;
        let columns = parameters::of_item(request.query(), served, &self.reach(&caller))?;
        let asked = Asked::of_write(request.headers(), negotiate::ITEM)?;
        let precondition = asked.precondition(definition)?;

        let circumstances = self.circumstances(request, served, &caller, &asked)?;
        if let Some((hooks, context)) = circumstances.hooks(served.points.before_delete) {
            circumstances.call(hooks.before_delete(context, uid)).await?;
        }

        let show = asked.show(Show::Nothing, Show::Object);
        let writing = circumstances.writing(&columns, show, served.points.after_delete)?;
        let operation = writing::delete(writing, uid, permitted, precondition);
        let mut outcome = self.write(operation, &[After::Delete], &circumstances).await?;
        if outcome.verdict != Verdict::Deleted {
            return Err(refused(&outcome, served));
        }
        let mut written = Written::new(served, &asked, &columns, show, request.entrance());
        self.after_read_of_written(request, &mut written, &caller, &mut outcome)
            .await;
        Ok(written.deleted(outcome))
    }
}

/// The hooks that a PUT can be followed by.
const REPLACED: &[After] = &[After::Create, After::Update];

/// One PUT, taken apart.
struct Replacing<'a> {
    uid: Uuid,
    rights: ReplaceRights,
    precondition: Precondition,
    columns: &'a Columns,
    show: Show,
}

impl Replacing<'_> {
    /// The operation; with `there` it does only what fits a row that is, or is not, there.
    fn map(
        &self,
        circumstances: &Circumstances<'_>,
        sent: writing::Sent,
        there: Option<bool>,
    ) -> Result<Replacement, Problem> {
        let points = circumstances.served.points;
        let writing = circumstances.writing(
            self.columns,
            self.show,
            points.after_create || points.after_update,
        )?;
        let precondition = match (&self.precondition, there) {
            (Precondition::None, Some(false)) => Precondition::Absent,
            (asked, _) => asked.clone(),
        };
        let mut rights = self.rights.clone();
        if there == Some(true) {
            rights.create = Err(Problem::new(codes::NO_SUCH_ROW, "there is no such row"));
        }
        writing::replace(writing, sent, self.uid, rights, precondition)
    }
}

fn known(uid: Option<Uuid>) -> Result<Uuid, Problem> {
    uid.ok_or_else(|| {
        Problem::new(codes::INVALID_UID, "the last segment of the path is no UUID")
            .hint("a uid looks like 018f3a5e-7c1d-7a2b-9e4f-1a2b3c4d5e6f")
    })
}
