//! Collections: reading a page.

use std::sync::Arc;

use http::Method;
use rowstamp_domain::caller::Caller;
use rowstamp_domain::operation::{Count, Outcome, Verdict};
use rowstamp_domain::query::Condition;
use rowstamp_ports::exchange::{ApiRequest, ApiResponse};

use super::Controller;
use crate::link;
use crate::negotiate;
use crate::problem::{Problem, codes};
use crate::resource_mapper::asked::Asked;
use crate::resource_mapper::parameters::Listed;
use crate::resource_mapper::range::Range;
use crate::resource_mapper::{access, parameters, reading, writing};
use crate::respond::{self, Page};
use crate::served::Served;

impl Controller {
    /// A page, asked for by the query string.
    pub(super) async fn list(&self, request: &ApiRequest, served: &Served) -> Result<ApiResponse, Problem> {
        let caller = self.identify(request).await?;
        let visible = access::read(&served.definition, &caller)?;
        let listed = parameters::of_list([request.query()], served, &self.reach(&caller))?;
        // A range is for GET alone (RFC 9110, 14.2).
        let range = if request.method() == Method::GET {
            Range::read(request.headers())?
        } else {
            None
        };
        self.page(request, served, &caller, visible, listed, range).await
    }

    /// A page, asked for by a body that is a query string, after what the query string itself says.
    pub(super) async fn query(&self, request: &ApiRequest, served: &Served) -> Result<ApiResponse, Problem> {
        let caller = self.identify(request).await?;
        let visible = access::read(&served.definition, &caller)?;
        negotiate::body_is_form(request.headers())?;
        let body = std::str::from_utf8(request.body())
            .map_err(|_| Problem::new(codes::INVALID_QUERY, "the query in the body is not UTF-8"))?;
        let queries = [request.query(), body.trim_end_matches(['\r', '\n'])];
        let listed = parameters::of_list(queries, served, &self.reach(&caller))?;
        self.page(request, served, &caller, visible, listed, None).await
    }

    async fn page(
        &self,
        request: &ApiRequest,
        served: &Served,
        caller: &Arc<Caller>,
        visible: Condition,
        listed: Listed<'_>,
        range: Option<Range>,
    ) -> Result<ApiResponse, Problem> {
        let definition = &served.definition;
        let mut query = listed.query.clone();
        if let Some(range) = range {
            if listed.cursor.is_some() {
                return Err(Problem::new(
                    codes::INVALID_QUERY,
                    "`cursor` cannot be combined with `Range`",
                ));
            }
            range.narrow(&mut query, listed.has("limit"), definition.page.max);
        }
        if let Some(cursor) = &listed.cursor {
            query.after = Some(self.cursor_keys.read_cursor(cursor, &query, definition)?);
        }
        let asked = Asked::of_read(request.headers(), negotiate::COLLECTION)?;
        let count = reading::count(asked.preferences.count, served);

        let visible = self.before_read(request, served, caller, None, visible).await?;
        let operation = reading::list(served, query.clone(), visible, count, asked.media);
        let mut outcome = self
            .execute(operation, &super::context(request, caller), served)
            .await?;
        self.after_read(request, served, caller, &mut outcome).await?;

        let next = outcome.next.take().and_then(|position| {
            let cursor = self.cursor_keys.write(&position, &query, definition);
            let limit = range.map(|_| query.limit);
            if request.method() == Method::POST {
                // What the body says is not repeated in a header field.
                link::next([], &cursor, limit)
            } else {
                link::next(listed.parameters(), &cursor, limit)
            }
        });
        let page = Page {
            served,
            query: &query,
            next,
            is_counted_exactly: count == Count::Exact,
        };
        respond::list(outcome, &asked, &page, request.entrance())
    }
}

/// What a verdict other than success means.
pub(super) fn refused(outcome: &Outcome, served: &Served) -> Problem {
    match &outcome.verdict {
        Verdict::NotFound | Verdict::NotVisible => Problem::new(codes::NO_SUCH_ROW, "there is no such row"),
        Verdict::NotWritable => Problem::new(codes::FORBIDDEN, "the caller may not do this with this row"),
        Verdict::PreconditionFailed => respond::precondition_failed(),
        Verdict::Mismatch(fields) => writing::mismatch(&served.definition, fields),
        // A store that answers a write with another write's verdict broke its contract.
        Verdict::Found
        | Verdict::Created
        | Verdict::Updated
        | Verdict::Deleted
        | Verdict::RecordMismatch(_)
        | Verdict::RowCount(_) => Problem::new(codes::INTERNAL, "the request could not be completed"),
    }
}
