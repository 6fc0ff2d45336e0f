//! Between the Runtime API and the handler: an event comes as the bytes that it is, and the bytes of the answer are posted as they are.
//!
//! It takes the place of the services of `lambda_runtime` that would read the event and serialise the answer, which the mappers do, once. The
//! loop, the wait for the next event and the invocation's context are the runtime's.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderValue, Request};
use lambda_runtime::tower::{Layer, Service};
use lambda_runtime::{BoxFuture, Context, Diagnostic, Error, LambdaInvocation};
use lambda_runtime_api_client::body::Body;
use lambda_runtime_api_client::{PooledClient, build_request};

/// Tells an answer that comes late from that of the invocation under way. Older environments send none.
const INVOCATION_ID: &str = "lambda-runtime-invocation-id";

/// Has each invocation answered by a handler, and posts what it answers.
pub(crate) struct Posting<H> {
    handler: H,
    client: Arc<PooledClient>,
}

impl<H> Posting<H> {
    /// Over as many connections as there are invocations at once. The address of the Runtime API must be in the environment.
    pub(crate) fn new(handler: H, connections: usize) -> Self {
        let client = PooledClient::builder().with_pool_size(connections).build();
        Self {
            handler,
            client: Arc::new(client),
        }
    }
}

impl<H: Clone> Clone for Posting<H> {
    fn clone(&self) -> Self {
        Self {
            handler: self.handler.clone(),
            client: Arc::clone(&self.client),
        }
    }
}

/// It stands in place of what is inside, not around it.
impl<S, H: Clone> Layer<S> for Posting<H> {
    type Service = Self;

    fn layer(&self, _: S) -> Self {
        self.clone()
    }
}

impl<H, F> Service<LambdaInvocation> for Posting<H>
where
    H: Fn(Bytes, Context) -> F,
    F: Future<Output = Result<Bytes, Diagnostic>> + Send + 'static,
{
    type Response = ();
    type Error = Error;
    type Future = BoxFuture<'static, Result<(), Error>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, invocation: LambdaInvocation) -> Self::Future {
        let LambdaInvocation { parts, body, context } = invocation;
        let target = Target {
            request_id: context.request_id.clone(),
            invocation_id: parts.headers.get(INVOCATION_ID).cloned(),
        };
        let answered = (self.handler)(body, context);
        let client = Arc::clone(&self.client);
        Box::pin(async move {
            let answered = AssertUnwindSafe(answered).catch_unwind().await;
            let request = match answered.unwrap_or_else(|_| Err(panicked())) {
                Ok(answer) => target.response(answer),
                Err(failure) => target.error(&failure),
            }?;
            let posted = client.call(request).await.inspect_err(|error| {
                tracing::error!(error, "an answer could not be posted");
            })?;
            // The next event is for somebody else; whoever waits for this one is told by Lambda.
            if !posted.status().is_success() {
                tracing::error!(
                    status = posted.status().as_u16(),
                    "the Runtime API took no answer"
                );
            }
            Ok(())
        })
    }
}

/// Where the answer to one invocation goes.
struct Target {
    request_id: String,
    invocation_id: Option<HeaderValue>,
}

impl Target {
    fn response(self, answer: Bytes) -> Result<Request<Body>, Error> {
        self.request("response", answer)
    }

    fn error(self, failure: &Diagnostic) -> Result<Request<Body>, Error> {
        tracing::error!(
            error_type = failure.error_type,
            error_message = failure.error_message,
            "the invocation failed"
        );
        let mut request = self.request("error", serde_json::to_vec(failure)?.into())?;
        request.headers_mut().insert(
            "lambda-runtime-function-error-type",
            HeaderValue::from_static("unhandled"),
        );
        Ok(request)
    }

    fn request(self, what: &str, body: Bytes) -> Result<Request<Body>, Error> {
        let uri = format!("/2018-06-01/runtime/invocation/{}/{what}", self.request_id);
        let mut request = build_request().method("POST").uri(uri).body(Body::from(body))?;
        if let Some(id) = self.invocation_id {
            request.headers_mut().insert(INVOCATION_ID, id);
        }
        Ok(request)
    }
}

/// The core answers its own panics; this is for those around it. The hook has logged it with its place.
fn panicked() -> Diagnostic {
    Diagnostic {
        error_type: "Rowstamp.Panic".to_owned(),
        error_message: "the program panicked".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    use super::*;

    fn target() -> Target {
        Target {
            request_id: "r-1".to_owned(),
            invocation_id: Some(HeaderValue::from_static("i-1")),
        }
    }

    #[test]
    fn an_answer_goes_to_its_invocation() {
        let request = target().response(Bytes::from_static(b"{}")).unwrap();
        assert_eq!(request.uri(), "/2018-06-01/runtime/invocation/r-1/response");
        assert_eq!(request.method(), "POST");
        assert_eq!(request.headers()[INVOCATION_ID], "i-1");
    }

    #[test]
    fn a_failure_goes_there_as_an_error() {
        let request = target().error(&panicked()).unwrap();
        assert_eq!(request.uri(), "/2018-06-01/runtime/invocation/r-1/error");
        assert_eq!(
            request.headers()["lambda-runtime-function-error-type"],
            "unhandled"
        );
    }
}
