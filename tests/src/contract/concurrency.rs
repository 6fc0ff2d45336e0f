//! Clauses about writers that meet on one row.
//!
//! None depends on who comes first: what must hold is the same in every order.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use rowstamp_domain::operation::{Operation, Outcome, Precondition, Verdict};
use rowstamp_ports::{ConflictKind, StoreError};
use serde_json::json;
use tokio::sync::Barrier;
use tokio::task::{JoinHandle, JoinSet};

use super::bench::{Bench, Step, at, context, uid};

/// How many write at the same time.
const WRITERS: usize = 8;

pub(super) type Answer = Result<Outcome, StoreError>;

/// Carries out all operations at the same time; the answers are in the order of the operations.
pub(super) async fn all_at_once(bench: &Bench, operations: Vec<Operation>) -> Vec<Answer> {
    let start = Arc::new(Barrier::new(operations.len()));
    let mut tasks = JoinSet::new();
    for (index, operation) in operations.into_iter().enumerate() {
        let (bench, start) = (bench.clone(), Arc::clone(&start));
        tasks.spawn(async move {
            start.wait().await;
            (index, bench.store.execute(operation, &context()).await)
        });
    }
    let answers: BTreeMap<_, _> = tasks.join_all().await.into_iter().collect();
    answers.into_values().collect()
}

/// How often each verdict or kind of conflict was the answer.
fn tally(answers: &[Answer]) -> BTreeMap<String, usize> {
    let mut tally = BTreeMap::new();
    for answer in answers {
        let word = match answer {
            Ok(outcome) => format!("{:?}", outcome.verdict),
            Err(StoreError::Conflict(conflict)) => format!("{:?}", conflict.kind),
            Err(error) => format!("{error:?}"),
        };
        *tally.entry(word).or_default() += 1;
    }
    tally
}

fn times<const N: usize>(expected: [(&str, usize); N]) -> BTreeMap<String, usize> {
    expected
        .into_iter()
        .map(|(word, times)| (word.to_owned(), times))
        .collect()
}

pub(super) fn step(operation: impl Into<Step>) -> Operation {
    operation.into().0
}

async fn ada(bench: &Bench) {
    bench
        .given("authors", &[json!({"uid": uid(1), "name": "Ada"})])
        .await;
}

pub async fn of_all_that_demand_the_same_version_exactly_one_wins(bench: Bench) {
    ada(&bench).await;
    let mut version = at(0);
    for _round in 0..5 {
        let updates = (0..WRITERS).map(|number| {
            let mut update = bench.update("authors", uid(1), &json!({"name": number.to_string()}));
            update.precondition = Precondition::VersionIn(vec![version]);
            step(update)
        });
        let answers = all_at_once(&bench, updates.collect()).await;
        assert_eq!(
            tally(&answers),
            times([("PreconditionFailed", WRITERS - 1), ("Updated", 1)])
        );
        let winner = answers
            .iter()
            .flatten()
            .find(|outcome| outcome.verdict == Verdict::Updated);
        version = winner
            .and_then(|winner| winner.version)
            .expect("the winner has a version");
        assert_eq!(
            bench.run(bench.read("authors", uid(1))).await.version,
            Some(version)
        );
    }
}

pub async fn of_all_that_replace_the_same_version_exactly_one_wins(bench: Bench) {
    ada(&bench).await;
    let replaces = (0..WRITERS).map(|number| {
        let mut replace = bench.replace("authors", uid(1), &json!({"name": number.to_string()}));
        replace.update.precondition = Precondition::VersionIn(vec![at(0)]);
        step(replace)
    });
    let answers = all_at_once(&bench, replaces.collect()).await;
    assert_eq!(
        tally(&answers),
        times([("PreconditionFailed", WRITERS - 1), ("Updated", 1)])
    );
}

pub async fn versions_of_writers_at_the_same_moment_all_differ(bench: Bench) {
    ada(&bench).await;
    let count = 4 * WRITERS;
    let updates =
        (0..count).map(|number| step(bench.update("authors", uid(1), &json!({"name": number.to_string()}))));
    let answers = all_at_once(&bench, updates.collect()).await;
    assert_eq!(tally(&answers), times([("Updated", count)]));
    let mut versions: Vec<_> = answers
        .iter()
        .flatten()
        .filter_map(|outcome| outcome.version)
        .collect();
    versions.sort_unstable();
    let expected: Vec<_> = (1_000_000..).take(count).map(at).collect();
    assert_eq!(versions, expected, "one microsecond after the other");
}

pub async fn no_change_of_another_field_is_lost(bench: Bench) {
    bench
        .given("books", &[json!({"uid": uid(1), "title": "A"})])
        .await;
    let changes = [
        json!({"title": "B"}),
        json!({"pages": 7}),
        json!({"shelf": "S"}),
        json!({"tags": ["t"]}),
    ];
    let updates = changes
        .iter()
        .map(|change| step(bench.update("books", uid(1), change)));
    let answers = all_at_once(&bench, updates.collect()).await;
    assert_eq!(tally(&answers), times([("Updated", 4)]));
    assert_eq!(
        bench.rows("books", &["title", "pages", "shelf", "tags"]).await,
        r#"[{"title":"B","pages":7,"shelf":"S","tags":["t"]}]"#
    );
}

pub async fn of_all_that_put_a_new_uid_one_creates_and_the_others_replace(bench: Bench) {
    for round in 0..5 {
        let replaces = (0..WRITERS)
            .map(|number| step(bench.replace("authors", uid(round), &json!({"name": number.to_string()}))));
        let answers = all_at_once(&bench, replaces.collect()).await;
        assert_eq!(tally(&answers), times([("Created", 1), ("Updated", WRITERS - 1)]));
    }
}

pub async fn of_all_that_demand_an_absent_row_exactly_one_creates_it(bench: Bench) {
    let replaces = (0..WRITERS).map(|number| {
        let mut replace = bench.replace("authors", uid(1), &json!({"name": number.to_string()}));
        replace.update.precondition = Precondition::Absent;
        step(replace)
    });
    let answers = all_at_once(&bench, replaces.collect()).await;
    assert_eq!(
        tally(&answers),
        times([("Created", 1), ("PreconditionFailed", WRITERS - 1)])
    );
}

pub async fn of_all_that_take_a_unique_value_exactly_one_gets_it(bench: Bench) {
    let inserts = (0..WRITERS as u128)
        .map(|number| step(bench.insert("books", &[json!({"uid": uid(number), "title": "A", "isbn": "1"})])));
    let answers = all_at_once(&bench, inserts.collect()).await;
    assert_eq!(tally(&answers), times([("Created", 1), ("Unique", WRITERS - 1)]));
    assert_eq!(bench.run(bench.list("books", &[])).await.returned, 1);
}

pub async fn a_row_is_deleted_once(bench: Bench) {
    ada(&bench).await;
    let deletes = (0..WRITERS).map(|_| step(bench.delete("authors", uid(1))));
    let answers = all_at_once(&bench, deletes.collect()).await;
    assert_eq!(
        tally(&answers),
        times([("Deleted", 1), ("NotFound", WRITERS - 1)])
    );
}

pub async fn a_deletion_and_a_change_of_one_version_do_not_both_happen(bench: Bench) {
    for round in 0..10 {
        bench
            .given("authors", &[json!({"uid": uid(round), "name": "Ada"})])
            .await;
        let mut update = bench.update("authors", uid(round), &json!({"name": "Bea"}));
        update.precondition = Precondition::VersionIn(vec![at(0)]);
        let mut delete = bench.delete("authors", uid(round));
        delete.precondition = Precondition::VersionIn(vec![at(0)]);
        let answers = all_at_once(&bench, vec![step(update), step(delete)]).await;
        let verdicts: Vec<_> = answers
            .into_iter()
            .map(|answer| answer.map(|outcome| outcome.verdict))
            .collect();
        let changed = [Ok(Verdict::Updated), Ok(Verdict::PreconditionFailed)];
        let deleted = [Ok(Verdict::NotFound), Ok(Verdict::Deleted)];
        assert!(verdicts == changed || verdicts == deleted, "{verdicts:?}");
    }
}

pub async fn a_row_is_not_deleted_while_another_begins_to_refer_to_it(bench: Bench) {
    for round in 0..10 {
        let (author, book) = (uid(2 * round), uid(2 * round + 1));
        bench
            .given("authors", &[json!({"uid": author, "name": "Ada"})])
            .await;
        let insert = bench.insert(
            "books",
            &[json!({"uid": book, "title": "A", "author_uid": author})],
        );
        let delete = bench.delete("authors", author);
        let tally = tally(&all_at_once(&bench, vec![step(insert), step(delete)]).await);
        let referred = times([("Created", 1), ("StillReferenced", 1)]);
        let deleted = times([("Deleted", 1), ("MissingReference", 1)]);
        assert!(tally == referred || tally == deleted, "{tally:?}");
    }
}

/// Starts an operation that finds an open unit of work in its way, and gives it time to get there.
async fn started(bench: &Bench, operation: impl Into<Step>) -> JoinHandle<Answer> {
    let (store, operation) = (Arc::clone(&bench.store), step(operation));
    let task = tokio::spawn(async move { store.execute(operation, &context()).await });
    // Whether it got there or not, the answer must be the same.
    tokio::time::sleep(Duration::from_millis(50)).await;
    task
}

async fn verdict(task: JoinHandle<Answer>) -> Verdict {
    let outcome = task
        .await
        .expect("the task ends")
        .expect("the operation ends with a verdict");
    outcome.verdict
}

/// Lets a unit of work do `first`, starts `second`, ends the unit, and says what became of `second`.
async fn after<F>(
    bench: &Bench,
    first: impl Into<Step>,
    second: impl Into<Step>,
    commits: bool,
    answer: impl FnOnce(JoinHandle<Answer>) -> F,
) -> F::Output
where
    F: Future,
{
    let mut unit = bench.begin().await;
    unit.execute(step(first))
        .await
        .expect("nothing is in the way of the first");
    let task = started(bench, second).await;
    if commits {
        unit.commit().await.expect("the unit commits");
    } else {
        unit.rollback().await.expect("the unit rolls back");
    }
    answer(task).await
}

pub async fn who_waited_judges_the_row_as_it_became(bench: Bench) {
    let name = |name: &str| bench.equals("authors", "name", &json!(name));
    for (number, commits) in [(1, true), (2, false)] {
        // Each finds a row whose name is about to become Bea.
        let row = |offset: u128| uid(number + 10 * offset);
        for offset in 0..5 {
            bench
                .given("authors", &[json!({"uid": row(offset), "name": "Ada"})])
                .await;
        }
        let first = |offset| bench.update("authors", row(offset), &json!({"name": "Bea"}));
        let second = |offset| bench.update("authors", row(offset), &json!({"born_on": "2000-01-01"}));
        let expect = |committed: Verdict, undone: Verdict| if commits { committed } else { undone };

        let mut update = second(0);
        update.precondition = Precondition::VersionIn(vec![at(0)]);
        let found = after(&bench, first(0), update, commits, verdict).await;
        assert_eq!(found, expect(Verdict::PreconditionFailed, Verdict::Updated));

        let mut update = second(1);
        update.visible = name("Ada");
        let found = after(&bench, first(1), update, commits, verdict).await;
        assert_eq!(found, expect(Verdict::NotVisible, Verdict::Updated));

        let mut update = second(2);
        update.permitted = name("Bea");
        let found = after(&bench, first(2), update, commits, verdict).await;
        assert_eq!(found, expect(Verdict::Updated, Verdict::NotWritable));

        let mut update = second(3);
        update.expect = bench.values("authors", &json!({"name": "Ada"}));
        let found = after(&bench, first(3), update, commits, verdict).await;
        let differs = Verdict::Mismatch(vec![bench.field("authors", "name")]);
        assert_eq!(found, expect(differs, Verdict::Updated));

        let mut delete = bench.delete("authors", row(4));
        delete.permitted = name("Ada");
        let found = after(&bench, first(4), delete, commits, verdict).await;
        assert_eq!(found, expect(Verdict::NotWritable, Verdict::Deleted));
    }
}

pub async fn who_waited_for_a_deletion_finds_no_row(bench: Bench) {
    for (number, commits) in [(0, true), (10, false)] {
        for offset in 0..3 {
            bench
                .given("authors", &[json!({"uid": uid(number + offset), "name": "Ada"})])
                .await;
        }
        let delete = |offset| bench.delete("authors", uid(number + offset));
        let update = bench.update("authors", uid(number), &json!({"name": "Bea"}));
        let found = after(&bench, delete(0), update, commits, verdict).await;
        assert_eq!(
            found,
            if commits {
                Verdict::NotFound
            } else {
                Verdict::Updated
            }
        );

        let found = after(&bench, delete(1), delete(1), commits, verdict).await;
        assert_eq!(
            found,
            if commits {
                Verdict::NotFound
            } else {
                Verdict::Deleted
            }
        );

        let replace = bench.replace("authors", uid(number + 2), &json!({"name": "Bea"}));
        let found = after(&bench, delete(2), replace, commits, verdict).await;
        assert_eq!(
            found,
            if commits {
                Verdict::Created
            } else {
                Verdict::Updated
            }
        );
    }
}

pub async fn who_waited_for_a_creation_replaces_or_conflicts(bench: Bench) {
    for (number, commits) in [(0, true), (10, false)] {
        let creation = |offset: u128| {
            bench.replace(
                "books",
                uid(number + offset),
                &json!({"title": "A", "isbn": (number + offset).to_string()}),
            )
        };
        let found = after(&bench, creation(0), creation(0), commits, verdict).await;
        assert_eq!(
            found,
            if commits {
                Verdict::Updated
            } else {
                Verdict::Created
            }
        );

        let mut absent = creation(1);
        absent.update.precondition = Precondition::Absent;
        let found = after(&bench, creation(1), absent, commits, verdict).await;
        assert_eq!(
            found,
            if commits {
                Verdict::PreconditionFailed
            } else {
                Verdict::Created
            }
        );

        let same_isbn = bench.insert(
            "books",
            &[json!({"uid": uid(number + 5), "title": "B", "isbn": (number + 2).to_string()})],
        );
        let answer = after(&bench, creation(2), same_isbn, commits, |task| task)
            .await
            .expect("the task ends");
        match answer {
            Err(StoreError::Conflict(conflict)) if commits => {
                assert_eq!(conflict.kind, ConflictKind::Unique);
                assert_eq!(conflict.fields, [bench.field("books", "isbn")]);
            }
            Ok(outcome) if !commits => assert_eq!(outcome.verdict, Verdict::Created),
            other => panic!("committed: {commits}, answered: {other:?}"),
        }
    }
}

pub async fn a_page_and_its_count_are_of_one_moment(bench: Bench) {
    let books = |name: &str| {
        (1..=20)
            .map(|number: u128| json!({"uid": uid(number), "title": name, "pages": number}))
            .collect::<Vec<_>>()
    };
    let writer = {
        let bench = bench.clone();
        let rows = books("A");
        tokio::spawn(async move {
            for row in rows {
                bench.given("books", &[row]).await;
            }
        })
    };
    loop {
        let done = writer.is_finished();
        let mut list = bench.list("books", &["pages"]);
        list.count = rowstamp_domain::operation::Count::Exact;
        let outcome = bench.run(list).await;
        assert_eq!(
            outcome.total,
            Some(outcome.returned),
            "no row came between the page and its count"
        );
        if done {
            assert_eq!(outcome.total, Some(20));
            break;
        }
        // A store that never waits would otherwise keep the writer from its turn.
        tokio::task::yield_now().await;
    }
    writer.await.expect("the writer ends");
}
