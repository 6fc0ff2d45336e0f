//! Row-level security: each request under its role and with its caller's claims, and never with another's.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use rowstamp_domain::caller::{Caller, Proof};
use rowstamp_domain::operation::{Operation, Outcome, Verdict};
use rowstamp_ports::{RecordStore as _, StoreContext, StoreError};
use rowstamp_postgres::PostgresStore;
use rowstamp_tests::pgbouncer::PgBouncer;
use rowstamp_tests::tcp_proxy::TcpProxy;
use uuid::Uuid;

use crate::fixture::{Fixture, context, json, settings, text};

/// A library whose books are their creators', but for published ones, which anybody may read.
struct Guarded {
    library: Fixture,
    /// Whom the store logs in as: a role that inherits nothing.
    login_url: String,
    role: String,
}

/// A store of the guarded library, and the pooler in front of it where there is one.
struct Door {
    store: PostgresStore,
    bouncer: Option<PgBouncer>,
}

impl Guarded {
    /// Runs a test, then removes the roles, which belong to no database.
    async fn run(test: impl AsyncFnOnce(&Self)) {
        let library = Fixture::library().await;
        let name = library.database.name().to_owned();
        let (role, login) = (format!("app_{name}"), format!("login_{name}"));
        let sql = format!(
            "CREATE ROLE {role} NOLOGIN; CREATE ROLE {login} LOGIN NOINHERIT PASSWORD 'open'; GRANT {role} TO {login};
             REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO {role};
             GRANT SELECT, INSERT, UPDATE, DELETE ON books TO {role};
             ALTER TABLE books ENABLE ROW LEVEL SECURITY;
             CREATE FUNCTION caller() RETURNS text LANGUAGE sql STABLE
                 AS $$ SELECT current_setting('request.jwt.claims')::json ->> 'sub' $$;
             CREATE POLICY own ON books USING (creator_uid = caller()) WITH CHECK (creator_uid = caller());
             CREATE POLICY published ON books FOR SELECT USING (status = 'published')"
        );
        library.sql().await.batch_execute(&sql).await.unwrap();
        let config: tokio_postgres::Config = library.database.url().parse().unwrap();
        let host = match &config.get_hosts()[0] {
            tokio_postgres::config::Host::Tcp(host) => host.clone(),
            tokio_postgres::config::Host::Unix(path) => path.to_str().unwrap().replace('/', "%2F"),
        };
        let port = config.get_ports().first().copied().unwrap_or(5432);
        let guarded = Self {
            login_url: format!("postgres://{login}:open@{host}:{port}/{name}?sslmode=disable"),
            library,
            role: role.clone(),
        };
        let result = AssertUnwindSafe(test(&guarded)).catch_unwind().await;
        let sql = format!("DROP OWNED BY {role}; DROP ROLE {role}, {login}");
        guarded.library.sql().await.batch_execute(&sql).await.unwrap();
        if let Err(panic) = result {
            std::panic::resume_unwind(panic);
        }
    }

    fn store(&self, url: &str, more: &[(&str, &str)]) -> PostgresStore {
        let vars = [("DATABASE_URL", url), ("ROWSTAMP_DB_ROLE", &self.role)];
        PostgresStore::with_password(&settings(&[&vars, more].concat()))
    }

    /// Both modes; the unnamed one behind a pooler where there is one.
    fn doors(&self) -> [Door; 2] {
        let bouncer = PgBouncer::start(&self.login_url, 1);
        let url = bouncer.as_ref().map_or(self.login_url.as_str(), PgBouncer::url);
        [
            Door {
                store: self.store(&self.login_url, &[("ROWSTAMP_DB_POOL", "1")]),
                bouncer: None,
            },
            Door {
                store: self.store(url, &[("ROWSTAMP_DB_STATEMENTS", "unnamed")]),
                bouncer,
            },
        ]
    }

    fn create(&self, title: &str, creator: &str) -> (Uuid, Operation) {
        let uid = Uuid::now_v7();
        let values = [
            ("title", text(title)),
            ("status", text("draft")),
            ("creator_uid", text(creator)),
        ];
        (uid, Operation::Insert(self.library.insert("books", &values, uid)))
    }

    fn rename(&self, uid: Uuid, title: &str) -> Operation {
        Operation::Update(self.library.update(uid, &[("title", text(title))]))
    }
}

fn by(subject: &str) -> StoreContext {
    StoreContext {
        caller: Arc::new(Caller::new(subject, Proof::Token)),
        ..context()
    }
}

async fn verdict(store: &PostgresStore, operation: Operation, context: &StoreContext) -> Verdict {
    store.execute(operation, context).await.unwrap().verdict
}

#[tokio::test]
async fn a_transaction_of_somebody_who_is_gone_is_ended_in_the_server() {
    Guarded::run(async |guarded| {
        guarded
            .library
            .trigger("IF NEW.title = 'slow' THEN PERFORM pg_sleep(20); END IF;")
            .await;
        let store = guarded.store(&guarded.login_url, &[]);
        let alice = by("alice");
        let (_, known) = guarded.create("known", "alice");
        assert_eq!(verdict(&store, known, &alice).await, Verdict::Created);
        let (_, slow) = guarded.create("slow", "alice");
        let given_up = tokio::time::timeout(Duration::from_millis(300), store.execute(slow, &alice));
        assert!(given_up.await.is_err());
        guarded.library.calm_within(Duration::from_secs(6)).await;
        assert_eq!(guarded.library.count("slow").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_read_and_written_as_the_tables_policies_say() {
    Guarded::run(async |guarded| {
        for Door { store, bouncer } in guarded.doors() {
            let (alice, bob, nobody) = (by("alice"), by("bob"), context());
            // Twice, since a statement is prepared the first time.
            for round in 0..2 {
                let (uid, create) = guarded.create("one", "alice");
                let read = || Operation::Read(guarded.library.read(uid));
                assert_eq!(verdict(&store, create, &alice).await, Verdict::Created, "{round}");
                let (_, forged) = guarded.create("two", "alice");
                assert_eq!(verdict(&store, forged, &bob).await, Verdict::NotWritable);
                let (_, unowned) = guarded.create("three", "");
                assert_eq!(verdict(&store, unowned, &nobody).await, Verdict::NotWritable);

                assert_eq!(verdict(&store, read(), &alice).await, Verdict::Found);
                for stranger in [&bob, &nobody] {
                    assert_eq!(verdict(&store, read(), stranger).await, Verdict::NotFound);
                    let rename = guarded.rename(uid, "mine");
                    assert_eq!(verdict(&store, rename, stranger).await, Verdict::NotFound);
                    let delete = Operation::Delete(guarded.library.delete(uid));
                    assert_eq!(verdict(&store, delete, stranger).await, Verdict::NotFound);
                }
                let publish = guarded.library.update(uid, &[("status", text("published"))]);
                assert_eq!(
                    verdict(&store, Operation::Update(publish), &alice).await,
                    Verdict::Updated
                );
                assert_eq!(verdict(&store, read(), &nobody).await, Verdict::Found);
                let delete = Operation::Delete(guarded.library.delete(uid));
                assert_eq!(verdict(&store, delete, &alice).await, Verdict::Deleted);
            }
            drop(store);
            drop(bouncer);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_of_work_has_the_role_and_the_claims_throughout() {
    Guarded::run(async |guarded| {
        for Door { store, bouncer } in guarded.doors() {
            let (uid, create) = guarded.create("one", "alice");
            let mut unit = store.begin(&by("alice")).await.unwrap();
            assert_eq!(unit.execute(create).await.unwrap().verdict, Verdict::Created);
            let renamed = unit.execute(guarded.rename(uid, "two")).await.unwrap();
            assert_eq!(renamed.verdict, Verdict::Updated);
            unit.commit().await.unwrap();

            let mut unit = store.begin(&by("bob")).await.unwrap();
            let renamed = unit.execute(guarded.rename(uid, "three")).await.unwrap();
            assert_eq!(renamed.verdict, Verdict::NotFound);
            let (_, forged) = guarded.create("four", "alice");
            assert_eq!(
                unit.execute(forged).await.unwrap(),
                Outcome::verdict(Verdict::NotWritable)
            );
            // The database has ended the transaction, and nobody is told that it was committed.
            assert_eq!(unit.commit().await, Err(StoreError::Internal));

            // And what was left behind is nobody's.
            let nobody = Operation::Read(guarded.library.read(uid));
            assert_eq!(verdict(&store, nobody, &context()).await, Verdict::NotFound);
            drop(store);
            drop(bouncer);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_never_reach_another_request() {
    Guarded::run(async |guarded| {
        for Door { store, bouncer } in guarded.doors() {
            let mut uids = Vec::new();
            for caller in 0..6 {
                let name = format!("caller{caller}");
                let (uid, create) = guarded.create(&name, &name);
                assert_eq!(verdict(&store, create, &by(&name)).await, Verdict::Created);
                uids.push(uid);
            }
            let requests = (0..120_usize).map(|number| {
                let (store, guarded, uids) = (&store, &guarded, &uids);
                async move {
                    let name = format!("caller{}", number % 6);
                    match number % 4 {
                        // One that fails in the middle, so that its transaction is aborted.
                        0 => {
                            let (_, mut create) = guarded.create("again", &name);
                            if let Operation::Insert(insert) = &mut create {
                                insert.rows[0][0] = rowstamp_domain::value::Value::Uuid(uids[number % 6]);
                            }
                            assert!(matches!(
                                store.execute(create, &by(&name)).await,
                                Err(StoreError::Conflict(_))
                            ));
                        }
                        // One that nobody in particular sends.
                        1 => {
                            let list = Operation::List(guarded.library.list("books"));
                            let seen = store.execute(list, &context()).await.unwrap();
                            assert_eq!(json(&seen), "[]");
                        }
                        _ => {
                            let list = Operation::List(guarded.library.list("books"));
                            let seen = store.execute(list, &by(&name)).await.unwrap();
                            assert_eq!(seen.returned, 1);
                            assert!(json(&seen).contains(&format!(r#""title":"{name}""#)));
                        }
                    }
                }
            });
            join_all(requests).await;
            let sql = guarded.library.sql().await;
            sql.batch_execute("DELETE FROM books").await.unwrap();
            drop(store);
            drop(bouncer);
        }
    })
    .await;
}

// One thread, so that the driver's task writes when everything is there.
#[tokio::test]
async fn a_request_under_a_role_travels_at_once() {
    Guarded::run(async |guarded| {
        let proxy = TcpProxy::to_database(&guarded.login_url);
        for mode in ["prepared", "unnamed"] {
            let store = guarded.store(
                &proxy.url(),
                &[("ROWSTAMP_DB_POOL", "1"), ("ROWSTAMP_DB_STATEMENTS", mode)],
            );
            let (uid, create) = guarded.create("one", "alice");
            assert_eq!(verdict(&store, create, &by("alice")).await, Verdict::Created);
            let link = proxy.links().pop().unwrap();
            let mut pieces = Vec::new();
            for round in 0..4 {
                let before = link.pieces_to_server();
                let rename = guarded.rename(uid, &round.to_string());
                assert_eq!(verdict(&store, rename, &by("alice")).await, Verdict::Updated);
                pieces.push(link.pieces_to_server() - before);
            }
            assert_eq!(pieces[1..], [1, 1, 1], "{mode}: {pieces:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_cannot_be_switched_to_is_told_as_drift() {
    Guarded::run(async |guarded| {
        for role in ["no_such_role", "postgres"] {
            let store = PostgresStore::with_password(&settings(&[
                ("DATABASE_URL", &guarded.login_url),
                ("ROWSTAMP_DB_ROLE", role),
            ]));
            for _ in 0..2 {
                let (_, create) = guarded.create("one", "alice");
                assert_eq!(
                    store.execute(create, &by("alice")).await,
                    Err(StoreError::Drift),
                    "{role}"
                );
            }
        }
    })
    .await;
}
