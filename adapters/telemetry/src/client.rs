//! The client that speaks to the collector: HTTP/1.1, in clear text or over TLS with rustls and ring, connections kept.
//!
//! It follows no redirect, and reads no more of an answer than it needs. What a span is, it does not know.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry_http::{HttpClient, HttpError};
use rustls::{ClientConfig, RootCertStore};

/// An answer says how many spans were refused, and why.
const ANSWER_MAX_BYTES: usize = 64 * 1024;

/// A client for one collector.
#[derive(Debug, Clone)]
pub(crate) struct CollectorClient {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    /// The status of the last answer; 0 where there was none.
    last_status: Arc<AtomicU16>,
}

impl CollectorClient {
    /// # Errors
    /// In words, when the cryptography has no protocol in common with anybody.
    pub(crate) fn new(roots: RootCertStore) -> Result<Self, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .build();
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            last_status: Arc::default(),
        })
    }

    /// Whether the last answer was a refusal that sending the same again would meet again (OTLP, "Failures").
    pub(crate) fn was_refused_for_good(&self) -> bool {
        matches!(self.last_status.load(Ordering::Relaxed), status @ 300..=499 if status != 408 && status != 429)
    }
}

#[async_trait]
impl HttpClient for CollectorClient {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.last_status.store(0, Ordering::Relaxed);
        let response = self.client.request(request.map(Full::new)).await?;
        self.last_status
            .store(response.status().as_u16(), Ordering::Relaxed);
        let (head, body) = response.into_parts();
        let body = Limited::new(body, ANSWER_MAX_BYTES)
            .collect()
            .await
            .map_err(|error| -> Box<dyn Error + Send + Sync> { error })?;
        Ok(Response::from_parts(head, body.to_bytes()))
    }
}
