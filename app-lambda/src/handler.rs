//! One invocation: the event through the Request Mapper, the core and the Response Mapper.
//!
//! It knows no resource and no database, and refuses nothing that is a request: the core answers what fails or panics. Only an
//! event that is no request fails the invocation, since a queue or a schedule that sends one would take any answer
//! for success.

use std::time::{Duration, Instant, SystemTime};

use lambda_runtime::{Diagnostic, LambdaEvent};
use rowstamp_api_gateway::{EventAnswer, EventSettings, Mapped, map_request, map_response};
use rowstamp_ports::exchange::{ApiRequest, ApiResponse, RequestError, RequestErrorKind};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::maintenance::Report;

/// What an invocation is answered with.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Answer {
    /// To a request.
    Event(EventAnswer),
    /// To a command.
    Report(Report),
}

/// The answer to one event, with `core` between the mappers. What is no request may be one of `commands`.
///
/// # Errors
/// When the event is neither a request nor a command, the command failed, or the entrance cannot carry the answer, which the core sees to.
pub(crate) async fn handle(
    event: LambdaEvent<Box<RawValue>>,
    settings: &EventSettings,
    core: impl AsyncFnOnce(Result<ApiRequest, RequestError>) -> ApiResponse,
    commands: impl AsyncFnOnce(&str) -> Option<Result<Report, Diagnostic>>,
) -> Result<Answer, Diagnostic> {
    let deadline = deadline(event.context.deadline(), SystemTime::now(), Instant::now());
    let Mapped { envelope, request } = map_request(
        event.payload.get().as_bytes(),
        &event.context.request_id,
        deadline,
        settings,
    );
    if let Err(refused) = &request
        && matches!(refused.kind, RequestErrorKind::UnknownEvent(_))
    {
        return match commands(event.payload.get()).await {
            Some(done) => done.map(Answer::Report),
            None => Err(failure("Rowstamp.UnknownEvent", refused.kind.to_string())),
        };
    }
    // A large body must not be held twice while the database works.
    drop(event);
    let answered = map_response(envelope, core(request).await);
    answered.map(Answer::Event).map_err(|response| {
        failure(
            "Rowstamp.ResponseTooLarge",
            format!(
                "an answer of {} bytes is too large for the entrance",
                response.body.len()
            ),
        )
    })
}

/// The runtime logs it when it reports it.
fn failure(error_type: &str, error_message: String) -> Diagnostic {
    Diagnostic {
        error_type: error_type.to_owned(),
        error_message,
    }
}

/// Lambda kills the process at its deadline without a word, so the answer must be under way before: by 250 ms, or half of the time that is
/// left where that is less. The store takes some of it to hear whether what it cancelled was written. A deadline that passed a day ago or more is none: some emulators send a duration instead.
fn deadline(lambda: SystemTime, now: SystemTime, instant: Instant) -> Option<Instant> {
    let left = match lambda.duration_since(now) {
        Ok(left) => left,
        Err(past) if past.duration() >= Duration::from_hours(24) => return None,
        Err(_) => Duration::ZERO,
    };
    let margin = (left / 2).min(Duration::from_millis(250));
    instant.checked_add(left.saturating_sub(margin))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    use http::{HeaderMap, StatusCode};
    use lambda_runtime::Context;
    use serde_json::{Value, json};

    use super::*;

    /// Answers with the path, or with as many bytes as it says.
    async fn core(request: Result<ApiRequest, RequestError>) -> ApiResponse {
        let (status, body) = match request {
            Err(refused) => (StatusCode::BAD_REQUEST, refused.kind.to_string()),
            Ok(request) => match request.path().trim_start_matches('/').parse() {
                Ok(length) => (StatusCode::OK, "x".repeat(length)),
                Err(_) => (StatusCode::OK, request.path().to_owned()),
            },
        };
        ApiResponse {
            status,
            headers: HeaderMap::new(),
            body: body.into(),
        }
    }

    async fn invoke(event: Value) -> Result<Value, Diagnostic> {
        let payload = RawValue::from_string(event.to_string()).unwrap();
        let event = LambdaEvent::new(payload, Context::default());
        let answer = handle(event, &EventSettings::default(), core, async |_: &str| None).await?;
        Ok(serde_json::to_value(answer).unwrap())
    }

    fn event(path: &str, body: &str) -> Value {
        json!({
            "version": "2.0", "rawPath": path, "headers": {}, "body": body, "isBase64Encoded": true,
            "requestContext": {"requestId": "r-1", "http": {"method": "POST"}},
        })
    }

    #[tokio::test]
    async fn a_request_and_a_refusal_are_answered_in_the_events_envelope() {
        for (body, status, answered) in [
            ("", 200, "/authors"),
            ("not base64", 400, "the body is not valid base64"),
        ] {
            let answer = invoke(event("/authors", body)).await.unwrap();
            assert_eq!(
                (&answer["statusCode"], &answer["body"]),
                (&json!(status), &json!(answered))
            );
        }
    }

    #[tokio::test]
    async fn what_the_entrance_cannot_carry_fails_the_invocation() {
        let failed = invoke(event("/7000000", "")).await.unwrap_err();
        assert_eq!(failed.error_type, "Rowstamp.ResponseTooLarge");
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
        let (now, instant) = (SystemTime::UNIX_EPOCH + Duration::from_hours(48), Instant::now());
        for (left_ms, due_ms) in [(30_000, 29_750), (3_000, 2_750), (1_000, 750), (300, 150), (0, 0)] {
            let due = deadline(now + Duration::from_millis(left_ms), now, instant).unwrap();
            assert_eq!(due - instant, Duration::from_millis(due_ms), "{left_ms}");
        }
        assert_eq!(
            deadline(now - Duration::from_secs(1), now, instant),
            Some(instant),
            "a deadline that has passed"
        );
        assert_eq!(
            deadline(SystemTime::UNIX_EPOCH + Duration::from_mins(10), now, instant),
            None,
            "a duration in place of a deadline"
        );
    }
}
