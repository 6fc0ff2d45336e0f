//! Traces for OpenTelemetry: a span for each request and one for each call of the store, sent to a collector over OTLP.
//!
//! A span says what was asked for, how it ended and what it took, and nothing of anybody's data. Who the caller is, what a path, query,
//! body or row holds never comes here. No port is added: an application wraps its store and its Controller's future, and the
//! core does not know of it.
#![doc = include_str!("../README.md")]

mod buffer;
mod client;
mod export;
mod parent;
mod request;
mod resource;
mod settings;
mod store;

pub use request::{Invocation, RequestSpan, Started, Told};
pub use settings::{Place, Settings};

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::InstrumentationScope;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use rowstamp_ports::RecordStore;
use tokio::task::JoinHandle;

use crate::buffer::Buffer;
use crate::export::Exporter;
use crate::parent::Propagators;

/// Makes spans and sends them. It costs nothing where there is none of it.
#[derive(Debug, Clone)]
pub struct Telemetry {
    tracer: SdkTracer,
    propagators: Propagators,
    exporter: Arc<Exporter>,
}

impl Telemetry {
    /// Everything set up as the settings have it; nothing is connected yet.
    ///
    /// Hooks that make spans of their own with the `opentelemetry` crate find this provider as the global one, and the request's span
    /// as the current one.
    ///
    /// # Errors
    /// In words, when there is no way to speak to the collector.
    pub fn start(settings: Settings) -> Result<Self, String> {
        let buffer = Buffer::default();
        let provider = SdkTracerProvider::builder()
            .with_sampler(settings.sampler)
            .with_resource(settings.resource.clone())
            .with_span_processor(buffer.clone())
            .build();
        let scope = InstrumentationScope::builder("rowstamp")
            .with_version(env!("CARGO_PKG_VERSION"))
            .build();
        let tracer = provider.tracer_with_scope(scope);
        let exporter = Exporter::new(settings.collector, &settings.resource, buffer)?;
        opentelemetry::global::set_tracer_provider(provider);
        Ok(Self {
            tracer,
            propagators: settings.propagators,
            exporter: Arc::new(exporter),
        })
    }

    /// The store, with a span for each of its calls that belongs to a request which is recorded.
    pub fn around_store(&self, store: Arc<dyn RecordStore>) -> Arc<dyn RecordStore> {
        Arc::new(store::Traced {
            store,
            tracer: self.tracer.clone(),
        })
    }

    /// The span of a request, from when it began. It is to be ended with [`RequestSpan::end`].
    pub fn begin(&self, request: Started<'_>) -> RequestSpan {
        RequestSpan::begin(&self.tracer, self.propagators, request)
    }

    /// Sends what has ended by now, for at most `limit`. After a failure nothing is tried for a while, so that a collector which
    /// hangs takes its time once and not with every request.
    pub async fn flush(&self, limit: Duration) {
        self.exporter.flush(limit).await;
    }

    /// The same at the end of a process, whatever failed before.
    pub async fn flush_last(&self, limit: Duration) {
        self.exporter.flush_last(limit).await;
    }

    /// Sends spans in the background from now on, every few seconds or when there are many. The task ends when it is aborted.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn export_in_background(&self) -> JoinHandle<()> {
        let exporter = Arc::clone(&self.exporter);
        tokio::spawn(async move { exporter.run().await })
    }
}
