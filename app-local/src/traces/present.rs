//! With the feature `otel`: a span for each request, sent in the background and once more at the end.
//!
//! Which spans there are, and how they are sent, is the business of `rowstamp_telemetry`.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rowstamp_ports::exchange::{ApiRequest, RequestError};
use rowstamp_ports::{Problems, RecordStore, Vars};
use rowstamp_rest::Measurement;
use rowstamp_telemetry::{Place, RequestSpan, Settings, Started, Telemetry, Told};
use tokio::task::JoinHandle;

/// The end waits for the collector no longer than this.
const AT_THE_END: Duration = Duration::from_secs(2);

/// Traces, where a collector is named.
#[derive(Debug, Clone)]
pub(crate) struct Traces(Option<Arc<Exporting>>);

#[derive(Debug)]
struct Exporting {
    telemetry: Telemetry,
    background: JoinHandle<()>,
}

/// The span of a request, where traces are wanted.
pub(crate) struct Span(Option<RequestSpan>);

impl Traces {
    pub(crate) fn read(vars: &Vars, problems: &mut Problems) -> Self {
        let settings = Settings::read(vars, Place::Machine, problems);
        Self(settings.and_then(|settings| {
            let telemetry = Telemetry::start(settings)
                .map_err(|problem| problems.report("OTEL_EXPORTER_OTLP_ENDPOINT", problem))
                .ok()?;
            let background = telemetry.export_in_background();
            Some(Arc::new(Exporting {
                telemetry,
                background,
            }))
        }))
    }

    pub(crate) fn around_store(&self, store: Arc<dyn RecordStore>) -> Arc<dyn RecordStore> {
        match &self.0 {
            Some(exporting) => exporting.telemetry.around_store(store),
            None => store,
        }
    }

    pub(crate) fn begin(&self, request: &Result<ApiRequest, RequestError>) -> Span {
        let Some(exporting) = &self.0 else {
            return Span(None);
        };
        let request = request.as_ref().ok();
        Span(Some(exporting.telemetry.begin(Started {
            at: SystemTime::now(),
            method: request.map(ApiRequest::method),
            headers: request.map(ApiRequest::headers),
            invocation: None,
        })))
    }

    /// Sends what is left.
    pub(crate) async fn stop(self) {
        if let Some(exporting) = self.0 {
            // What it was sending comes back and is sent here.
            exporting.background.abort();
            exporting.telemetry.flush_last(AT_THE_END).await;
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
