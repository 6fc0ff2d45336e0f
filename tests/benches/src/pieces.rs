//! The pieces of the way of a request that are looked at by themselves.

use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use anyhow::{Context as _, bail};
use async_trait::async_trait;
use rowstamp_api_gateway::{EventSettings, map_request, map_response};
use rowstamp_cognito::CognitoIdentity;
use rowstamp_domain::operation::{Operation, Outcome};
use rowstamp_ports::{RecordStore, StoreContext, StoreError, SystemClock, UnitOfWork, UuidV7Source, Vars};
use rowstamp_postgres::{PostgresStore, bench};
use rowstamp_rest::{Api, BuiltApi, Controller, Settings};
use tokio_postgres::types::Type;

fn api(definitions: &Path) -> anyhow::Result<BuiltApi> {
    let text = std::fs::read_to_string(definitions)?;
    let api = Api::from_toml("library.toml", &text).map_err(|mistakes| anyhow::anyhow!("{mistakes}"))?;
    api.build().map_err(|mistakes| anyhow::anyhow!("{mistakes}"))
}

fn controller(api: BuiltApi, store: Arc<dyn RecordStore>) -> Controller {
    Controller::new(
        api,
        store,
        Arc::new(CognitoIdentity::new()),
        Arc::new(SystemClock),
        Arc::new(UuidV7Source),
        Settings::default(),
    )
}

/// An event up to the operation that it asks for, and no further.
#[derive(Debug)]
pub struct Mapping {
    controller: Controller,
    asked: Asked,
}

impl Mapping {
    /// With these definitions.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn new(definitions: &Path) -> anyhow::Result<Self> {
        let asked = Asked::default();
        Ok(Self {
            controller: controller(api(definitions)?, Arc::new(asked.clone())),
            asked,
        })
    }

    /// The operation that an event asks for. Nobody carries it out; the request is given up there.
    ///
    /// # Errors
    /// When it asks for none.
    pub fn operation(&self, event: &str) -> anyhow::Result<Operation> {
        let mapped = map_request(event.as_bytes(), "bench", None, &EventSettings::default());
        let answering = pin!(self.controller.handle_measured(mapped.request));
        if let Poll::Ready(answered) = answering.poll(&mut Context::from_waker(Waker::noop())) {
            bail!("answered with {}", answered.response.status);
        }
        self.asked.take().context("nothing was asked of the store")
    }
}

/// A store that takes note of what it is asked, and never answers.
#[derive(Debug, Clone, Default)]
struct Asked(Arc<Mutex<Option<Operation>>>);

impl Asked {
    fn take(&self) -> Option<Operation> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[async_trait]
impl RecordStore for Asked {
    async fn execute(&self, operation: Operation, _: &StoreContext) -> Result<Outcome, StoreError> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(operation);
        std::future::pending().await
    }

    async fn begin(&self, _: &StoreContext) -> Result<Box<dyn UnitOfWork>, StoreError> {
        Err(StoreError::Internal)
    }

    async fn ready(&self, _: Option<Instant>) -> Result<(), StoreError> {
        Ok(())
    }
}

/// A whole request: an event to the bytes of its answer, through the database that `DATABASE_URL` names.
#[derive(Debug)]
pub struct Answering {
    controller: Controller,
    settings: EventSettings,
}

impl Answering {
    /// With these definitions.
    ///
    /// # Errors
    /// What is wrong with them or with the database.
    pub async fn new(definitions: &Path) -> anyhow::Result<Self> {
        let url = std::env::var("DATABASE_URL").context("DATABASE_URL")?;
        let mut problems = rowstamp_ports::Problems::new();
        let vars = Vars::new([
            ("DATABASE_URL".to_owned(), url),
            ("ROWSTAMP_DB_POOL".to_owned(), "1".to_owned()),
        ]);
        let settings = rowstamp_postgres::Settings::read(&vars, &mut problems);
        let settings = problems
            .into_result(settings)
            .map_err(|problems| anyhow::anyhow!("{problems}"))?;
        let store = PostgresStore::with_password(&settings);
        store.warm_up().await?;
        Ok(Self {
            controller: controller(api(definitions)?, Arc::new(store)),
            settings: EventSettings::default(),
        })
    }

    /// The answer to an event, as it is posted.
    ///
    /// # Errors
    /// When it is too large.
    pub async fn answer(&self, event: &str) -> anyhow::Result<Vec<u8>> {
        let mapped = map_request(event.as_bytes(), "bench", None, &self.settings);
        let answered = self.controller.handle_measured(mapped.request).await;
        match map_response(mapped.envelope, answered.response) {
            Ok(answer) => Ok(serde_json::to_vec(&answer)?),
            Err(response) => bail!("an answer of {} bytes", response.body.len()),
        }
    }
}

/// A row of the table, as it comes from the database.
#[derive(Debug)]
pub struct Row {
    rows: bench::Rows,
    columns: Vec<Option<Vec<u8>>>,
}

impl Row {
    /// With these definitions.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn new(definitions: &Path) -> anyhow::Result<Self> {
        let operation =
            Mapping::new(definitions)?.operation(&crate::asked::Asked::named("list-25")?.event())?;
        let text = |text: &str| Some(text.as_bytes().to_vec());
        let columns = vec![
            (Type::UUID, Some(vec![0x5a; 16])),
            (Type::TEXT, text("The \"7\" book of many words many words ")),
            (Type::TEXT, text("0000000000007")),
            (Type::INT4, Some(321_i32.to_be_bytes().to_vec())),
            // 123.45: two groups of four digits, the first before the point.
            (
                Type::NUMERIC,
                Some(vec![0, 2, 0, 0, 0, 0, 0, 2, 0, 123, 0x11, 0x94]),
            ),
            (Type::DATE, Some(9_000_i32.to_be_bytes().to_vec())),
            (Type::TEXT, text("published")),
            (
                Type::TIMESTAMPTZ,
                Some(848_686_367_492_812_i64.to_be_bytes().to_vec()),
            ),
            (
                Type::TIMESTAMPTZ,
                Some(848_686_368_492_812_i64.to_be_bytes().to_vec()),
            ),
            (Type::TEXT, text("0198c0de-0000-4000-8000-000000000001")),
            (Type::TEXT, None),
        ];
        let (types, columns): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        Ok(Self {
            rows: bench::Rows::of(&operation, &types),
            columns,
        })
    }

    /// Appends it as JSON.
    pub fn write(&self, out: &mut bench::Answer) {
        let columns: [Option<&[u8]>; 11] = std::array::from_fn(|at| self.columns[at].as_deref());
        self.rows.write(&columns, out);
    }
}
