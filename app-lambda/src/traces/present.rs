//! With the feature `otel`: a span for each request, sent after its answer was posted and before the environment can freeze.
//!
//! Which spans there are, and how they are sent, is the business of `rowstamp_telemetry`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use lambda_runtime::Context;
use rowstamp_ports::exchange::{ApiRequest, RequestError};
use rowstamp_ports::{Problems, RecordStore, Vars};
use rowstamp_rest::Measurement;
use rowstamp_telemetry::{Invocation, Place, RequestSpan, Settings, Started, Telemetry, Told};

use crate::handler::time_left;

/// Lambda ends the process at the deadline of the invocation, also where that is answered already.
const MARGIN: Duration = Duration::from_millis(100);

/// Traces, where a collector is named.
#[derive(Debug, Clone)]
pub(crate) struct Traces(Option<Arc<Exporting>>);

#[derive(Debug)]
struct Exporting {
    telemetry: Telemetry,
    has_told_why_none: AtomicBool,
}

/// The span of a request, where traces are wanted.
pub(crate) struct Span(Option<RequestSpan>);

impl Traces {
    pub(crate) fn read(vars: &Vars, problems: &mut Problems) -> Self {
        let settings = Settings::read(vars, Place::Lambda, problems);
        Self(settings.and_then(|settings| {
            let telemetry = Telemetry::start(settings)
                .map_err(|problem| problems.report("OTEL_EXPORTER_OTLP_ENDPOINT", problem))
                .ok()?;
            Some(Arc::new(Exporting {
                telemetry,
                has_told_why_none: AtomicBool::new(false),
            }))
        }))
    }

    pub(crate) fn around_store(&self, store: Arc<dyn RecordStore>) -> Arc<dyn RecordStore> {
        match &self.0 {
            Some(exporting) => exporting.telemetry.around_store(store),
            None => store,
        }
    }

    pub(crate) fn begin(
        &self,
        request: &Result<ApiRequest, RequestError>,
        context: &Context,
        cold_start: bool,
    ) -> Span {
        let Some(exporting) = &self.0 else {
            return Span(None);
        };
        let request = request.as_ref().ok();
        let span = exporting.telemetry.begin(Started {
            at: SystemTime::now(),
            method: request.map(ApiRequest::method),
            headers: request.map(ApiRequest::headers),
            invocation: Some(Invocation {
                id: &context.request_id,
                arn: &context.invoked_function_arn,
                version: &context.env_config.version,
                is_cold_start: cold_start,
                xray: context.xray_trace_id.as_deref(),
            }),
        });
        exporting.tell_why_none(&span, context);
        Span(Some(span))
    }

    /// Sends the spans that have ended. Whoever asked has the answer already; the next event is asked for afterwards.
    pub(crate) async fn flush(&self, deadline: SystemTime) {
        let Some(exporting) = &self.0 else { return };
        let left = match time_left(deadline, SystemTime::now()) {
            Some(left) => left.saturating_sub(MARGIN),
            None => Duration::MAX,
        };
        exporting.telemetry.flush(left).await;
    }

    /// The same at the end of the environment.
    pub(crate) async fn flush_last(&self, limit: Duration) {
        if let Some(exporting) = &self.0 {
            exporting.telemetry.flush_last(limit).await;
        }
    }
}

impl Exporting {
    /// Where X-Ray does not sample, the header says so, also where X-Ray was never switched on. Whoever misses their traces should
    /// find out why, once.
    fn tell_why_none(&self, span: &RequestSpan, context: &Context) {
        let is_for_xray = !span.is_sampled() && context.xray_trace_id.is_some();
        if is_for_xray && !self.has_told_why_none.swap(true, Ordering::Relaxed) {
            tracing::info!(
                "this request is not sampled, as its caller, X-Ray or OTEL_TRACES_SAMPLER has it; \
                 where Lambda's active tracing is off, X-Ray's word is always no"
            );
        }
    }
}

impl Span {
    pub(crate) async fn around<F: Future>(&self, work: F) -> F::Output {
        match &self.0 {
            Some(span) => span.around(work).await,
            None => work.await,
        }
    }

    pub(crate) fn trace_id(&self) -> Option<String> {
        self.0.as_ref()?.trace_id()
    }

    pub(crate) fn end(self, measured: &Measurement) {
        if let Some(span) = self.0 {
            span.end(Told {
                operation: measured.operation,
                resource_path: measured.resource.as_ref().map(|resource| resource.path.as_str()),
                status: measured.status,
                code: measured.code.as_deref(),
            });
        }
    }
}
