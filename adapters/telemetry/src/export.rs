//! Sending: batches of spans to the collector, within limits of time, and a pause after a failure.
//!
//! It never fails anybody: what cannot be sent waits for the next time, as long as there is room, and is lost otherwise. The log says
//! so, without the collector's address, which can hold a key.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use opentelemetry_otlp::{Protocol, RetryPolicy, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};
use tokio::time::{Instant, timeout, timeout_at};

use crate::buffer::{BATCH, Buffer};
use crate::client::CollectorClient;
use crate::settings::Collector;

/// In the background, spans wait so long at most (`OTEL_BSP_SCHEDULE_DELAY` has it by itself).
const INTERVAL: Duration = Duration::from_secs(5);
/// After a failure nobody waits for the collector for so long.
const PAUSE: Duration = Duration::from_secs(10);

/// The way to one collector.
#[derive(Debug)]
pub(crate) struct Exporter {
    otlp: SpanExporter,
    client: CollectorClient,
    buffer: Buffer,
    limit: Duration,
    /// Exports follow each other, as the SDK's contract has it.
    turn: tokio::sync::Mutex<()>,
    paused_until: Mutex<Option<Instant>>,
}

impl Exporter {
    /// # Errors
    /// In words, when no client can be made.
    pub(crate) fn new(collector: Collector, resource: &Resource, buffer: Buffer) -> Result<Self, String> {
        let client = CollectorClient::new(collector.roots)?;
        let mut otlp = SpanExporter::builder()
            .with_http()
            .with_http_client(client.clone())
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(collector.endpoint.to_string())
            .with_headers(collector.headers)
            .with_timeout(collector.limit)
            // It would sleep in between, with the thread. What fails is tried again with the next batch.
            .with_retry_policy(RetryPolicy::disabled())
            .build()
            .map_err(|error| error.to_string())?;
        otlp.set_resource(resource);
        Ok(Self {
            otlp,
            client,
            buffer,
            limit: collector.limit,
            turn: tokio::sync::Mutex::default(),
            paused_until: Mutex::default(),
        })
    }

    /// Sends everything that waits, for at most `limit`, unless the last time failed a moment ago. `true` says that the time was over
    /// while more was waiting.
    pub(crate) async fn flush(&self, limit: Duration) -> bool {
        // No time at all is no failure of the collector's.
        if self.is_paused() || limit.is_zero() {
            return false;
        }
        let end = self.end(limit);
        let Ok(_turn) = timeout_at(end, self.turn.lock()).await else {
            return false;
        };
        // Whoever had the turn may have failed meanwhile.
        !self.is_paused() && self.send(end).await
    }

    /// The same, whatever failed before.
    pub(crate) async fn flush_last(&self, limit: Duration) {
        let end = self.end(limit);
        // Somebody else may be sending, and what waits with it.
        if let Ok(_turn) = timeout_at(end, self.turn.lock()).await {
            self.send(end).await;
        }
    }

    fn end(&self, limit: Duration) -> Instant {
        Instant::now() + limit.min(self.limit)
    }

    /// Sends batch after batch until few are left, which wait for others, or the time is over.
    async fn send(&self, end: Instant) -> bool {
        let mut has_sent = false;
        while Instant::now() < end {
            match self.send_batch(end).await {
                Sent::Spans(count) => {
                    if count > 0 {
                        self.set_paused_until(None);
                        has_sent = true;
                        let lost = self.buffer.take_dropped();
                        if lost > 0 {
                            tracing::warn!(lost, "traces were lost for want of room");
                        }
                    }
                    if count < BATCH {
                        return false;
                    }
                }
                // There was too little time for another one, and the collector is well.
                Sent::TooLate if has_sent => return true,
                Sent::TooLate => {
                    self.failed("the collector took too long");
                    return false;
                }
                Sent::Failed(reason) => {
                    self.failed(reason);
                    return false;
                }
            }
        }
        true
    }

    fn failed(&self, reason: &str) {
        self.set_paused_until(Some(Instant::now() + PAUSE));
        let lost = self.buffer.take_dropped();
        tracing::warn!(reason, lost, "traces could not be exported");
    }

    async fn send_batch(&self, end: Instant) -> Sent {
        let spans = self.buffer.take();
        if spans.is_empty() {
            return Sent::Spans(0);
        }
        let mut kept = Kept {
            buffer: &self.buffer,
            spans: spans.clone(),
        };
        match timeout_at(end, self.otlp.export(spans)).await {
            Ok(Ok(())) => Sent::Spans(std::mem::take(&mut kept.spans).len()),
            Ok(Err(_)) if self.client.was_refused_for_good() => {
                kept.spans.clear();
                Sent::Failed("the collector refused them")
            }
            Ok(Err(_)) => Sent::Failed("the collector failed or cannot be reached"),
            Err(_) => Sent::TooLate,
        }
    }

    /// Sends whenever there are many or some have waited, for as long as it is polled.
    pub(crate) async fn run(&self) {
        loop {
            let _ = timeout(INTERVAL, self.buffer.has_many()).await;
            while self.flush(self.limit).await {}
        }
    }

    fn is_paused(&self) -> bool {
        let until = *self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    fn set_paused_until(&self, until: Option<Instant>) {
        *self.paused_until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }
}

/// What became of a batch.
enum Sent {
    /// So many were taken, none where there were none.
    Spans(usize),
    /// They were not taken, in words.
    Failed(&'static str),
    /// The time was over before it was known.
    TooLate,
}

/// Spans that are being sent; those that are still there when it is dropped, by whomever, go back.
struct Kept<'a> {
    buffer: &'a Buffer,
    spans: Vec<SpanData>,
}

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        self.buffer.put_back(std::mem::take(&mut self.spans));
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};

    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_sdk::trace::SpanProcessor as _;
    use prost::Message as _;
    use rowstamp_ports::{Problems, Vars};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::buffer::tests::span;
    use crate::{Place, Settings};

    /// A collector that answers with `status`, or with nothing where that is 0, and counts the spans that it was sent.
    #[derive(Clone)]
    struct Collecting {
        address: String,
        status: Arc<AtomicU16>,
        asked: Arc<AtomicUsize>,
        spans: Arc<AtomicUsize>,
    }

    impl Collecting {
        async fn start() -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let collecting = Self {
                address: listener.local_addr().unwrap().to_string(),
                status: Arc::new(AtomicU16::new(200)),
                asked: Arc::default(),
                spans: Arc::default(),
            };
            let accepting = collecting.clone();
            tokio::spawn(async move {
                while let Ok((socket, _)) = listener.accept().await {
                    tokio::spawn(accepting.clone().answer(socket));
                }
            });
            collecting
        }

        async fn answer(self, mut socket: TcpStream) {
            let mut read = Vec::new();
            loop {
                let head_end = loop {
                    if let Some(end) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                        break end + 4;
                    }
                    if socket.read_buf(&mut read).await.unwrap_or(0) == 0 {
                        return;
                    }
                };
                let head = String::from_utf8(read.drain(..head_end).collect())
                    .unwrap()
                    .to_lowercase();
                let (_, length) = head.split_once("content-length: ").unwrap();
                let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
                while read.len() < length {
                    socket.read_buf(&mut read).await.unwrap();
                }
                let body: Vec<u8> = read.drain(..length).collect();
                let request = ExportTraceServiceRequest::decode(body.as_slice()).unwrap();
                let scopes = request
                    .resource_spans
                    .iter()
                    .flat_map(|resource| &resource.scope_spans);
                let count: usize = scopes.map(|scope| scope.spans.len()).sum();
                self.asked.fetch_add(1, Ordering::SeqCst);
                match self.status.load(Ordering::SeqCst) {
                    0 => std::future::pending().await,
                    200 => _ = self.spans.fetch_add(count, Ordering::SeqCst),
                    _ => {}
                }
                let status = self.status.load(Ordering::SeqCst);
                let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n");
                socket.write_all(answer.as_bytes()).await.unwrap();
            }
        }

        fn counts(&self) -> (usize, usize) {
            (
                self.asked.load(Ordering::SeqCst),
                self.spans.load(Ordering::SeqCst),
            )
        }
    }

    const LIMIT: Duration = Duration::from_secs(20);

    fn exporter(address: &str) -> Exporter {
        let vars = Vars::new([
            (
                "OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(),
                format!("http://{address}"),
            ),
            ("OTEL_EXPORTER_OTLP_TIMEOUT".to_owned(), "20000".to_owned()),
        ]);
        let settings = Settings::read(&vars, Place::Machine, &mut Problems::new()).unwrap();
        Exporter::new(settings.collector, &settings.resource, Buffer::default()).unwrap()
    }

    /// Shorter than `LIMIT`.
    const SHORT: Duration = Duration::from_millis(200);

    /// A collector that answers nobody, and an exporter with a span for it.
    async fn hanging() -> (Collecting, Exporter) {
        let collecting = Collecting::start().await;
        let exporter = exporter(&collecting.address);
        collecting.status.store(0, Ordering::SeqCst);
        exporter.buffer.on_end(span(1));
        (collecting, exporter)
    }

    #[tokio::test]
    async fn what_has_ended_is_sent_in_batches() {
        let collecting = Collecting::start().await;
        let exporter = exporter(&collecting.address);
        exporter.flush(LIMIT).await;
        assert_eq!(
            collecting.counts(),
            (0, 0),
            "nothing is sent where there is nothing"
        );
        for number in 1..=600 {
            exporter.buffer.on_end(span(number));
        }
        exporter.flush(LIMIT).await;
        assert_eq!(collecting.counts(), (2, 600));
    }

    #[tokio::test]
    async fn what_could_not_be_sent_waits_and_nobody_tries_for_a_while() {
        let collecting = Collecting::start().await;
        let exporter = exporter(&collecting.address);
        collecting.status.store(503, Ordering::SeqCst);
        exporter.buffer.on_end(span(1));
        exporter.flush(LIMIT).await;
        exporter.buffer.on_end(span(2));
        exporter.flush(LIMIT).await;
        assert_eq!(collecting.counts(), (1, 0), "the second time was too soon");
        collecting.status.store(200, Ordering::SeqCst);
        exporter.flush_last(LIMIT).await;
        assert_eq!(collecting.counts(), (2, 2));
        // It is well again, so there is no pause any more.
        exporter.buffer.on_end(span(3));
        exporter.flush(LIMIT).await;
        assert_eq!(collecting.counts(), (3, 3));
    }

    #[tokio::test]
    async fn what_is_refused_for_good_is_not_sent_again() {
        for (status, again) in [
            (400, 0),
            (401, 0),
            (413, 0),
            (302, 0),
            (429, 1),
            (408, 1),
            (500, 1),
        ] {
            let collecting = Collecting::start().await;
            let exporter = exporter(&collecting.address);
            collecting.status.store(status, Ordering::SeqCst);
            exporter.buffer.on_end(span(1));
            exporter.flush(LIMIT).await;
            collecting.status.store(200, Ordering::SeqCst);
            exporter.flush_last(LIMIT).await;
            assert_eq!(collecting.counts().1, again, "{status}");
        }
    }

    #[tokio::test]
    async fn a_collector_that_hangs_takes_its_time_once() {
        let (collecting, exporter) = hanging().await;
        let begun = Instant::now();
        exporter.flush(SHORT).await;
        let took = begun.elapsed();
        assert!(took >= SHORT && took < LIMIT / 2, "{took:?}");
        for _ in 0..100 {
            exporter.buffer.on_end(span(2));
            exporter.flush(LIMIT).await;
        }
        assert!(begun.elapsed() < LIMIT / 2, "{:?}", begun.elapsed());
        assert_eq!(collecting.counts(), (1, 0));
    }

    #[tokio::test]
    async fn who_waited_while_it_hung_does_not_try_again() {
        let (collecting, exporter) = hanging().await;
        let begun = Instant::now();
        tokio::join!(
            exporter.flush(SHORT),
            exporter.flush(LIMIT),
            exporter.flush(LIMIT)
        );
        assert!(begun.elapsed() < LIMIT / 2, "{:?}", begun.elapsed());
        assert_eq!(collecting.counts(), (1, 0));
    }

    #[tokio::test]
    async fn time_that_is_over_between_batches_is_no_failure() {
        let collecting = Collecting::start().await;
        let exporter = exporter(&collecting.address);
        for number in 1..=3 * BATCH as u64 {
            exporter.buffer.on_end(span(number));
        }
        // From the second batch on nobody answers.
        let hanging = async {
            while collecting.counts().0 < 1 {
                tokio::task::yield_now().await;
            }
            collecting.status.store(0, Ordering::SeqCst);
        };
        let (has_more, ()) = tokio::join!(exporter.flush(Duration::from_secs(1)), hanging);
        assert!(has_more);
        assert!(!exporter.is_paused());
        assert_eq!(collecting.counts().1, BATCH);
    }

    #[tokio::test]
    async fn a_collector_that_is_away_fails_nobody() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let exporter = exporter(&address);
        exporter.buffer.on_end(span(1));
        exporter.flush(LIMIT).await;
        assert_eq!(exporter.buffer.take().len(), 1, "it waits for the next time");
    }

    #[tokio::test]
    async fn an_export_that_is_broken_off_gives_its_spans_back() {
        let collecting = Collecting::start().await;
        let exporter = exporter(&collecting.address);
        collecting.status.store(0, Ordering::SeqCst);
        exporter.buffer.on_end(span(1));
        let broken_off = timeout(Duration::from_millis(200), exporter.flush(LIMIT)).await;
        assert!(broken_off.is_err());
        collecting.status.store(200, Ordering::SeqCst);
        exporter.flush_last(LIMIT).await;
        assert_eq!(collecting.counts().1, 1);
    }

    #[tokio::test]
    async fn in_the_background_many_are_sent_at_once() {
        let collecting = Collecting::start().await;
        let exporter = Arc::new(exporter(&collecting.address));
        let task = tokio::spawn({
            let exporter = Arc::clone(&exporter);
            async move { exporter.run().await }
        });
        let begun = Instant::now();
        for number in 1..=BATCH as u64 {
            exporter.buffer.on_end(span(number));
        }
        while collecting.counts().1 < BATCH {
            assert!(begun.elapsed() < INTERVAL / 2, "it waits for the interval");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        task.abort();
    }
}
