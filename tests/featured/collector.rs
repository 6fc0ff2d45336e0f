//! A collector of OpenTelemetry's: takes traces over OTLP/HTTP, in clear text or TLS, and remembers every byte.
//!
//! It can be told to refuse or to hang, and knows nothing of whoever sends.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message as _;
use rowstamp_tests::certificates::Authority;
use rowstamp_tests::served::Directory;
use tokio::net::TcpListener;

/// Longer than anything takes to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// A span as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) name: String,
    pub(crate) kind: SpanKind,
    pub(crate) trace: String,
    pub(crate) id: String,
    /// Empty where there is none.
    pub(crate) parent: String,
    pub(crate) is_error: bool,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) resource: BTreeMap<String, String>,
}

/// Header fields and body.
type Export = (HeaderMap, Vec<u8>);

/// It listens as long as the runtime runs.
#[derive(Clone)]
pub(crate) struct Collector {
    url: String,
    received: Arc<Mutex<Vec<Export>>>,
    /// What it answers; 0 is nothing at all.
    status: Arc<AtomicU16>,
}

impl Collector {
    pub(crate) async fn start() -> Self {
        let (collector, listener) = Self::bind("http").await;
        let accepting = collector.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(accepting.clone().serve(TokioIo::new(socket)));
            }
        });
        collector
    }

    /// One that speaks TLS, and the file with the authority that signed its certificate.
    pub(crate) async fn start_with_tls(directory: &Directory) -> (Self, String) {
        let authority = Authority::new();
        let tls = authority.identity("localhost").acceptor();
        let (collector, listener) = Self::bind("https").await;
        let accepting = collector.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (accepting, tls) = (accepting.clone(), tls.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = tls.accept(socket).await {
                        accepting.serve(TokioIo::new(stream)).await;
                    }
                });
            }
        });
        let root = directory.path().join("collector.pem");
        std::fs::write(&root, authority.pem()).unwrap();
        (collector, root.to_str().unwrap().to_owned())
    }

    async fn bind(scheme: &str) -> (Self, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let collector = Self {
            url: format!("{scheme}://localhost:{}", listener.local_addr().unwrap().port()),
            received: Arc::default(),
            status: Arc::new(AtomicU16::new(200)),
        };
        (collector, listener)
    }

    async fn serve<S>(self, socket: TokioIo<S>)
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let service = service_fn(move |request: Request<Incoming>| {
            let collector = self.clone();
            async move { collector.take(request).await }
        });
        let _ = hyper::server::conn::http1::Builder::new()
            .serve_connection(socket, service)
            .await;
    }

    async fn take(&self, request: Request<Incoming>) -> Result<Response<Full<bytes::Bytes>>, hyper::Error> {
        assert_eq!(request.uri().path(), "/v1/traces");
        assert_eq!(request.headers()["content-type"], "application/x-protobuf");
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let status = self.status.load(Ordering::SeqCst);
        match status {
            0 => return std::future::pending().await,
            200 => self.received().push((head.headers, body.to_vec())),
            _ => {}
        }
        let mut response = Response::new(Full::default());
        *response.status_mut() = status.try_into().unwrap();
        Ok(response)
    }

    fn received(&self) -> MutexGuard<'_, Vec<Export>> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What belongs into `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Answers with this from now on; 0 is never.
    pub(crate) fn answer_with(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// Header fields of the first export.
    pub(crate) fn headers(&self) -> HeaderMap {
        self.received()[0].0.clone()
    }

    /// Every byte that was taken.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.received()
            .iter()
            .flat_map(|(_, body)| body.clone())
            .collect()
    }

    /// The spans so far, in the order they arrived.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let received = self.received();
        let requests = received
            .iter()
            .map(|(_, body)| ExportTraceServiceRequest::decode(body.as_slice()).unwrap());
        let mut spans = Vec::new();
        for resource_spans in requests.flat_map(|request| request.resource_spans) {
            let resource = attributes(&resource_spans.resource.unwrap().attributes);
            for span in resource_spans
                .scope_spans
                .into_iter()
                .flat_map(|scope| scope.spans)
            {
                assert!(
                    span.events.is_empty(),
                    "no event, which could hold words: {span:?}"
                );
                assert!(span.end_time_unix_nano >= span.start_time_unix_nano);
                let status = span.status.clone().unwrap_or_default();
                assert_eq!(status.message, "", "no words of a failure");
                spans.push(Span {
                    kind: span.kind(),
                    name: span.name,
                    trace: hex(&span.trace_id),
                    id: hex(&span.span_id),
                    parent: hex(&span.parent_span_id),
                    is_error: status.code == 2,
                    attributes: attributes(&span.attributes),
                    resource: resource.clone(),
                });
            }
        }
        spans
    }

    /// The spans of requests, once there are so many.
    pub(crate) async fn requests(&self, count: usize) -> Vec<Span> {
        let begun = Instant::now();
        loop {
            let mut spans = self.spans();
            spans.retain(|span| span.kind == SpanKind::Server);
            if spans.len() >= count {
                return spans;
            }
            assert!(begun.elapsed() < PATIENCE, "there are only {spans:#?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The spans right below that one.
    pub(crate) fn below(&self, parent: &Span) -> Vec<Span> {
        let mut spans = self.spans();
        spans.retain(|span| span.parent == parent.id && span.trace == parent.trace);
        spans
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn attributes(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let attributes = attributes.iter();
    attributes
        .map(|attribute| (attribute.key.clone(), text(attribute.value.as_ref())))
        .collect()
}

fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::BoolValue(value)) => value.to_string(),
        Some(Value::IntValue(value)) => value.to_string(),
        other => panic!("not expected: {other:?}"),
    }
}

/// Attributes as they are expected.
pub(crate) fn expected(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}
