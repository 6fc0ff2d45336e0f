//! Collections: reading a page, creating a row.

use rowstamp_domain::operation::{Count, Outcome, Verdict};
use rowstamp_ports::exchange::{ApiRequest, ApiResponse};

use super::Controller;
use super::hooked::After;
use crate::negotiate;
use crate::problem::{Problem, codes};
use crate::resource_mapper::asked::Asked;
use crate::resource_mapper::{access, parameters, reading, writing};
use crate::respond::{self, Written};
use crate::served::Served;

impl Controller {
    pub(super) async fn list(&self, request: &ApiRequest, served: &Served) -> Result<ApiResponse, Problem> {
        let caller = self.identify(request).await?;
        let visible = access::read(&served.definition, &caller)?;
        let query = parameters::of_list(request.query(), served, &self.reach(&caller))?.query;
        let asked = Asked::of_read(request.headers(), negotiate::COLLECTION)?;
        let count = asked.preferences.count.map_or(Count::None, |_| Count::Exact);
        let (select, offset) = (query.select.clone(), query.offset);

        let visible = self.before_read(request, served, &caller, None, visible).await?;
        let operation = reading::list(served, query, visible, count);
        let mut outcome = self
            .execute(operation, &super::context(request, &caller), served)
            .await?;
        self.after_read(request, served, &caller, &mut outcome).await?;

        respond::list(outcome, &asked, &select, offset, request.entrance())
    }

    pub(super) async fn create(&self, request: &ApiRequest, served: &Served) -> Result<ApiResponse, Problem> {
        let definition = &served.definition;
        let caller = self.identify(request).await?;
        let permitted = access::create(definition, &caller)?;
        let columns = parameters::of_item(request.query(), served, &self.reach(&caller))?;
        let asked = Asked::of_body_write(request.headers(), negotiate::COLLECTION)?;
        asked.no_conditions()?;
        let mut sent = writing::sent_to_collection(served, request.body(), &caller)?;

        let circumstances = self.circumstances(request, served, &caller);
        if let Some((hooks, context)) = circumstances.hooks(served.points.before_create && sent.is_readable())
        {
            hooks
                .before_create(context, &mut sent.change)
                .await
                .map_err(|refusal| circumstances.refused(refusal))?;
        }

        let show = asked.show_created();
        let writing = circumstances.writing(&columns, show, served.points.after_create)?;
        let operation = writing::create(writing, sent, self.uids.next(), permitted)?;
        let mut outcome = self.write(operation, &[After::Create], &circumstances).await?;
        if outcome.verdict != Verdict::Created {
            return Err(refused(&outcome, served));
        }
        let written = Written::new(served, &asked, &columns, show, request.entrance());
        self.after_read_of_written(request, &written, &caller, &mut outcome)
            .await?;
        Ok(written.created(outcome, request.base_path()))
    }
}

/// What a verdict other than success means.
pub(super) fn refused(outcome: &Outcome, served: &Served) -> Problem {
    match &outcome.verdict {
        Verdict::NotFound | Verdict::NotVisible => Problem::new(codes::NO_SUCH_ROW, "there is no such row"),
        Verdict::NotWritable => Problem::new(codes::FORBIDDEN, "the caller may not do this with this row"),
        Verdict::PreconditionFailed => respond::precondition_failed(),
        Verdict::Mismatch(fields) => writing::mismatch(&served.definition, fields),
        Verdict::RecordMismatch(_) | Verdict::RowCount(_) => unimplemented!(),
        // A store that answers a write with another write's verdict broke its contract.
        Verdict::Found | Verdict::Created | Verdict::Updated | Verdict::Deleted => {
            Problem::new(codes::INTERNAL, "the request could not be completed")
        }
    }
}
