//! Spans that have ended and wait to be sent: a bounded queue that spans put themselves into.
//!
//! It sends nothing; ending a span costs a lock and a push.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
use tokio::sync::Notify;

/// So many spans wait at most, as OpenTelemetry's `OTEL_BSP_MAX_QUEUE_SIZE` has it by itself.
pub(crate) const ROOM: usize = 2_048;
/// So many are sent at once, as `OTEL_BSP_MAX_EXPORT_BATCH_SIZE` has it by itself.
pub(crate) const BATCH: usize = 512;

/// The queue, shared by whoever fills it and whoever empties it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Buffer(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    waiting: Mutex<Waiting>,
    many: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    spans: Vec<SpanData>,
    dropped: u64,
}

impl Buffer {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The oldest spans, up to a batch of them; they are not waiting any more.
    pub(crate) fn take(&self) -> Vec<SpanData> {
        let spans = &mut self.waiting().spans;
        let count = spans.len().min(BATCH);
        spans.drain(..count).collect()
    }

    /// Puts spans that could not be sent before the others, as far as there is room.
    pub(crate) fn put_back(&self, mut spans: Vec<SpanData>) {
        let mut waiting = self.waiting();
        let room = ROOM.saturating_sub(waiting.spans.len());
        let lost = spans.len().saturating_sub(room);
        spans.drain(..lost);
        waiting.dropped += lost as u64;
        waiting.spans.splice(..0, spans);
    }

    /// How many spans were lost for want of room since this was asked last.
    pub(crate) fn take_dropped(&self) -> u64 {
        std::mem::take(&mut self.waiting().dropped)
    }

    /// Ready when there are enough spans to be sent at once.
    pub(crate) async fn has_many(&self) {
        self.0.many.notified().await;
    }
}

impl SpanProcessor for Buffer {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        // A sampler may have a span recorded and not sent.
        if !span.span_context.is_sampled() {
            return;
        }
        let mut waiting = self.waiting();
        if waiting.spans.len() >= ROOM {
            waiting.dropped += 1;
            return;
        }
        waiting.spans.push(span);
        if waiting.spans.len() == BATCH {
            self.0.many.notify_one();
        }
    }

    /// Nothing is sent here, where nobody can wait for it.
    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::SystemTime;

    use opentelemetry::InstrumentationScope;
    use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
    use opentelemetry_sdk::trace::{SpanEvents, SpanLinks};

    use super::*;

    /// A span that has ended, known by its number.
    pub(crate) fn span(number: u64) -> SpanData {
        let context = SpanContext::new(
            TraceId::from(1),
            SpanId::from(number),
            TraceFlags::SAMPLED,
            false,
            TraceState::default(),
        );
        SpanData {
            span_context: context,
            parent_span_id: SpanId::INVALID,
            parent_span_is_remote: false,
            span_kind: SpanKind::Server,
            name: "GET".into(),
            start_time: SystemTime::UNIX_EPOCH,
            end_time: SystemTime::UNIX_EPOCH,
            attributes: Vec::new(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: InstrumentationScope::default(),
        }
    }

    fn numbers(spans: &[SpanData]) -> Vec<u64> {
        spans
            .iter()
            .map(|span| u64::from_be_bytes(span.span_context.span_id().to_bytes()))
            .collect()
    }

    #[test]
    fn spans_come_out_in_the_order_they_ended_and_those_put_back_first() {
        let buffer = Buffer::default();
        for number in 1..=3 {
            buffer.on_end(span(number));
        }
        let taken = buffer.take();
        assert_eq!(numbers(&taken), [1, 2, 3]);
        buffer.on_end(span(4));
        buffer.put_back(taken);
        assert_eq!(numbers(&buffer.take()), [1, 2, 3, 4]);
        assert!(buffer.take().is_empty());
    }

    #[test]
    fn a_batch_is_taken_at_a_time() {
        let buffer = Buffer::default();
        for number in 1..=BATCH as u64 + 1 {
            buffer.on_end(span(number));
        }
        assert_eq!(buffer.take().len(), BATCH);
        assert_eq!(numbers(&buffer.take()), [BATCH as u64 + 1]);
    }

    #[test]
    fn what_there_is_no_room_for_is_lost_and_counted() {
        let buffer = Buffer::default();
        for number in 1..=ROOM as u64 + 5 {
            buffer.on_end(span(number));
        }
        assert_eq!(buffer.take_dropped(), 5);
        let taken = buffer.take();
        buffer.on_end(span(9_999));
        buffer.put_back(taken);
        assert_eq!(buffer.take_dropped(), 1, "the oldest has no place any more");
        assert_eq!(numbers(&buffer.take())[0], 2);
    }

    #[test]
    fn what_is_not_sampled_does_not_wait() {
        let buffer = Buffer::default();
        let mut recorded = span(1);
        recorded.span_context = SpanContext::new(
            TraceId::from(1),
            SpanId::from(1),
            TraceFlags::default(),
            false,
            TraceState::default(),
        );
        buffer.on_end(recorded);
        assert!(buffer.take().is_empty());
    }
}
