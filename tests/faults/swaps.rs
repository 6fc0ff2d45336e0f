//! A server that another takes the place of, and that takes its place again, while the real programs are at work.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use rowstamp_tests::postgres_server::PostgresServer;
use rowstamp_tests::tcp_proxy::{TcpProxy, Upstream};
use serde_json::json;
use tokio_postgres::SimpleQueryMessage;

use crate::fixture::store;
use crate::programs::{Kind, Program, Reply, Request, definitions};

/// How many write at the same time.
const WRITERS: usize = 6;
/// How long the work goes on between two swaps.
const BETWEEN: Duration = Duration::from_millis(500);
/// How long nobody writes while one server takes the place of the other.
const OUTAGE: Duration = Duration::from_millis(150);

/// Two servers, one of which writes, and the name that leads to it.
struct Cluster {
    servers: [PostgresServer; 2],
    proxy: TcpProxy,
    /// Even: how often a server took the other's place, twice. Odd: it is about to.
    phase: AtomicUsize,
}

impl Cluster {
    async fn start() -> Option<Self> {
        let servers = [PostgresServer::start(&[])?, PostgresServer::start(&[])?];
        for server in &servers {
            let direct = store(&server.url(), &[]);
            direct.create_missing(&definitions()).await.unwrap();
        }
        servers[1].set_read_only(true).await;
        Some(Self {
            proxy: TcpProxy::to_database(&servers[0].url()),
            servers,
            phase: AtomicUsize::new(0),
        })
    }

    fn phase(&self) -> usize {
        self.phase.load(Ordering::SeqCst)
    }

    /// Lets the other server take the place of the one that writes, and then the name lead there.
    async fn swap(&self) {
        let swap = self.phase() / 2;
        let (old, new) = (&self.servers[swap % 2], &self.servers[(swap + 1) % 2]);
        self.phase.fetch_add(1, Ordering::SeqCst);
        old.set_read_only(true).await;
        tokio::time::sleep(OUTAGE).await;
        new.set_read_only(false).await;
        self.proxy.set_upstream(Upstream::of_database(&new.url()));
        self.phase.fetch_add(1, Ordering::SeqCst);
    }

    /// How often each title is in each of the two.
    async fn titles(&self) -> BTreeMap<String, [usize; 2]> {
        let mut titles: BTreeMap<String, [usize; 2]> = BTreeMap::new();
        for (index, server) in self.servers.iter().enumerate() {
            for message in server.sql("SELECT title FROM books").await {
                if let SimpleQueryMessage::Row(row) = message {
                    let title = row.get(0).unwrap().to_owned();
                    titles.entry(title).or_default()[index] += 1;
                }
            }
        }
        titles
    }
}

/// A creation, what was answered, and the phases in which it began and ended.
struct Creation {
    title: String,
    reply: Reply,
    phases: [usize; 2],
}

/// Creates and reads books until told to stop.
async fn work(cluster: &Cluster, program: &Program, writer: usize, go_on: &AtomicBool) -> Vec<Creation> {
    let mut creations = Vec::new();
    for number in 0.. {
        if !go_on.load(Ordering::SeqCst) {
            break;
        }
        let title = format!("{writer}-{number}");
        let began = cluster.phase();
        let reply = program.send(&Request::creation(&title)).await;
        let phases = [began, cluster.phase()];
        let read = program
            .send(&Request::new("GET /books?select=title&limit=1"))
            .await;
        assert!(read.status == 200 || read.says_come_again(), "{read:?}");
        creations.push(Creation { title, reply, phases });
    }
    creations
}

/// Swaps to and fro under load. Right after each swap a request must be right, and be in the new server.
async fn swap_to_and_fro(cluster: &Cluster, program: &Program, go_on: &AtomicBool) {
    for swap in 1..=4 {
        tokio::time::sleep(BETWEEN).await;
        cluster.swap().await;
        let begun = Instant::now();
        let title = format!("first after {swap}");
        let first = program.send(&Request::creation(&title)).await;
        assert_eq!(first.status, 201, "{first:?}: {}", program.log());
        let uid = first.json()["uid"].as_str().unwrap().to_owned();
        let change = Request::new(&format!("PATCH /books/{uid}")).json(&json!({"pages": 1}));
        let changed = program.send(&change).await;
        assert_eq!(changed.status, 200, "{changed:?}: {}", program.log());
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
        let found = cluster.titles().await;
        let mut expected = [0; 2];
        expected[swap % 2] = 1;
        assert_eq!(found[&title], expected, "{title}");
    }
    tokio::time::sleep(BETWEEN).await;
    go_on.store(false, Ordering::SeqCst);
}

async fn is_followed_under_load(kind: Kind, variables: &[(&str, &str)]) {
    let Some(cluster) = Cluster::start().await else {
        return;
    };
    let own = [
        ("ROWSTAMP_DB_POOL", "4"),
        ("AWS_LAMBDA_MAX_CONCURRENCY", "7"),
        ("RUST_LOG", "error"),
    ];
    let program = Program::start(kind, &cluster.proxy.url(), &[&own, variables].concat()).await;
    let go_on = AtomicBool::new(true);
    let writers = (0..WRITERS).map(|writer| work(&cluster, &program, writer, &go_on));
    let (creations, ()) = join(join_all(writers), swap_to_and_fro(&cluster, &program, &go_on)).await;

    let titles = cluster.titles().await;
    let [mut done, mut refused, mut unknown] = [0; 3];
    for Creation { title, reply, phases } in creations.into_iter().flatten() {
        let found = titles.get(&title).copied().unwrap_or_default();
        let count: usize = found.iter().sum();
        if reply.status == 201 {
            done += 1;
            assert_eq!(count, 1, "{title} was told to be written: {found:?}");
            let [began, ended] = phases;
            if began == ended && began % 2 == 0 {
                assert_eq!(
                    found[began / 2 % 2],
                    1,
                    "{title} is where it was not to be written"
                );
            }
        } else if reply.says_come_again() {
            refused += 1;
            assert_eq!(count, 0, "{title} was told not to be written");
        } else {
            assert!(reply.is_unknown_outcome(), "{title}: {reply:?}");
            unknown += 1;
            assert!(count <= 1, "{title} was written twice");
        }
    }
    eprintln!("{kind:?}: {done} written, {refused} told to come again, {unknown} unknown");
    assert!(done > 50, "{done}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_follows_the_one_that_writes_to_and_fro() {
    is_followed_under_load(Kind::Server, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_follows_the_one_that_writes_to_and_fro() {
    is_followed_under_load(Kind::Function, &[("ROWSTAMP_DB_STATEMENTS", "unnamed")]).await;
}
