//! What the database itself says of those who work in it.

use std::time::{Duration, Instant};

use rowstamp_local::provision::TestDatabase;
use tokio_postgres::{Client, NoTls};

pub(crate) async fn connect(database: &TestDatabase) -> Client {
    let (client, connection) = tokio_postgres::connect(database.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

pub(crate) async fn number(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.unwrap().get(0)
}

/// Waits until a query counts so many.
pub(crate) async fn until(client: &Client, count: i64, sql: &str) {
    let patience = Instant::now() + Duration::from_mins(1);
    while number(client, sql).await != count {
        assert!(Instant::now() < patience, "never {count}: {sql}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
