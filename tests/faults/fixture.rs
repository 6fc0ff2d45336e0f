//! The library of the store's tests, and what faults need beside it.

#[expect(dead_code, reason = "not every operation is at fault")]
#[path = "../store_postgres/fixture.rs"]
mod library;

pub(crate) use library::{Fixture, context, json, text};

use std::time::{Duration, Instant};

use rowstamp_domain::operation::{Insert, Operation};
use rowstamp_ports::{Problems, StoreContext, Vars};
use rowstamp_postgres::{PostgresStore, Settings};
use rowstamp_tests::tcp_proxy::TcpProxy;
use uuid::Uuid;

/// Settings from variables, as an application reads them.
pub(crate) fn settings(pairs: &[(&str, &str)]) -> Settings {
    let vars = Vars::new(
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    let mut problems = Problems::new();
    let settings = Settings::read(&vars, &mut problems);
    problems.into_result(settings).unwrap()
}

/// A context whose deadline is in so many milliseconds.
pub(crate) fn within(milliseconds: u64) -> StoreContext {
    StoreContext {
        deadline: Some(Instant::now() + Duration::from_millis(milliseconds)),
        ..context()
    }
}

/// A store on this database with these settings beside.
pub(crate) fn store(url: &str, more: &[(&str, &str)]) -> PostgresStore {
    PostgresStore::with_password(&settings(&[&[("DATABASE_URL", url)], more].concat()))
}

/// Does this before each insert and update of books.
pub(crate) async fn trigger(sql: &tokio_postgres::Client, body: &str) {
    let trigger = format!(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NEW; END $$;
         CREATE TRIGGER fail BEFORE INSERT OR UPDATE ON books FOR EACH ROW EXECUTE FUNCTION fail()"
    );
    sql.batch_execute(&trigger).await.unwrap();
}

/// Waits until no session of Rowstamp does anything or has a transaction open in the database of this connection.
///
/// # Panics
/// When that takes longer than it may.
pub(crate) async fn calm_within(sql: &tokio_postgres::Client, limit: Duration) {
    let busy = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'rowstamp' \
                AND datname = current_database() AND state <> 'idle'";
    let begun = Instant::now();
    loop {
        let busy: i64 = sql.query_one(busy, &[]).await.unwrap().get(0);
        if busy == 0 {
            return;
        }
        assert!(begun.elapsed() < limit, "{busy} sessions are at work");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

impl Fixture {
    /// A proxy before the library's server.
    pub(crate) fn proxy(&self) -> TcpProxy {
        TcpProxy::to_database(self.database.url())
    }

    /// The creation of a book, and its uid.
    pub(crate) fn creation(&self, title: &str) -> (Uuid, Operation) {
        let (uid, insert) = self.insertion(title);
        (uid, Operation::Insert(insert))
    }

    pub(crate) fn insertion(&self, title: &str) -> (Uuid, Insert) {
        let uid = Uuid::now_v7();
        let values = [("title", text(title)), ("status", text("draft"))];
        (uid, self.insert("books", &values, uid))
    }

    pub(crate) fn reading(&self, uid: Uuid) -> Operation {
        Operation::Read(self.read(uid))
    }

    /// How many books have this title, whatever the store thinks.
    pub(crate) async fn count(&self, title: &str) -> i64 {
        let sql = "SELECT count(*) FROM books WHERE title = $1";
        self.sql().await.query_one(sql, &[&title]).await.unwrap().get(0)
    }

    /// Does this before each insert and update of books.
    pub(crate) async fn trigger(&self, body: &str) {
        trigger(&self.sql().await, body).await;
    }

    /// Waits until no session of the store does anything or has a transaction open.
    pub(crate) async fn calm_within(&self, limit: Duration) {
        calm_within(&self.sql().await, limit).await;
    }

    /// A new book whose title is a number.
    pub(crate) async fn book_titled(&self, number: usize) -> Uuid {
        self.book(&number.to_string()).await
    }
}
