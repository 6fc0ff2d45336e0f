//! Unnamed statements, through a transaction pooler and without: nothing is left in a session that somebody else gets.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use rowstamp_domain::definition::ApiDefinition;
use rowstamp_domain::operation::Operation;
use rowstamp_local::provision::TestDatabase;
use rowstamp_ports::{RecordStore, StoreContext};
use rowstamp_postgres::{PostgresStore, SchemaError, Settings};
use rowstamp_tests::contract::StoreFactory;
use rowstamp_tests::pgbouncer::PgBouncer;
use rowstamp_tests::store_contract;

use crate::fixture::{Fixture, context, settings};

/// A store behind a pooler with few server connections; without a pooler on this machine, a store in the same mode without one.
pub(crate) struct Pooled {
    store: Arc<PostgresStore>,
    /// Ended before the database is dropped.
    _bouncer: Option<PgBouncer>,
    _database: TestDatabase,
}

pub(crate) fn unnamed(url: &str) -> PostgresStore {
    PostgresStore::with_password(&settings(&[
        ("DATABASE_URL", url),
        ("ROWSTAMP_DB_STATEMENTS", "unnamed"),
    ]))
}

#[async_trait]
impl StoreFactory for Pooled {
    async fn open(api: Arc<ApiDefinition>) -> Self {
        let database = tokio::task::spawn_blocking(TestDatabase::create).await.unwrap();
        let direct = PostgresStore::with_password(&Settings::from_url(database.url()).unwrap());
        direct.create_missing(&api).await.unwrap();
        let bouncer = PgBouncer::start(database.url(), 2);
        let url = bouncer.as_ref().map_or(database.url(), PgBouncer::url);
        Self {
            store: Arc::new(unnamed(url)),
            _bouncer: bouncer,
            _database: database,
        }
    }

    fn store(&self) -> Arc<dyn RecordStore> {
        Arc::clone(&self.store) as Arc<dyn RecordStore>
    }

    async fn close(self) {
        tokio::task::spawn_blocking(move || drop(self)).await.unwrap();
    }
}

store_contract!(Pooled);

/// Everything that a session could have kept.
const LEFT: &str = "SELECT (SELECT count(*) FROM pg_prepared_statements), current_setting('statement_timeout'), \
                    current_setting('idle_in_transaction_session_timeout'), current_setting('TimeZone'), current_user, \
                    coalesce(current_setting('request.jwt.claims', true), '')";

async fn left(client: &tokio_postgres::Client) -> Vec<String> {
    let messages = client.simple_query(LEFT).await.unwrap();
    let row = messages
        .iter()
        .find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        })
        .unwrap();
    (0..row.len())
        .map(|column| row.get(column).unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test]
async fn nothing_is_left_in_a_session_that_others_get() {
    let library = Fixture::library().await;
    // One server connection, so that whoever asks gets the very session that the store worked in.
    let Some(bouncer) = PgBouncer::start(library.database.url(), 1) else {
        return;
    };
    let (client, connection) = tokio_postgres::connect(bouncer.url(), tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let before = left(&client).await;

    let store = unnamed(bouncer.url());
    let uid = uuid::Uuid::now_v7();
    let insert = library.insert(
        "books",
        &[
            ("title", crate::fixture::text("a")),
            ("status", crate::fixture::text("draft")),
        ],
        uid,
    );
    store
        .execute(Operation::Insert(insert), &context())
        .await
        .unwrap();
    let soon = StoreContext {
        deadline: Some(std::time::Instant::now() + Duration::from_secs(20)),
        ..context()
    };
    for committed in [true, false] {
        let mut unit = store.begin(&soon).await.unwrap();
        unit.execute(Operation::Update(
            library.update(uid, &[("title", crate::fixture::text("b"))]),
        ))
        .await
        .unwrap();
        if committed {
            unit.commit().await.unwrap();
        } else {
            unit.rollback().await.unwrap();
        }
    }
    store.ready(None).await.unwrap();
    assert_eq!(left(&client).await, before);
    drop((client, store));
    tokio::task::spawn_blocking(move || drop(bouncer)).await.unwrap();
}

#[tokio::test]
async fn tables_are_not_touched_through_a_pooler() {
    let library = Fixture::library().await;
    let store = unnamed(library.database.url());
    assert_eq!(store.create_missing(&library.api).await, Err(SchemaError::Pooled));
    assert_eq!(store.missing(&library.api).await, Err(SchemaError::Pooled));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_callers_share_few_server_connections() {
    let library = Fixture::library().await;
    let Some(bouncer) = PgBouncer::start(library.database.url(), 2) else {
        return;
    };
    let uids = join_all((0..20).map(|number| library.book_titled(number))).await;
    let store = unnamed(bouncer.url());
    let context = context();
    for _ in 0..5 {
        let reads = uids
            .iter()
            .map(|uid| store.execute(Operation::Read(library.read(*uid)), &context));
        for (number, outcome) in join_all(reads).await.into_iter().enumerate() {
            let outcome = outcome.unwrap();
            let expected = format!(r#""title":"{number}""#);
            assert!(crate::fixture::json(&outcome).contains(&expected));
        }
    }
}
