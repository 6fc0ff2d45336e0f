//! The Controller: the only place that knows the order of things.
//!
//! Route, identify, authorise, read what is asked, hooks, Resource Mapper, store, answer: each method reads from top to bottom
//! like that. Everything but identity, hooks and the store is a pure function in a module of its own. Every refusal, whoever
//! made it, becomes a problem body here and nowhere else.

mod hooked;
mod in_time;
mod items;
mod lists;
mod many;

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{ALLOW, CACHE_CONTROL, HeaderValue, ORIGIN};
use http::{Method, StatusCode};
use rowstamp_domain::caller::Caller;
use rowstamp_domain::definition::ApiDefinition;
use rowstamp_domain::operation::{Operation, Outcome};
use rowstamp_ports::exchange::{ApiRequest, ApiResponse, RequestError};
use rowstamp_ports::{Clock, IdentityProvider, Readings, RecordStore, StoreContext, UidSource};
use tracing::Instrument;

use crate::api::BuiltApi;
use crate::cors::Cors;
use crate::cursor::CursorKeys;
use crate::measurement::{Answered, Measuring};
use crate::metered::Metered;
use crate::negotiate::Media;
use crate::openapi::Documents;
use crate::problem::{Problem, codes};
use crate::resource_mapper::access::CallerReach;
use crate::respond;
use crate::route::{self, ItemAction, Route};
use crate::served::{Resources, Served};
use crate::settings::Settings;
use in_time::in_time;

/// Answers requests.
pub struct Controller {
    api: Arc<ApiDefinition>,
    resources: Resources,
    documents: Documents,
    store: Metered,
    identity: Arc<dyn IdentityProvider>,
    clock: Arc<dyn Clock>,
    uids: Arc<dyn UidSource>,
    cors: Cors,
    cursor_keys: CursorKeys,
    token_hint: Option<&'static str>,
    server_timing: bool,
}

impl std::fmt::Debug for Controller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Controller")
            .field("api", &self.api.title)
            .finish_non_exhaustive()
    }
}

impl Controller {
    /// A controller that keeps the rows of `api` in `store`.
    pub fn new(
        api: BuiltApi,
        store: Arc<dyn RecordStore>,
        identity: Arc<dyn IdentityProvider>,
        clock: Arc<dyn Clock>,
        uids: Arc<dyn UidSource>,
        settings: Settings,
    ) -> Self {
        let (definition, hooks) = api.into_parts();
        Self {
            resources: Resources::new(&definition, hooks),
            documents: Documents::new(Arc::clone(&definition)),
            api: definition,
            store: Metered(store),
            identity,
            clock,
            uids,
            cors: settings.cors,
            cursor_keys: settings.cursor_keys,
            token_hint: settings.token_hint,
            server_timing: settings.server_timing,
        }
    }

    /// Answers one request. It always does: what fails, or panics, becomes a problem body.
    pub async fn handle(&self, request: Result<ApiRequest, RequestError>) -> ApiResponse {
        self.handle_measured(request).await.response
    }

    /// As [`Controller::handle`], and tells what the request asked for and took. Whoever wants that written down does it.
    pub async fn handle_measured(&self, request: Result<ApiRequest, RequestError>) -> Answered {
        let mut measuring = Measuring::begin();
        let request = match request {
            Ok(request) => request,
            Err(error) => {
                let response = self.refuse(&error, &mut measuring);
                return measuring.end(error.request_id, Readings::default(), response);
            }
        };
        let span = tracing::info_span!("request", id = request.request_id());
        let answered = {
            // Pinned here, so that what is put around it moves a pointer.
            let answering = pin!(self.answer(&request, &mut measuring));
            AssertUnwindSafe(answering)
                .catch_unwind()
                .instrument(span.clone())
                .await
        };
        let _entered = span.enter();
        let result = answered.unwrap_or_else(|_| {
            tracing::error!("the request panicked");
            Err(Problem::new(
                codes::INTERNAL,
                "the request could not be completed",
            ))
        });
        let mut answer = result.unwrap_or_else(|problem| {
            measuring.refused(&problem);
            let (status, code) = (problem.status().as_u16(), problem.code());
            if problem.status().is_server_error() {
                tracing::error!(status, code, "the request failed");
            } else {
                tracing::debug!(status, code, "the request was refused");
            }
            let problem = match self.token_hint {
                Some(hint) if problem.status() == StatusCode::UNAUTHORIZED => problem.hint(hint),
                _ => problem,
            };
            let instance = [request.base_path(), request.path()].concat();
            respond::problem(&problem, Some(&instance))
        });
        let origin = request.headers().get(ORIGIN);
        respond::finish(
            &mut answer,
            request.request_id(),
            origin,
            &self.cors,
            Some(request.method()),
        );
        let readings = request.meter().read();
        let mut answered = measuring.end(request.into_request_id(), readings, answer);
        if self.server_timing {
            answered
                .measurement
                .add_server_timing(&mut answered.response.headers);
        }
        answered
    }

    /// What no Request Mapper could make a request of.
    fn refuse(&self, error: &RequestError, measuring: &mut Measuring) -> ApiResponse {
        let problem = Problem::of_request(&error.kind);
        measuring.refused(&problem);
        tracing::debug!(
            id = error.request_id,
            code = problem.code(),
            "the request was refused"
        );
        let mut answer = respond::problem(&problem, None);
        let origin = error
            .origin
            .as_deref()
            .and_then(|origin| HeaderValue::from_str(origin).ok());
        respond::finish(&mut answer, &error.request_id, origin.as_ref(), &self.cors, None);
        answer
    }

    async fn answer(&self, request: &ApiRequest, measuring: &mut Measuring) -> Result<ApiResponse, Problem> {
        let target = route::target(&self.resources, request.path());
        if request.method() == Method::OPTIONS {
            measuring.operation = "options";
            return self.options(request, target);
        }
        let route = route::route(target?, request.method())?;
        measuring.operation = route.operation();
        measuring.resource = route.served().map(|served| Arc::clone(&served.definition));
        match route {
            Route::Document => self.document(request),
            Route::Health => self.health(request).await,
            Route::List(served) => self.list(request, served).await,
            // Boxed, so that reading a row or a page does not carry the size of these.
            Route::Query(served) => Box::pin(self.query(request, served)).await,
            Route::Create(served) => self.create(request, served).await,
            Route::UpdateMany(served) => Box::pin(self.update_many(request, served)).await,
            Route::DeleteMany(served) => Box::pin(self.delete_many(request, served)).await,
            Route::Item(ItemAction::Read, served, uid) => self.read(request, served, uid).await,
            Route::Item(ItemAction::Replace, served, uid) => {
                Box::pin(self.replace(request, served, uid)).await
            }
            Route::Item(ItemAction::Update, served, uid) => self.update(request, served, uid).await,
            Route::Item(ItemAction::Delete, served, uid) => self.delete(request, served, uid).await,
        }
    }

    /// A preflight is answered wherever it goes, so that a page gets to see the 404 of the request itself.
    fn options(
        &self,
        request: &ApiRequest,
        target: Result<route::Target<'_>, Problem>,
    ) -> Result<ApiResponse, Problem> {
        let mut answer = respond::empty(StatusCode::NO_CONTENT);
        let allow = match target {
            Ok(target) => target.allow(),
            Err(_) if Cors::is_preflight(request.headers()) => {
                HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
            }
            Err(problem) => return Err(problem),
        };
        self.cors
            .allow_preflight(request.headers(), &allow, &mut answer.headers);
        answer.headers.insert(ALLOW, allow);
        Ok(answer)
    }

    fn document(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let body = self.documents.under(request.base_path());
        respond::carried(&body, Media::Json, request.entrance())?;
        let openapi = request
            .header("accept")
            .is_some_and(|accept| accept.contains("application/openapi+json"));
        let content_type = if openapi {
            "application/openapi+json; charset=utf-8"
        } else {
            "application/json; charset=utf-8"
        };
        let mut answer = respond::document(body, content_type);
        answer
            .headers
            .insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        Ok(answer)
    }

    async fn health(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let asks_store = request
            .query()
            .split('&')
            .any(|parameter| parameter.split('=').next() == Some("ready"));
        if asks_store {
            let deadline = request.deadline();
            if let Err(error) = in_time(deadline, self.store.ready(deadline)).await? {
                tracing::warn!(%error, "not ready");
                return Err(Problem::of_readiness());
            }
        }
        let mut answer = respond::document(Bytes::from_static(b"{\"status\":\"ok\"}"), "application/json");
        answer
            .headers
            .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(answer)
    }

    /// What `caller` may see.
    fn reach<'a>(&'a self, caller: &'a Caller) -> CallerReach<'a> {
        CallerReach {
            api: &self.api,
            resources: &self.resources,
            caller,
        }
    }

    async fn identify(&self, request: &ApiRequest) -> Result<Arc<Caller>, Problem> {
        match in_time(request.deadline(), self.identity.identify(request.evidence())).await? {
            Ok(caller) => Ok(caller),
            Err(error) => Err(Problem::of_identity(&error)),
        }
    }

    /// Carries out one operation by itself.
    fn execute<'a>(
        &'a self,
        operation: Operation,
        context: &'a StoreContext,
        served: &'a Served,
    ) -> impl Future<Output = Result<Outcome, Problem>> + Send + 'a {
        let work = self.store.execute(operation, context);
        async move {
            work.await
                .map_err(|error| Problem::of_store(&error, &served.definition))
        }
    }
}

fn context(request: &ApiRequest, caller: &Arc<Caller>) -> StoreContext {
    StoreContext {
        deadline: request.deadline(),
        caller: Arc::clone(caller),
        room: respond::room(request.entrance()),
        meter: Arc::clone(request.meter()),
    }
}

#[cfg(test)]
mod tests;
