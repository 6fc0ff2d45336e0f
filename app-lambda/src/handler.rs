//! One invocation: the event through the mappers and the core, and its answer, whatever happens on the way.
//!
//! It knows no resource and no database. A panic is answered and survived; only an event that is no request fails the
//! invocation, since a queue or a schedule that sends one would take any answer for success.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use futures_util::FutureExt as _;
use lambda_runtime::{Diagnostic, LambdaEvent};
use rowstamp_api_gateway::{EventAnswer, EventSettings, Mapped, map_request, map_response};
use rowstamp_ports::exchange::{ApiRequest, ApiResponse, RequestError, RequestErrorKind};
use serde_json::value::RawValue;

/// What stands between the mappers.
pub(crate) trait Core: Send + Sync + 'static {
    /// The answer to a request, or to one that could not be read.
    fn answer(&self, request: Result<ApiRequest, RequestError>) -> impl Future<Output = ApiResponse> + Send;

    /// The answer to a request whose own was lost to a panic.
    fn failed(&self, about: &About) -> ApiResponse;

    /// The answer in place of one that the entrance cannot carry.
    fn too_large(&self, about: &About, response: ApiResponse, limit_bytes: usize) -> ApiResponse;
}

/// What is still known of a request when its answer has gone wrong.
#[derive(Debug)]
pub(crate) struct About {
    pub(crate) request_id: String,
    pub(crate) origin: Option<String>,
    /// Whether the request could have written something.
    pub(crate) writes: bool,
}

impl About {
    fn of(request: &Result<ApiRequest, RequestError>) -> Self {
        match request {
            Ok(request) => Self {
                request_id: request.request_id().to_owned(),
                origin: request.header("origin").map(str::to_owned),
                writes: !request.method().is_safe() && !request.path().ends_with("/query"),
            },
            Err(refused) => Self {
                request_id: refused.request_id.clone(),
                origin: refused.origin.clone(),
                writes: false,
            },
        }
    }
}

/// Answers invocations; cheap to clone.
#[derive(Debug)]
pub(crate) struct Handler<C> {
    core: Arc<C>,
    settings: Arc<EventSettings>,
}

impl<C> Clone for Handler<C> {
    fn clone(&self) -> Self {
        Self {
            core: Arc::clone(&self.core),
            settings: Arc::clone(&self.settings),
        }
    }
}

impl<C: Core> Handler<C> {
    pub(crate) fn new(core: C, settings: EventSettings) -> Self {
        Self {
            core: Arc::new(core),
            settings: Arc::new(settings),
        }
    }

    /// The answer to one event.
    ///
    /// # Errors
    /// When the event is no HTTP request.
    pub(crate) async fn handle(self, event: LambdaEvent<Box<RawValue>>) -> Result<EventAnswer, Diagnostic> {
        let deadline = deadline(event.context.deadline(), SystemTime::now(), Instant::now());
        let Mapped { envelope, request } = map_request(
            event.payload.get().as_bytes(),
            &event.context.request_id,
            deadline,
            &self.settings,
        );
        // A large body must not be held twice while the database works.
        drop(event);
        if let Err(RequestError {
            kind: kind @ RequestErrorKind::UnknownEvent(_),
            ..
        }) = &request
        {
            tracing::error!(error = %kind, "the invocation was refused");
            return Err(Diagnostic {
                error_type: "Rowstamp.UnknownEvent".to_owned(),
                error_message: kind.to_string(),
            });
        }
        let about = About::of(&request);
        let answer = AssertUnwindSafe(self.core.answer(request)).catch_unwind().await;
        // The panic hook has logged what happened and where.
        let response = answer.unwrap_or_else(|_| self.core.failed(&about));
        let refused = match map_response(envelope, response) {
            Ok(answer) => return Ok(answer),
            Err(response) => response,
        };
        let limit_bytes = envelope.limit_bytes().unwrap_or(usize::MAX);
        map_response(envelope, self.core.too_large(&about, refused, limit_bytes)).map_err(|_| Diagnostic {
            error_type: "Rowstamp.ResponseTooLarge".to_owned(),
            error_message: "even the refusal was too large for the entrance".to_owned(),
        })
    }
}

/// Lambda kills the process at its deadline without a word, so the answer must be under way before: by a tenth of the time
/// that is left, at most 250 ms.
fn deadline(lambda: SystemTime, now: SystemTime, instant: Instant) -> Option<Instant> {
    let left = lambda.duration_since(now).unwrap_or_default();
    let margin = (left / 10).min(Duration::from_millis(250));
    instant.checked_add(left.saturating_sub(margin))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};
    use lambda_runtime::Context;
    use serde_json::{Value, json};

    use super::*;

    /// Answers with what the path names.
    struct Fake;

    fn plain(status: u16, body: impl Into<Bytes>) -> ApiResponse {
        ApiResponse {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: body.into(),
        }
    }

    impl Core for Fake {
        async fn answer(&self, request: Result<ApiRequest, RequestError>) -> ApiResponse {
            match request {
                Err(refused) => plain(400, refused.kind.to_string()),
                Ok(request) => match request.path() {
                    "/panic" => panic!("on purpose"),
                    "/large" => plain(200, "x".repeat(7_000_000)),
                    path => plain(200, path.to_owned()),
                },
            }
        }

        fn failed(&self, about: &About) -> ApiResponse {
            plain(500, about.request_id.clone())
        }

        fn too_large(&self, about: &About, _response: ApiResponse, limit_bytes: usize) -> ApiResponse {
            plain(if about.writes { 201 } else { 400 }, limit_bytes.to_string())
        }
    }

    async fn invoke(event: Value) -> Result<Value, Diagnostic> {
        let payload = RawValue::from_string(event.to_string()).unwrap();
        let handler = Handler::new(Fake, EventSettings::default());
        let answer = handler
            .handle(LambdaEvent::new(payload, Context::default()))
            .await?;
        Ok(serde_json::to_value(answer).unwrap())
    }

    fn event(method: &str, path: &str) -> Value {
        json!({
            "version": "2.0", "rawPath": path, "headers": {},
            "requestContext": {"requestId": "r-1", "http": {"method": method}},
        })
    }

    #[tokio::test]
    async fn a_request_is_answered_in_its_envelope() {
        let answer = invoke(event("GET", "/authors")).await.unwrap();
        assert_eq!(
            (&answer["statusCode"], &answer["body"]),
            (&json!(200), &json!("/authors"))
        );
    }

    #[tokio::test]
    async fn a_panic_is_answered_and_survived() {
        for _ in 0..2 {
            let answer = invoke(event("GET", "/panic")).await.unwrap();
            assert_eq!(
                (&answer["statusCode"], &answer["body"]),
                (&json!(500), &json!("r-1"))
            );
        }
    }

    #[tokio::test]
    async fn an_answer_that_the_entrance_cannot_carry_is_replaced() {
        for (method, status) in [("GET", 400), ("POST", 201)] {
            let answer = invoke(event(method, "/large")).await.unwrap();
            assert_eq!(
                (&answer["statusCode"], &answer["body"]),
                (&json!(status), &json!("6000000")),
                "{method}"
            );
        }
    }

    #[tokio::test]
    async fn an_event_that_is_no_request_fails_the_invocation() {
        let failed = invoke(json!({"Records": [{"eventSource": "aws:sqs"}]}))
            .await
            .unwrap_err();
        assert_eq!(failed.error_type, "Rowstamp.UnknownEvent");
        assert!(
            failed.error_message.contains("aws:sqs"),
            "{}",
            failed.error_message
        );
    }

    #[test]
    fn the_answer_is_due_before_lambda_ends_the_process() {
        let (now, instant) = (SystemTime::UNIX_EPOCH + Duration::from_hours(1), Instant::now());
        for (left_ms, due_ms) in [(30_000, 29_750), (3_000, 2_750), (1_000, 900), (0, 0)] {
            let due = deadline(now + Duration::from_millis(left_ms), now, instant).unwrap();
            assert_eq!(due - instant, Duration::from_millis(due_ms), "{left_ms}");
        }
        assert_eq!(
            deadline(SystemTime::UNIX_EPOCH, now, instant),
            Some(instant),
            "a deadline that has passed"
        );
    }
}
