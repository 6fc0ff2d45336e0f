//! Writers who get in each other's way until PostgreSQL itself gives up on some of them: serialisation failures and deadlocks that nobody
//! staged, at the real server and the real function.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::{join, join_all};
use rowstamp_tests::pgbouncer::PgBouncer;
use serde_json::{Value, json};
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;

use crate::programs::{Kind, Program, Request};
use crate::scene::{PARTITIONED, ROWS, STRICT, Scene, Told, Version};

/// How many write at the same time.
const WRITERS: usize = 12;
/// How often each of them does.
const ROUNDS: usize = 8;

/// What a writer does in one round. Each title is given once, so that each version is known by it.
#[derive(Debug, Clone, Copy)]
enum Write {
    /// Changes one row, whatever it was before.
    Change,
    /// Replaces one, and keeps what it counts.
    CountUp,
    /// Merges records for all rows, by a unique field.
    Upsert,
    /// Changes all rows of a shelf.
    ChangeMany,
    /// Puts one row onto the other shelf.
    Move,
}

impl Write {
    /// Does it, and notes the answer.
    async fn send(self, program: &Program, uid: &str, title: &str, number: usize) -> Told {
        let mut told = Told::default();
        let (kind, request) = match self {
            Self::CountUp => {
                count_up(program, uid, title, &mut told).await;
                return told;
            }
            Self::Change => {
                let change = Request::new(&format!("PATCH /books/{uid}"));
                ("change", change.json(&json!({"title": title})))
            }
            Self::Move => {
                let shelf = ["a", "b"][number % 2];
                let change = Request::new(&format!("PATCH /books/{uid}"));
                ("move", change.json(&json!({"title": title, "shelf": shelf})))
            }
            Self::Upsert => {
                let record = |row: usize| json!({"isbn": format!("isbn-{row}"), "title": title});
                let mut records: Vec<Value> = (0..ROWS).map(record).collect();
                if number % 2 == 1 {
                    records.reverse();
                }
                let merge = Request::new("POST /books?on_conflict=isbn")
                    .header("prefer", "resolution=merge-duplicates, return=representation");
                ("upsert", merge.json(&records.into()))
            }
            Self::ChangeMany => {
                let change =
                    Request::new("PATCH /books?shelf=in.(a,b)").header("prefer", "return=representation");
                ("many", change.json(&json!({"title": title})))
            }
        };
        told.note(kind, false, &program.send(&request).await);
        told
    }
}

/// Reads a row and writes it back with one page more, if nobody has changed it meanwhile; else again.
async fn count_up(program: &Program, uid: &str, title: &str, told: &mut Told) {
    // Each try has a title of its own, so that one that was refused is found if it was carried out all the same.
    for attempt in 0.. {
        assert!(attempt < 500, "{uid} cannot be counted up: {told}");
        let read = program.send(&Request::new(&format!("GET /books/{uid}"))).await;
        if read.says_come_again() {
            continue;
        }
        assert_eq!(read.status, 200, "{read:?}");
        let pages = read.json()["pages"].as_u64().unwrap() + 1;
        let change = Request::new(&format!("PATCH /books/{uid}"))
            .header("if-match", read.header("etag"))
            .json(&json!({"title": format!("{title}-{attempt}"), "pages": pages}));
        if told.note("count", true, &program.send(&change).await) {
            return;
        }
    }
}

/// Lets all of them write at once; what they were told.
async fn storm(program: &Program, uids: &[String], writes: &[Write]) -> Told {
    let writers = (0..WRITERS).map(async |writer| {
        let mut told = Told::default();
        for round in 0..ROUNDS {
            let number = writer + round;
            let write = writes[number % writes.len()];
            let uid = &uids[(writer + round * 2) % uids.len()];
            told.add(
                write
                    .send(program, uid, &format!("{writer}-{round}"), number)
                    .await,
            );
        }
        told
    });
    let mut all = Told::default();
    for told in join_all(writers).await {
        all.add(told);
    }
    all
}

/// A storm from the first row to the comparison; how often the server refused a statement with this SQLSTATE.
async fn weather(scene: &Scene, program: &Program, writes: &[Write], sqlstate: &str) -> usize {
    let mut told = Told::default();
    let uids = scene.furnish(program, &mut told).await;
    told.add(storm(program, &uids, writes).await);
    let refusals = scene.refusals(sqlstate);
    judge(scene, told, writes, refusals).await;
    refusals
}

/// Holds what was told against what is there, and against how often the program was refused something.
async fn judge(scene: &Scene, told: Told, writes: &[Write], refusals: usize) {
    eprintln!("{refusals} refusals; {told}");
    assert!(
        told.sent_away() * 3 <= refusals,
        "what was refused was hardly tried again: {told}"
    );
    // Each of those went on until it succeeded.
    let counted = told.count("count", 200);
    let expected = (0..WRITERS * ROUNDS).filter(|number| {
        let number = number / ROUNDS + number % ROUNDS;
        matches!(writes[number % writes.len()], Write::CountUp)
    });
    assert_eq!(counted, expected.count());
    let pages = scene.rows("SELECT sum(pages) FROM books").await;
    assert_eq!(
        pages,
        [[counted.to_string()]],
        "no count was lost and none came twice"
    );
    scene.compare(told).await;
}

const EVERY_WRITE: [Write; 4] = [Write::Change, Write::CountUp, Write::Upsert, Write::ChangeMany];

/// Both programs, with prepared statements and with unnamed ones.
const PROGRAMS: [(Kind, &[(&str, &str)]); 2] = [
    (Kind::Server, &[]),
    (Kind::Function, &[("ROWSTAMP_DB_STATEMENTS", "unnamed")]),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stricter_default_of_the_database_is_nothing_to_the_statements() {
    for (isolation, (kind, variables)) in STRICT.into_iter().zip(PROGRAMS) {
        let Some(scene) = Scene::open(isolation, None).await else {
            return;
        };
        let program = scene.start(kind, &scene.server.url(), variables).await;
        let refusals = weather(&scene, &program, &EVERY_WRITE, "40001").await;
        assert_eq!(refusals, 0, "{isolation}, {kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_put_in_order_is_tried_again_and_told_in_the_end() {
    for (isolation, kind) in STRICT.into_iter().zip([Kind::Function, Kind::Server]) {
        let Some(scene) = Scene::open(isolation, None).await else {
            return;
        };
        // Prepared statements rely on what a session is told when it begins; here nobody listens to that.
        let Some(bouncer) = PgBouncer::with_sessions(&scene.server.url(), 20) else {
            return;
        };
        let program = scene.start(kind, bouncer.url(), &[]).await;
        let refusals = weather(&scene, &program, &EVERY_WRITE, "40001").await;
        assert!(refusals > 0, "{isolation}, {kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_move_to_another_partition_under_a_waiting_write_are_found_again() {
    let writes = [
        Write::Move,
        Write::CountUp,
        Write::Move,
        Write::Change,
        Write::ChangeMany,
    ];
    for (kind, variables) in PROGRAMS {
        let Some(scene) = Scene::open("read committed", Some(PARTITIONED)).await else {
            return;
        };
        let program = scene.start(kind, &scene.server.url(), variables).await;
        let refusals = weather(&scene, &program, &writes, "40001").await;
        assert!(refusals > 0, "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_of_many_rows_never_deadlock_among_themselves() {
    let Some(scene) = Scene::open("read committed", None).await else {
        return;
    };
    let program = scene.start(Kind::Server, &scene.server.url(), &[]).await;
    let writes = [Write::Upsert, Write::ChangeMany, Write::Change];
    let deadlocks = weather(&scene, &program, &writes, "40P01").await;
    assert_eq!(deadlocks, 0);
}

/// Somebody else's program, which locks the same rows in the opposite order, until it is told to stop. What it wrote, and how often it was
/// the one that a deadlock was resolved by.
async fn neighbour(scene: &Scene, uids: &[String], name: usize, go_on: &AtomicBool) -> (Vec<Version>, usize) {
    let (client, connection) = tokio_postgres::connect(&scene.server.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute("SET TimeZone = 'UTC'").await.unwrap();
    let sql = "UPDATE books SET title = $2, last_updated_at = greatest(clock_timestamp(), last_updated_at + interval '1 us') \
               WHERE uid = $1::text::uuid RETURNING uid::text, to_json(last_updated_at) #>> '{}', title";
    let (mut written, mut given_way) = (Vec::new(), 0);
    for number in 0_u64.. {
        if !go_on.load(Ordering::SeqCst) {
            break;
        }
        client.batch_execute("BEGIN").await.unwrap();
        let mut versions = Vec::new();
        for uid in uids.iter().rev() {
            let title = format!("neighbour-{name}-{number}");
            match client.query_one(sql, &[uid, &title]).await {
                Ok(row) => versions.push(Version::of(row.get(0), row.get(1), row.get(2))),
                Err(error) => {
                    assert_eq!(error.code(), Some(&SqlState::T_R_DEADLOCK_DETECTED), "{error}");
                    break;
                }
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        if versions.len() == uids.len() {
            client.batch_execute("COMMIT").await.unwrap();
            written.extend(versions);
        } else {
            client.batch_execute("ROLLBACK").await.unwrap();
            given_way += 1;
        }
        // Without a pause nobody who reads a row first would ever write it back in time; it grows, since how long that takes is the
        // machine's.
        tokio::time::sleep(Duration::from_millis(20 + 2 * number)).await;
    }
    (written, given_way)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deadlocks_with_somebody_else_are_tried_again_and_told_in_the_end() {
    for (kind, variables) in PROGRAMS {
        let Some(scene) = Scene::open("read committed", None).await else {
            return;
        };
        let program = scene.start(kind, &scene.server.url(), variables).await;
        let mut told = Told::default();
        let uids = scene.furnish(&program, &mut told).await;
        let go_on = AtomicBool::new(true);
        let neighbours = join_all((0..2).map(|name| neighbour(&scene, &uids, name, &go_on)));
        let writes = async {
            let told = storm(&program, &uids, &EVERY_WRITE).await;
            go_on.store(false, Ordering::SeqCst);
            told
        };
        let (written, neighbours) = join(writes, neighbours).await;
        told.add(written);
        let mut deadlocks = scene.refusals("40P01");
        for (versions, given_way) in neighbours {
            told.versions.extend(versions);
            deadlocks -= given_way;
        }
        judge(&scene, told, &EVERY_WRITE, deadlocks).await;
        assert!(deadlocks > 0, "{kind:?}: nobody but the neighbours gave way");
    }
}
