//! Without the feature `otel`: what is called in its place, which does nothing.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use lambda_runtime::Context;
use rowstamp_ports::exchange::{ApiRequest, RequestError};
use rowstamp_ports::{Problems, RecordStore, Vars};
use rowstamp_rest::Measurement;

/// No traces.
#[derive(Debug, Clone)]
pub(crate) struct Traces;

/// No span.
pub(crate) struct Span;

impl Traces {
    pub(crate) fn read(_vars: &Vars, _problems: &mut Problems) -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "the other one has something to wrap it in")]
    pub(crate) fn around_store(&self, store: Arc<dyn RecordStore>) -> Arc<dyn RecordStore> {
        store
    }

    #[expect(clippy::unused_self, reason = "the other one begins a span")]
    pub(crate) const fn begin(
        &self,
        _request: &Result<ApiRequest, RequestError>,
        _context: &Context,
        _cold_start: bool,
    ) -> Span {
        Span
    }

    #[expect(clippy::unused_async, reason = "the other one sends spans")]
    pub(crate) async fn flush(&self, _deadline: SystemTime) {}

    #[expect(clippy::unused_async, reason = "the other one sends spans")]
    pub(crate) async fn flush_last(&self, _limit: Duration) {}
}

impl Span {
    #[expect(clippy::unused_self, reason = "the other one stands around the work")]
    pub(crate) fn around<F: Future>(&self, work: F) -> F {
        work
    }

    #[expect(clippy::unused_self, reason = "the other one is of a trace")]
    pub(crate) const fn trace_id(&self) -> Option<String> {
        None
    }

    #[expect(clippy::unused_self, reason = "the other one ends")]
    pub(crate) const fn end(self, _measured: &Measurement) {}
}
