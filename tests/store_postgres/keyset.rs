//! What a page costs far into a table, in blocks, not in time.

use std::time::Duration;

use rowstamp_domain::operation::{List, Operation};
use rowstamp_domain::query::{Direction, Nulls, Operand, OrderTerm};
use rowstamp_domain::value::Value;
use rowstamp_ports::RecordStore as _;
use rowstamp_postgres::{PostgresStore, Settings};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::fixture::{Fixture, context};

const ROWS: i64 = 200_000;

const POINTS: &str = r#"
[api]
title = "Points"
version = "1.0.0"
[resources.points]
audit = { created_at = false, last_updated_at = false, creator_uid = false, last_updater_uid = false }
[resources.points.fields]
sure  = { type = "integer", required = true }
maybe = { type = "integer" }
"#;

/// The blocks of the table and its indexes that were looked at so far, by sessions that have ended.
async fn blocks(sql: &Client) -> i64 {
    loop {
        let others = sql
            .query_one(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() \
                 AND backend_type = 'client backend'",
                &[],
            )
            .await
            .unwrap();
        if others.get::<_, i64>(0) == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let row = sql
        .query_one(
            "SELECT (heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit)::bigint FROM pg_statio_user_tables \
             WHERE relname = 'points'",
            &[],
        )
        .await
        .unwrap();
    row.get(0)
}

/// How many blocks a page takes, by a session that reads nothing else. What a session counted is known once it has ended.
async fn cost(fixture: &Fixture, sql: &Client, list: &List) -> i64 {
    let before = blocks(sql).await;
    let settings = Settings::from_url(fixture.database.url()).unwrap();
    let store = PostgresStore::with_password(&settings);
    let outcome = store
        .execute(Operation::List(list.clone()), &context())
        .await
        .unwrap();
    assert_eq!(outcome.returned, u64::from(list.query.limit));
    drop(store);
    blocks(sql).await - before
}

#[tokio::test]
async fn a_page_far_into_a_table_costs_little_more_than_the_first() {
    let fixture = Fixture::of(POINTS).await;
    let sql = fixture.sql().await;
    sql.batch_execute(&format!(
        "INSERT INTO points (uid, sure, maybe) SELECT lpad(to_hex(i), 32, '0')::uuid, i % 40, CASE WHEN i % 4 > 0 THEN i % 30 END \
         FROM generate_series(1, {ROWS}) AS i; CREATE INDEX ON points (sure, uid); CREATE INDEX ON points (maybe, uid); \
         CREATE INDEX ON points (maybe DESC NULLS LAST, uid)"
    ))
    .await
    .unwrap();
    sql.batch_execute("VACUUM ANALYZE points").await.unwrap();
    let points = fixture.resource("points");
    // The store that made the tables is still connected.
    let Fixture { store, api, database } = fixture;
    drop(store);
    let settings = Settings::from_url(database.url()).unwrap();
    let fixture = Fixture {
        store: PostgresStore::with_password(&settings),
        api,
        database,
    };
    let (up, down) = (Direction::Ascending, Direction::Descending);
    let (first, last) = (Nulls::First, Nulls::Last);
    for (order, orders) in [
        (vec![("uid", up, last)], "uid"),
        (vec![("uid", down, first)], "uid DESC"),
        (vec![("sure", up, last), ("uid", up, last)], "sure, uid"),
        (
            vec![("sure", down, first), ("uid", down, first)],
            "sure DESC, uid DESC",
        ),
        (vec![("maybe", up, last), ("uid", up, last)], "maybe, uid"),
        (
            vec![("maybe", down, first), ("uid", down, first)],
            "maybe DESC, uid DESC",
        ),
        (
            vec![("maybe", down, last), ("uid", up, last)],
            "maybe DESC NULLS LAST, uid",
        ),
    ] {
        let mut list = fixture.list("points");
        list.query.order = order
            .iter()
            .map(|(name, direction, nulls)| OrderTerm {
                embed: None,
                operand: Operand::Field(points.field_id(name).unwrap()),
                direction: *direction,
                nulls: *nulls,
            })
            .collect();
        list.query.limit = 25;
        list.look_ahead = true;
        let page_one = cost(&fixture, &sql, &list).await;
        for offset in [ROWS / 2, ROWS * 7 / 8] {
            let place = sql
                .query_one(
                    &format!(
                        "SELECT uid::text, sure, maybe FROM points ORDER BY {orders} OFFSET {offset} LIMIT 1"
                    ),
                    &[],
                )
                .await
                .unwrap();
            let value = |name: &str| match name {
                "uid" => Value::Uuid(Uuid::parse_str(place.get(0)).unwrap()),
                "sure" => Value::Integer(place.get(1)),
                _ => place.get::<_, Option<i32>>(2).map_or(Value::Null, Value::Integer),
            };
            list.query.after = Some(order.iter().map(|(name, ..)| value(name)).collect());
            // What the test itself read must be counted before.
            sql.batch_execute("SELECT pg_stat_force_next_flush()")
                .await
                .unwrap();
            let far = cost(&fixture, &sql, &list).await;
            assert!(
                far <= page_one * 3 + 30,
                "{far} blocks at {offset} by {orders}, {page_one} at the beginning"
            );
        }
    }
}
