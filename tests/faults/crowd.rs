//! More environments than the server has room for, each a process of its own.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rowstamp_tests::postgres_server::PostgresServer;
use rowstamp_tests::runtime_api_function::Function;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio_postgres::SimpleQueryMessage;

use crate::fixture::store;
use crate::programs::{Kind, Program, Reply, Request, definitions};

const ENVIRONMENTS: usize = 200;
/// How many of them stay when the others are ended: fewer than there is room for.
const STAY: usize = 30;
/// How many are started at the same time.
const WAVE: usize = 20;

/// What became of one environment's requests.
#[derive(Default)]
struct Told {
    created: Vec<String>,
    /// Those whose creation was refused for now.
    refused: Vec<String>,
    answered: usize,
}

impl Told {
    fn note(&mut self, title: Option<String>, reply: &Reply) {
        match (reply.status, title) {
            (201, Some(title)) => self.created.push(title),
            (200, None) => self.answered += 1,
            (503, title) if reply.says_come_again() => self.refused.extend(title),
            _ => panic!("{reply:?}"),
        }
    }
}

/// Writes and reads, one after the other.
async fn requests(environment: &Program, number: usize) -> Told {
    let mut told = Told::default();
    for request in 0..2 {
        let title = format!("{number}-{request}");
        let created = environment.send(&Request::creation(&title)).await;
        let selected = format!("/books?title=eq.{title}&select=title");
        let read = environment.send(&Request::new(&format!("GET {selected}"))).await;
        if (created.status, read.status) == (201, 200) {
            assert_eq!(read.body, format!(r#"[{{"title":"{title}"}}]"#));
        }
        let body = serde_json::json!({"pages": request});
        let changed = Request::new(&format!("PATCH {selected}")).header("prefer", "return=representation");
        let changed = environment.send(&changed.json(&body)).await;
        told.note(Some(title), &created);
        told.note(None, &read);
        told.note(None, &changed);
    }
    told
}

/// The first column of what a query finds.
async fn column(server: &PostgresServer, sql: &str) -> Vec<String> {
    let messages = server.sql(sql).await;
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
        _ => None,
    });
    rows.collect()
}

/// Waits until the environments have at most so many connections.
async fn connections_fall_to(server: &PostgresServer, most: usize) {
    let sql = "SELECT pid FROM pg_stat_activity WHERE usename = 'app'";
    let begun = Instant::now();
    loop {
        let connections = column(server, sql).await.len();
        if connections <= most {
            return;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "{connections} connections stay"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Ends environments as Lambda does.
async fn end(environments: Vec<Program>) {
    join_all(environments.into_iter().map(async |mut environment| {
        let function = function(&mut environment);
        function.terminate();
        let status = function.ended().await;
        assert!(status.success(), "{status}: {}", function.log());
    }))
    .await;
}

/// Each environment takes some descriptors of this process, and many systems give a thousand unless they are asked.
fn make_room_for_descriptors() {
    let wanted = 4_096;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < wanted) {
        let current = Some(limit.maximum.map_or(wanted, |most| most.min(wanted)));
        setrlimit(Resource::Nofile, Rlimit { current, ..limit }).unwrap();
    }
}

fn function(environment: &mut Program) -> &mut Function {
    match environment {
        Program::Function(function) => function,
        Program::Server(..) => unreachable!("all of them are functions"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_environments_at_a_server_for_fifty_are_answered_or_told_to_come_again() {
    let Some(server) = PostgresServer::start(&[("max_connections", "50")]) else {
        return;
    };
    make_room_for_descriptors();
    let admin = store(&server.url(), &[]);
    admin.create_missing(&definitions()).await.unwrap();
    drop(admin);
    // The places of superusers stay free for whoever looks.
    server
        .sql("CREATE ROLE app LOGIN; GRANT SELECT, INSERT, UPDATE ON books TO app")
        .await;
    let url = server.url().replace("postgres@", "app@");

    let begun = Instant::now();
    let mut environments = Vec::new();
    for _ in 0..ENVIRONMENTS / WAVE {
        let started = (0..WAVE).map(async |_| {
            let mut environment = Program::start(Kind::Function, &url, &[("RUST_LOG", "error")]).await;
            function(&mut environment)
                .initialised(Duration::from_secs(30))
                .await;
            environment
        });
        environments.extend(join_all(started).await);
    }
    let (started, begun) = (begun.elapsed(), Instant::now());
    let told = environments.iter().enumerate();
    let told = join_all(told.map(|(number, environment)| requests(environment, number))).await;
    let served = told.iter().filter(|told| told.answered > 0).count();
    let sent_away = told.iter().filter(|told| !told.refused.is_empty()).count();
    eprintln!(
        "{ENVIRONMENTS} started in {started:?}, then {:?}: {served} were served, {sent_away} told to come again",
        begun.elapsed()
    );
    assert!(served >= 40 && sent_away >= 100, "{served} and {sent_away}");
    for environment in &mut environments {
        assert!(
            function(environment).is_running(),
            "all of them are there at once"
        );
    }

    // What was told to be written is there once, and nothing else is.
    let mut written: BTreeMap<String, usize> = BTreeMap::new();
    for title in column(&server, "SELECT title FROM books").await {
        *written.entry(title).or_default() += 1;
    }
    for title in told.iter().flat_map(|told| &told.created) {
        assert_eq!(written.remove(title), Some(1), "{title}");
    }
    assert_eq!(written, BTreeMap::new(), "these were told not to be written");

    // Most of them go; those that stay had a connection or had none.
    let mut staying = Vec::new();
    let mut leaving = Vec::new();
    for (number, environment) in environments.into_iter().enumerate() {
        if number % (ENVIRONMENTS / STAY) == 0 && staying.len() < STAY {
            staying.push(environment);
        } else {
            leaving.push(environment);
        }
    }
    end(leaving).await;
    connections_fall_to(&server, STAY).await;
    for round in 0..3 {
        let replies = staying.iter().enumerate().map(async |(number, environment)| {
            let title = format!("calm-{number}-{round}");
            let created = environment.send(&Request::creation(&title)).await;
            let read = environment.send(&Request::new("GET /books?limit=1")).await;
            (created, read)
        });
        for (created, read) in join_all(replies).await {
            assert_eq!((created.status, read.status), (201, 200), "{created:?} {read:?}");
        }
    }
    let calm = column(&server, "SELECT count(*) FROM books WHERE title LIKE 'calm-%'").await;
    assert_eq!(calm, [(STAY * 3).to_string()]);
    end(staying).await;
    connections_fall_to(&server, 0).await;
}
