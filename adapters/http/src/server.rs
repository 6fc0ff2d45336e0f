//! The server: accepts connections, keeps slow and greedy clients within limits, stops gracefully.
//!
//! It speaks HTTP/1.1 without TLS: a proxy or a load balancer in front does that.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::CONNECTION;
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use rowstamp_ports::exchange::{ApiRequest, ApiResponse, RequestError, RequestErrorKind};
use tokio::net::{TcpListener, TcpStream};

use crate::head_timer::HeadTimer;
use crate::patience::{self, Patient};
use crate::{Settings, body, request_mapper, response_mapper};

/// The largest head of a request; hyper answers 431 to a larger one.
const HEAD_MAX_BYTES: usize = 64 * 1024;
/// A socket that listens, and how its requests are treated.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    settings: Arc<Settings>,
}

impl Server {
    /// Listens, without accepting anything yet.
    ///
    /// # Errors
    /// When the address is taken or not this machine's.
    pub async fn bind(settings: Settings) -> io::Result<Self> {
        let listener = TcpListener::bind(settings.listen).await?;
        Ok(Self {
            listener,
            settings: Arc::new(settings),
        })
    }

    /// Where it listens, with the real port.
    ///
    /// # Errors
    /// What the system says about the socket.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers requests with `handler` until `stop` is ready; then accepts no more, and lets requests in flight
    /// finish within [`Settings::stop_limit`].
    ///
    /// Must run on a tokio runtime; each connection is a task of its own.
    pub async fn serve<H, F>(self, handler: H, stop: impl Future<Output = ()>)
    where
        H: Fn(Result<ApiRequest, RequestError>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = ApiResponse> + Send + 'static,
    {
        let Self { listener, settings } = self;
        let connections = GracefulShutdown::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => start(stream, &settings, &handler, &connections),
                    Err(error) => pause_after(&error).await,
                },
                () = &mut stop => break,
            }
        }
        drop(listener);
        if tokio::time::timeout(settings.stop_limit, connections.shutdown())
            .await
            .is_err()
        {
            tracing::warn!("requests were still in flight when the time to finish them was over");
        }
    }
}

fn start<H, F>(stream: TcpStream, settings: &Arc<Settings>, handler: &H, connections: &GracefulShutdown)
where
    H: Fn(Result<ApiRequest, RequestError>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = ApiResponse> + Send + 'static,
{
    // An answer is written in one go; waiting for more would only delay it.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "the connection was gone at once");
        return;
    }
    let stream = Patient::new(
        stream,
        patience::Limits {
            silence: settings.answer_silence_limit,
            whole: settings.answer_limit,
        },
    );
    let head_limit = settings.head_limit;
    // One for each connection, so that the processors do not fight over a count that all requests change.
    let answering = Arc::new(Answering {
        settings: Arc::clone(settings),
        handler: handler.clone(),
    });
    let service = service_fn(move |request| answer(request, Arc::clone(&answering)));
    let connection = http1::Builder::new()
        .timer(HeadTimer::default())
        .header_read_timeout(head_limit)
        // Its limit of header fields, 100, stays: with another it allocates for them at every request.
        .max_buf_size(HEAD_MAX_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            // Clients go away all the time; that is news to nobody but who looks for it.
            tracing::debug!(%error, "a connection ended early");
        }
    });
}

/// What the requests of a connection are answered by.
struct Answering<H> {
    settings: Arc<Settings>,
    handler: H,
}

async fn answer<H, F>(
    request: Request<Incoming>,
    answering: Arc<Answering<H>>,
) -> Result<Response<Full<Bytes>>, std::convert::Infallible>
where
    H: Fn(Result<ApiRequest, RequestError>) -> F,
    F: Future<Output = ApiResponse>,
{
    let Answering { settings, handler } = &*answering;
    let (head, incoming) = request.into_parts();
    let limits = body::Limits {
        bytes: settings.max_body_bytes,
        silence: settings.body_silence_limit,
        whole: settings.body_limit,
    };
    let body = body::read(incoming, || body::Sending::of(&head.headers), limits).await;
    let deadline = Instant::now() + settings.request_limit;
    let mapped = request_mapper::map(head, body, &settings.base_path, Some(deadline));
    // What is left of such a body cannot be told from a next request.
    let ends_connection = matches!(
        &mapped,
        Err(RequestError {
            kind: RequestErrorKind::BodyTooLarge { .. } | RequestErrorKind::BodyIncomplete,
            ..
        })
    );
    let mut response = response_mapper::map(handler(mapped).await);
    if ends_connection {
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

/// Without a pause, a process that has run out of descriptors would spin.
async fn pause_after(error: &io::Error) {
    if !matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    ) {
        tracing::warn!(%error, "a connection could not be accepted");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
