//! A store with a span around each of its calls (OpenTelemetry's semantic conventions for clients of databases).
//!
//! It says which kind of operation on which resource, how many rows, and how it failed. Statements, values and filters never come here.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use opentelemetry::context::FutureExt as _;
use opentelemetry::trace::{SpanKind, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SdkTracer;
use rowstamp_domain::operation::{Operation, Outcome};
use rowstamp_ports::{RecordStore, StoreContext, StoreError, UnitOfWork};

/// A store whose calls have spans below that of the request they are made for.
pub(crate) struct Traced {
    pub(crate) store: Arc<dyn RecordStore>,
    pub(crate) tracer: SdkTracer,
}

#[async_trait]
impl RecordStore for Traced {
    async fn execute(&self, operation: Operation, context: &StoreContext) -> Result<Outcome, StoreError> {
        let span = Call::of_operation(&self.tracer, &operation);
        let work = self.store.execute(operation, context);
        let Some(span) = span else { return work.await };
        let result = work.with_context(span.0.clone()).await;
        span.end_with_rows(&result);
        result
    }

    async fn begin(&self, context: &StoreContext) -> Result<Box<dyn UnitOfWork>, StoreError> {
        let span = Call::of(&self.tracer, "BEGIN", None);
        let work = self.store.begin(context);
        let Some(span) = span else { return work.await };
        let result = work.with_context(span.0.clone()).await;
        span.end(result.as_ref().err());
        Ok(Box::new(TracedUnit {
            unit: result?,
            tracer: self.tracer.clone(),
        }))
    }

    /// The question of a health check is nobody's request.
    async fn ready(&self, deadline: Option<Instant>) -> Result<(), StoreError> {
        self.store.ready(deadline).await
    }
}

struct TracedUnit {
    unit: Box<dyn UnitOfWork>,
    tracer: SdkTracer,
}

#[async_trait]
impl UnitOfWork for TracedUnit {
    async fn execute(&mut self, operation: Operation) -> Result<Outcome, StoreError> {
        let span = Call::of_operation(&self.tracer, &operation);
        let work = self.unit.execute(operation);
        let Some(span) = span else { return work.await };
        let result = work.with_context(span.0.clone()).await;
        span.end_with_rows(&result);
        result
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        let span = Call::of(&self.tracer, "COMMIT", None);
        let work = self.unit.commit();
        let Some(span) = span else { return work.await };
        let result = work.with_context(span.0.clone()).await;
        span.end(result.as_ref().err());
        result
    }

    async fn rollback(self: Box<Self>) -> Result<(), StoreError> {
        let span = Call::of(&self.tracer, "ROLLBACK", None);
        let work = self.unit.rollback();
        let Some(span) = span else { return work.await };
        let result = work.with_context(span.0.clone()).await;
        span.end(result.as_ref().err());
        result
    }
}

/// The span of one call.
struct Call(Context);

impl Call {
    fn of_operation(tracer: &SdkTracer, operation: &Operation) -> Option<Self> {
        Self::of(tracer, verb(operation), Some(operation))
    }

    /// None where no request is recorded: then nothing is made at all.
    fn of(tracer: &SdkTracer, verb: &'static str, operation: Option<&Operation>) -> Option<Self> {
        let parent = Context::current();
        if !parent.span().span_context().is_sampled() {
            return None;
        }
        let mut attributes = vec![
            KeyValue::new("db.system.name", "postgresql"),
            KeyValue::new("db.operation.name", verb),
        ];
        let builder = match operation {
            Some(operation) => {
                let resource = operation.resource().name.as_str();
                attributes.push(KeyValue::new("db.collection.name", resource.to_owned()));
                tracer.span_builder(format!("{verb} {resource}"))
            }
            None => tracer.span_builder(verb),
        };
        let span = builder
            .with_kind(SpanKind::Client)
            .with_attributes(attributes)
            .start_with_context(tracer, &parent);
        Some(Self(parent.with_span(span)))
    }

    fn end_with_rows(self, result: &Result<Outcome, StoreError>) {
        if let Ok(outcome) = result {
            let rows = i64::try_from(outcome.returned).unwrap_or(i64::MAX);
            self.0
                .span()
                .set_attribute(KeyValue::new("db.response.returned_rows", rows));
        }
        self.end(result.as_ref().err());
    }

    fn end(self, error: Option<&StoreError>) {
        let span = self.0.span();
        if let Some(error) = error {
            span.set_attribute(KeyValue::new("error.type", kind(error)));
            span.set_status(Status::error(""));
        }
        span.end();
    }
}

/// What SQL calls it, more or less: an operation may be a statement of several parts.
const fn verb(operation: &Operation) -> &'static str {
    match operation {
        Operation::Read(_) | Operation::List(_) => "SELECT",
        Operation::Insert(_) => "INSERT",
        Operation::Replace(_) => "UPSERT",
        Operation::Update(_) | Operation::UpdateMany(_) => "UPDATE",
        Operation::Delete(_) | Operation::DeleteMany(_) => "DELETE",
    }
}

const fn kind(error: &StoreError) -> &'static str {
    match error {
        StoreError::Conflict(_) => "conflict",
        StoreError::Invalid(_) => "invalid",
        StoreError::InvalidQuery(_) => "invalid_query",
        StoreError::Unavailable => "unavailable",
        StoreError::DeadlineExceeded => "deadline_exceeded",
        StoreError::OutcomeUnknown => "outcome_unknown",
        StoreError::Drift => "drift",
        StoreError::Internal => "internal",
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    use std::time::SystemTime;

    use http::{Method, StatusCode};
    use opentelemetry::trace::TracerProvider as _;
    use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, SpanData};
    use rowstamp_domain::caller::{Caller, Proof};
    use rowstamp_domain::definition::toml;
    use rowstamp_domain::operation::{Read, Representation, Verdict};
    use rowstamp_domain::query::{Condition, Select};
    use rowstamp_ports::Meter;

    use super::*;
    use crate::buffer::Buffer;
    use crate::parent::Propagators;
    use crate::request::{RequestSpan, Started, Told};

    /// Says the same to whatever it is told to do.
    #[derive(Clone)]
    struct Saying(Result<Outcome, StoreError>);

    #[async_trait]
    impl RecordStore for Saying {
        async fn execute(&self, _: Operation, _: &StoreContext) -> Result<Outcome, StoreError> {
            self.0.clone()
        }

        async fn begin(&self, _: &StoreContext) -> Result<Box<dyn UnitOfWork>, StoreError> {
            Ok(Box::new(self.clone()))
        }

        async fn ready(&self, _: Option<Instant>) -> Result<(), StoreError> {
            Ok(())
        }
    }

    #[async_trait]
    impl UnitOfWork for Saying {
        async fn execute(&mut self, _: Operation) -> Result<Outcome, StoreError> {
            self.0.clone()
        }

        async fn commit(self: Box<Self>) -> Result<(), StoreError> {
            self.0.map(drop)
        }

        async fn rollback(self: Box<Self>) -> Result<(), StoreError> {
            self.0.map(drop)
        }
    }

    /// A request whose work is done by a store that says this, and the spans that are sent of it.
    async fn spans(
        sampler: Sampler,
        says: Result<Outcome, StoreError>,
        work: impl AsyncFnOnce(&dyn RecordStore, Operation, &StoreContext),
    ) -> Vec<SpanData> {
        let buffer = Buffer::default();
        let provider = SdkTracerProvider::builder()
            .with_sampler(sampler)
            .with_span_processor(buffer.clone())
            .build();
        let tracer = provider.tracer("test");
        let store = Traced {
            store: Arc::new(Saying(says)),
            tracer: tracer.clone(),
        };
        let text = "[api]\ntitle = \"Library\"\nversion = \"1\"\n[resources.books.fields]\ntitle = { type = \"text\" }\n";
        let api = toml::parse("library.toml", text).unwrap();
        let read = Read {
            resource: Arc::clone(&api.resources[0]),
            uid: uuid::Uuid::from_u128(0x1234),
            visible: Condition::Always,
            select: Select([].into()),
            representation: Representation::JsonObject,
        };
        let context = StoreContext {
            deadline: None,
            caller: Arc::new(Caller::new("ana", Proof::Token)),
            room: None,
            meter: Arc::<Meter>::default(),
        };
        let request = Started {
            at: SystemTime::now(),
            method: Some(&Method::GET),
            headers: None,
            invocation: None,
        };
        let span = RequestSpan::begin(&tracer, Propagators::None, request);
        span.around(work(&store, Operation::Read(read), &context)).await;
        span.end(Told {
            operation: "read",
            resource_path: Some("books"),
            status: StatusCode::OK,
            code: None,
        });
        buffer.take()
    }

    /// Name, kind and attributes, as they print.
    fn told(span: &SpanData) -> (String, SpanKind, Vec<String>) {
        let attributes = span.attributes.iter();
        (
            span.name.to_string(),
            span.span_kind.clone(),
            attributes
                .map(|attribute| format!("{}={}", attribute.key, attribute.value))
                .collect(),
        )
    }

    async fn execute(store: &dyn RecordStore, operation: Operation, context: &StoreContext) {
        let _ = store.execute(operation, context).await;
    }

    #[tokio::test]
    async fn a_call_is_a_span_below_that_of_its_request() {
        let mut outcome = Outcome::verdict(Verdict::Found);
        outcome.returned = 1;
        let spans = spans(Sampler::AlwaysOn, Ok(outcome), execute).await;
        let [call, request] = spans.as_slice() else {
            panic!("two spans: {spans:?}")
        };
        assert_eq!(call.parent_span_id, request.span_context.span_id());
        assert_eq!(call.span_context.trace_id(), request.span_context.trace_id());
        assert_eq!(
            told(call),
            (
                "SELECT books".to_owned(),
                SpanKind::Client,
                [
                    "db.system.name=postgresql",
                    "db.operation.name=SELECT",
                    "db.collection.name=books",
                    "db.response.returned_rows=1",
                ]
                .map(str::to_owned)
                .to_vec(),
            )
        );
        assert_eq!(
            told(request),
            (
                "GET /books/{uid}".to_owned(),
                SpanKind::Server,
                [
                    "http.request.method=GET",
                    "http.route=/books/{uid}",
                    "http.response.status_code=200",
                ]
                .map(str::to_owned)
                .to_vec(),
            )
        );
    }

    #[tokio::test]
    async fn a_failure_has_a_kind_and_no_words() {
        for (error, kind) in [
            (StoreError::Unavailable, "error.type=unavailable"),
            (StoreError::OutcomeUnknown, "error.type=outcome_unknown"),
            (StoreError::Invalid(Vec::new()), "error.type=invalid"),
        ] {
            let spans = spans(Sampler::AlwaysOn, Err(error), execute).await;
            assert_eq!(spans[0].status, Status::error(""));
            assert!(told(&spans[0]).2.contains(&kind.to_owned()), "{spans:?}");
        }
    }

    #[tokio::test]
    async fn a_unit_of_work_has_a_span_for_each_step() {
        let committed = spans(
            Sampler::AlwaysOn,
            Ok(Outcome::verdict(Verdict::Found)),
            async |store: &dyn RecordStore, operation, context: &StoreContext| {
                let mut unit = store.begin(context).await.unwrap();
                unit.execute(operation).await.unwrap();
                unit.commit().await.unwrap();
                store.begin(context).await.unwrap().rollback().await.unwrap();
            },
        )
        .await;
        let names: Vec<&str> = committed.iter().map(|span| &*span.name).collect();
        assert_eq!(
            names,
            [
                "BEGIN",
                "SELECT books",
                "COMMIT",
                "BEGIN",
                "ROLLBACK",
                "GET /books/{uid}"
            ]
        );
        let request = committed[5].span_context.span_id();
        assert!(committed[..5].iter().all(|span| span.parent_span_id == request));
    }

    #[tokio::test]
    async fn what_is_not_sampled_has_no_spans_at_all() {
        let spans = spans(Sampler::AlwaysOff, Ok(Outcome::verdict(Verdict::Found)), execute).await;
        assert!(spans.is_empty(), "{spans:?}");
    }
}
