//! A small HTTP client for tests: one request, one connection, the answer whole.
//!
//! It follows nothing, retries nothing and decodes nothing, so that a test sees what was sent.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// Talks to one server, perhaps with a token.
#[derive(Debug, Clone)]
pub struct Client {
    address: SocketAddr,
    token: Option<String>,
}

/// An answer, read whole.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Client {
    /// A client without a token.
    pub const fn new(address: SocketAddr) -> Self {
        Self { address, token: None }
    }

    /// The same client with this bearer token.
    #[must_use]
    pub fn with_token(&self, token: impl Into<String>) -> Self {
        Self {
            token: Some(token.into()),
            ..self.clone()
        }
    }

    /// Sends a request without a body.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn get(&self, target: &str) -> Answer {
        self.send(Method::GET, target, &[], "").await
    }

    /// Sends JSON.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn json(&self, method: Method, target: &str, body: &Value) -> Answer {
        self.send(method, target, &[], &body.to_string()).await
    }

    /// Sends what it is told to; a body is JSON unless `headers` say otherwise.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn send(&self, method: Method, target: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header(HOST, self.address.to_string());
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if !body.is_empty()
            && !headers
                .iter()
                .any(|(name, _)| name.eq_ignore_ascii_case(CONTENT_TYPE.as_str()))
        {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Full::new(Bytes::from(body.to_owned())))
            .expect("the test's request is well formed");

        let stream = TcpStream::connect(self.address)
            .await
            .expect("the server accepts");
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .expect("a fresh connection is ready");
        let driving = tokio::spawn(connection);
        let response = sender.send_request(request).await.expect("the server answers");
        let (head, body) = response.into_parts();
        let body = body.collect().await.expect("the answer comes whole").to_bytes();
        driving.abort();
        Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        }
    }
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header field; empty where it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}
