//! The Lambda Runtime API, as a function sees it: a server that hands out events and takes answers.
//!
//! It knows `next` (a long poll), `response`, `error` and `init/error` of version 2018-06-01, and of extensions the registration and
//! the wait for events, of which none come. It has no opinion on events or answers, and enforces no deadline: Lambda does that by killing the process.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// What a function answered to one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// What it posted to `response`.
    Response(Bytes),
    /// What it posted to `error`.
    Error(FunctionError),
}

/// An error as a function reports it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FunctionError {
    /// The kind of error.
    pub error_type: String,
    /// The words.
    pub error_message: String,
}

/// A running emulator; it ends with the value.
#[derive(Debug)]
pub struct RuntimeApi {
    address: SocketAddr,
    state: Arc<State>,
    server: JoinHandle<()>,
}

impl RuntimeApi {
    /// Starts one on a free port of the loopback address.
    ///
    /// # Errors
    /// When there is no such port.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State::new());
        let server = tokio::spawn(serve(listener, Arc::clone(&state)));
        Ok(Self {
            address,
            state,
            server,
        })
    }

    /// What belongs into `AWS_LAMBDA_RUNTIME_API`.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends an event and waits for the answer, however long it takes. `time_left` is the time that the function is
    /// told it has.
    pub async fn invoke(&self, event: impl Into<Bytes>, time_left: Duration) -> Answer {
        let (answer, answered) = oneshot::channel();
        let number = self.state.count.fetch_add(1, Ordering::Relaxed);
        let invocation = Invocation {
            id: format!("00000000-0000-4000-8000-{number:012}"),
            deadline_ms: since_epoch(time_left).as_millis(),
            trace: lock(&self.state.trace).clone(),
            event: event.into(),
        };
        self.state.waiting().insert(invocation.id.clone(), answer);
        self.state
            .events
            .send(invocation)
            .expect("the state holds the receiver");
        answered
            .await
            .expect("the state keeps the sender until it answers")
    }

    /// Says this of the trace that the invocations from now on belong to, in X-Ray's words.
    pub fn set_trace(&self, header: &str) {
        header.clone_into(&mut lock(&self.state.trace));
    }

    /// Whether a function has asked for an event yet, which is when its initialisation has ended.
    pub fn is_initialised(&self) -> bool {
        self.state.polls.load(Ordering::Acquire) > 0
    }

    /// How many invocations were handed out and are not answered.
    pub fn under_way(&self) -> usize {
        self.state.under_way.load(Ordering::Acquire)
    }

    /// The names of the extensions that registered.
    pub fn extensions(&self) -> Vec<String> {
        lock(&self.state.extensions).clone()
    }

    /// What the function posted to `init/error`, if it did.
    pub fn init_error(&self) -> Option<FunctionError> {
        lock(&self.state.init_error).clone()
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn since_epoch(from_now: Duration) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("the clock is past 1970") + from_now
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Invocation {
    id: String,
    deadline_ms: u128,
    trace: String,
    event: Bytes,
}

/// What Lambda says where X-Ray does not sample.
const NOT_SAMPLED: &str = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0";

struct State {
    events: mpsc::UnboundedSender<Invocation>,
    queue: tokio::sync::Mutex<mpsc::UnboundedReceiver<Invocation>>,
    waiting: Mutex<HashMap<String, oneshot::Sender<Answer>>>,
    init_error: Mutex<Option<FunctionError>>,
    extensions: Mutex<Vec<String>>,
    trace: Mutex<String>,
    count: AtomicU64,
    polls: AtomicU64,
    under_way: AtomicUsize,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("State")
    }
}

impl State {
    fn new() -> Self {
        let (events, queue) = mpsc::unbounded_channel();
        Self {
            events,
            queue: tokio::sync::Mutex::new(queue),
            waiting: Mutex::default(),
            init_error: Mutex::default(),
            extensions: Mutex::default(),
            trace: Mutex::new(NOT_SAMPLED.to_owned()),
            count: AtomicU64::new(0),
            polls: AtomicU64::new(0),
            under_way: AtomicUsize::new(0),
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, HashMap<String, oneshot::Sender<Answer>>> {
        lock(&self.waiting)
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    while let Ok((socket, _)) = listener.accept().await {
        let _ = socket.set_nodelay(true);
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let state = Arc::clone(&state);
                async move { Ok::<_, Infallible>(route(request, &state).await) }
            });
            // A function that is killed leaves its connection broken, which is no fault of the emulator.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(socket), service)
                .await;
        });
    }
}

async fn route(request: Request<Incoming>, state: &State) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    if let Some(path) = parts.uri.path().strip_prefix("/2020-01-01/extension/") {
        return extension(path, &parts.headers, state).await;
    }
    let Some(path) = parts.uri.path().strip_prefix("/2018-06-01/runtime/") else {
        return status(StatusCode::NOT_FOUND);
    };
    if parts.method == Method::GET && path == "invocation/next" {
        return next(state).await;
    }
    if parts.method != Method::POST {
        return status(StatusCode::METHOD_NOT_ALLOWED);
    }
    let Ok(body) = body.collect().await else {
        return status(StatusCode::BAD_REQUEST);
    };
    let body = body.to_bytes();
    if path == "init/error" {
        *lock(&state.init_error) = serde_json::from_slice(&body).ok();
        return status(StatusCode::ACCEPTED);
    }
    match path
        .strip_prefix("invocation/")
        .and_then(|rest| rest.split_once('/'))
    {
        Some((id, "response")) => answer(state, id, Answer::Response(body)),
        Some((id, "error")) => match serde_json::from_slice(&body) {
            Ok(error) => answer(state, id, Answer::Error(error)),
            Err(_) => status(StatusCode::BAD_REQUEST),
        },
        _ => status(StatusCode::NOT_FOUND),
    }
}

async fn extension(path: &str, headers: &hyper::HeaderMap, state: &State) -> Response<Full<Bytes>> {
    match path {
        "register" => {
            let name = headers.get("lambda-extension-name");
            let Some(name) = name.and_then(|name| name.to_str().ok()) else {
                return status(StatusCode::BAD_REQUEST);
            };
            lock(&state.extensions).push(name.to_owned());
            Response::builder()
                .header(
                    "lambda-extension-identifier",
                    "0195b8a4-1f3e-7c2d-9b1a-0242ac120002",
                )
                .body(Full::from(
                    r#"{"functionName": "library", "functionVersion": "$LATEST", "handler": "bootstrap"}"#,
                ))
                .expect("the header values are plain text")
        }
        "event/next" => std::future::pending().await,
        _ => status(StatusCode::NOT_FOUND),
    }
}

async fn next(state: &State) -> Response<Full<Bytes>> {
    state.polls.fetch_add(1, Ordering::Release);
    let Some(invocation) = state.queue.lock().await.recv().await else {
        return status(StatusCode::GONE);
    };
    state.under_way.fetch_add(1, Ordering::Release);
    Response::builder()
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", &invocation.id)
        .header("lambda-runtime-deadline-ms", invocation.deadline_ms.to_string())
        .header(
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-west-1:123456789012:function:library",
        )
        .header("lambda-runtime-trace-id", &invocation.trace)
        .body(Full::new(invocation.event))
        .expect("the header values are plain text")
}

fn answer(state: &State, id: &str, answer: Answer) -> Response<Full<Bytes>> {
    let sender = state.waiting().remove(id);
    match sender {
        // Whoever asked may have stopped waiting; that is not the function's fault.
        Some(sender) => {
            state.under_way.fetch_sub(1, Ordering::Release);
            let _ = sender.send(answer);
            status(StatusCode::ACCEPTED)
        }
        None => status(StatusCode::BAD_REQUEST),
    }
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
