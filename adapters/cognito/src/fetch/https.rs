//! One GET over a connection of its own: keys are fetched too seldom to keep one.
//!
//! It follows no redirect, since that would lead to an address that nobody has named, and it stops at limits of time and size.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{ACCEPT, CONNECTION, HOST, USER_AGENT};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{Fetch, FetchError, KeyUrl};

/// A pool's keys are some 1 kB.
const DOCUMENT_MAX_BYTES: usize = 128 * 1024;
/// From the look-up of the name to the last byte.
const LIMIT: Duration = Duration::from_secs(3);

/// Fetches over TLS, trusting the public web's certificate authorities.
#[derive(Clone)]
pub struct HttpsFetch {
    tls: TlsConnector,
    limit: Duration,
}

impl std::fmt::Debug for HttpsFetch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpsFetch")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

impl HttpsFetch {
    /// A client that trusts the public web's certificate authorities.
    ///
    /// # Errors
    /// In words, when the cryptography has no protocol in common with anybody.
    pub fn new() -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        Self::trusting(roots)
    }

    /// A client that trusts these certificate authorities alone.
    ///
    /// # Errors
    /// As [`HttpsFetch::new`].
    pub fn trusting(roots: RootCertStore) -> Result<Self, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            tls: TlsConnector::from(Arc::new(config)),
            limit: LIMIT,
        })
    }

    /// The same client with this much time for a document.
    #[must_use]
    pub const fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    async fn get_whole(&self, url: &KeyUrl) -> Result<Vec<u8>, FetchError> {
        let socket = TcpStream::connect((url.host.as_str(), url.port))
            .await
            .map_err(unreachable)?;
        if url.secure {
            let name = ServerName::try_from(url.host.clone()).map_err(unreachable)?;
            let stream = self.tls.connect(name, socket).await.map_err(unreachable)?;
            exchange(stream, url).await
        } else {
            exchange(socket, url).await
        }
    }
}

#[async_trait]
impl Fetch for HttpsFetch {
    async fn get(&self, url: &KeyUrl) -> Result<Vec<u8>, FetchError> {
        let limit_ms = self.limit.as_millis();
        tokio::time::timeout(self.limit, self.get_whole(url))
            .await
            .unwrap_or(Err(FetchError::TooSlow { limit_ms }))
    }
}

async fn exchange<S>(stream: S, url: &KeyUrl) -> Result<Vec<u8>, FetchError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(unreachable)?;
    let request = Request::get(&url.target)
        .header(HOST, host_of(url))
        .header(ACCEPT, "application/json, */*")
        .header(USER_AGENT, concat!("rowstamp/", env!("CARGO_PKG_VERSION")))
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(unreachable)?;
    let answering = async {
        let response = sender.send_request(request).await.map_err(unreachable)?;
        match response.status() {
            StatusCode::OK => {}
            // S3, which keeps the load balancers' keys, answers 403 for what is not there.
            StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::FORBIDDEN => {
                return Err(FetchError::NotFound);
            }
            status => return Err(FetchError::Status(status.as_u16())),
        }
        let body = Limited::new(response.into_body(), DOCUMENT_MAX_BYTES);
        let collected = body.collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                FetchError::TooLarge {
                    limit_bytes: DOCUMENT_MAX_BYTES,
                }
            } else {
                FetchError::Unreachable(error.to_string())
            }
        })?;
        Ok(collected.to_bytes().into())
    };
    // The connection is driven here and not by a task of its own, so that nothing of it outlives the answer.
    let mut answering = std::pin::pin!(answering);
    tokio::select! {
        answered = &mut answering => answered,
        // However it ended, the answer may have come whole before.
        _ = connection => answering.await,
    }
}

fn host_of(url: &KeyUrl) -> String {
    let whole = url.to_string();
    let after = whole.split_once("://").map_or("", |(_, rest)| rest);
    after.split('/').next().unwrap_or_default().to_owned()
}

fn unreachable(error: impl std::fmt::Display) -> FetchError {
    FetchError::Unreachable(error.to_string())
}
