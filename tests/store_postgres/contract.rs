//! The contract of every store, clause by clause.

use std::sync::Arc;

use async_trait::async_trait;
use rowstamp_domain::definition::ApiDefinition;
use rowstamp_local::provision::TestDatabase;
use rowstamp_ports::RecordStore;
use rowstamp_postgres::{PostgresStore, Settings};
use rowstamp_tests::contract::StoreFactory;
use rowstamp_tests::store_contract;

/// A store whose tables it made itself, in a database that lasts as long as the test.
pub(crate) struct Postgres {
    store: Arc<PostgresStore>,
    _database: TestDatabase,
}

#[async_trait]
impl StoreFactory for Postgres {
    async fn open(api: Arc<ApiDefinition>) -> Self {
        let database = tokio::task::spawn_blocking(TestDatabase::create).await.unwrap();
        let settings = Settings::from_url(database.url()).unwrap();
        let store = PostgresStore::with_password(&settings);
        store.create_missing(&api).await.unwrap();
        Self {
            store: Arc::new(store),
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

store_contract!(Postgres);
