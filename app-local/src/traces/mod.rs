//! Traces for an OpenTelemetry collector: with the feature `otel`, where one is named. Otherwise nothing is made, asked or kept.

#[cfg(not(feature = "otel"))]
mod absent;
#[cfg(feature = "otel")]
mod present;

#[cfg(not(feature = "otel"))]
pub(crate) use absent::Traces;
#[cfg(feature = "otel")]
pub(crate) use present::Traces;
