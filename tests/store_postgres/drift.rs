//! Databases that are not what the definitions say, and what is said about them.

use rowstamp_postgres::{PostgresStore, Settings};

use crate::fixture::Fixture;

pub(crate) const SHOP: &str = r#"
[api]
title = "Shop"
version = "1.0.0"

[resources.makers.fields]
name = { type = "text", required = true, max_length = 40 }
[resources.makers.access]
read   = "anyone"
update = ["owner", "group:staff"]

[resources.goods.fields]
title     = { type = "text", required = true, max_length = 40 }
note      = { type = "text" }
count     = { type = "integer" }
price     = { type = "decimal", precision = 10, scale = 2 }
exact     = { type = "decimal" }
tags      = { type = "text[]" }
made_on   = { type = "date", default = { database = true } }
weight    = { type = "float" }
number    = { type = "integer", default = 5 }
state     = { type = "enum", values = ["new", "used"] }
maker_uid = { type = "uuid", references = "makers", on_delete = "cascade" }
[resources.goods.access]
read = ["owner", "group:staff"]

[resources.letters.fields]
recipient = { type = "text", required = true }
sender    = { type = "text" }
kind      = { type = "text", required = true }
[resources.letters.access]
read   = { all = ["kind=eq.open", "recipient=eq.$sub"] }
delete = "sender=eq.$sub"
"#;

/// Changes tables that fit, one way each, and compares what is told of them.
async fn told(cases: &[(&str, Option<&str>)]) {
    for (change, told) in cases {
        let shop = Fixture::of(SHOP).await;
        let sql = shop.sql().await;
        // As its definition says, the column's DEFAULT is the database's own.
        sql.batch_execute("ALTER TABLE goods ALTER made_on SET DEFAULT CURRENT_DATE")
            .await
            .unwrap();
        sql.batch_execute(change).await.unwrap();
        let drift = shop.store.drift(&shop.api).await.unwrap();
        assert_eq!(drift.missing, Vec::<String>::new(), "{change}");
        let told: Vec<&str> = told.iter().copied().collect();
        assert_eq!(drift.differing, told, "{change}");
        assert_eq!(drift.is_none(), told.is_empty());
    }
}

#[tokio::test]
async fn each_column_that_differs_is_told_and_one_that_fits_is_not() {
    told(&[
        ("SELECT", None),
        (
            "ALTER TABLE goods ALTER count TYPE text",
            Some("column goods.count is text, not integer"),
        ),
        (
            "ALTER TABLE goods ALTER count TYPE bigint",
            Some("column goods.count is bigint, not integer"),
        ),
        ("ALTER TABLE goods ALTER count TYPE smallint", None),
        (
            "ALTER TABLE goods ALTER tags TYPE text USING ''",
            Some("column goods.tags is text, not text[]"),
        ),
        ("ALTER TABLE goods ALTER note TYPE varchar", None),
        (
            "ALTER TABLE goods ALTER note TYPE varchar(9)",
            Some("column goods.note is character varying(9), which is shorter than its field"),
        ),
        ("ALTER TABLE goods ALTER title TYPE varchar(40)", None),
        (
            "ALTER TABLE goods ALTER title TYPE varchar(39)",
            Some("column goods.title is character varying(39), which is shorter than its field"),
        ),
        ("ALTER TABLE goods ALTER price TYPE numeric", None),
        ("ALTER TABLE goods ALTER price TYPE numeric(12,4)", None),
        (
            "ALTER TABLE goods ALTER price TYPE numeric(12,1)",
            Some("column goods.price is numeric(12,1), not numeric(10,2): it would round or refuse"),
        ),
        (
            "ALTER TABLE goods ALTER price TYPE numeric(10,4)",
            Some("column goods.price is numeric(10,4), not numeric(10,2): it would round or refuse"),
        ),
        (
            "ALTER TABLE goods ALTER exact TYPE numeric(20,2)",
            Some("column goods.exact is numeric(20,2), not numeric: it would round or refuse"),
        ),
        (
            "ALTER TABLE goods ALTER title DROP NOT NULL",
            Some("column goods.title may be NULL, though its field is required"),
        ),
        (
            "ALTER TABLE goods ALTER note SET NOT NULL",
            Some("column goods.note must not be NULL, though its field is optional"),
        ),
        (
            "ALTER TABLE goods ALTER made_on DROP DEFAULT",
            Some("column goods.made_on has no DEFAULT, though its field is left to it"),
        ),
        ("ALTER TABLE goods ADD extra int", None),
        ("ALTER TABLE goods ADD extra int NOT NULL DEFAULT 1", None),
        (
            "ALTER TABLE goods ADD extra int GENERATED ALWAYS AS IDENTITY",
            None,
        ),
        (
            "ALTER TABLE goods ADD extra int NOT NULL",
            Some(
                "column goods.extra is in no definition, must not be NULL and has no DEFAULT: no row can be created",
            ),
        ),
    ])
    .await;
}

#[tokio::test]
async fn each_reference_that_differs_is_told_and_one_that_fits_is_not() {
    told(&[
        (
            "ALTER TABLE goods DROP CONSTRAINT goods_maker_uid_fkey, \
             ADD FOREIGN KEY (maker_uid) REFERENCES letters (uid) ON DELETE CASCADE",
            Some("foreign key of goods.maker_uid does not lead to makers"),
        ),
        (
            "ALTER TABLE goods DROP CONSTRAINT goods_maker_uid_fkey, \
             ADD FOREIGN KEY (maker_uid) REFERENCES makers (uid)",
            Some("foreign key of goods.maker_uid does not do on deletion what its definition says (cascade)"),
        ),
        (
            "ALTER TABLE makers ADD other uuid UNIQUE; ALTER TABLE goods DROP CONSTRAINT goods_maker_uid_fkey, \
             ADD FOREIGN KEY (maker_uid) REFERENCES makers (other) ON DELETE CASCADE",
            Some("foreign key of goods.maker_uid leads to makers.other, not to makers.uid"),
        ),
        (
            "ALTER TABLE goods DROP CONSTRAINT goods_maker_uid_fkey, \
             ADD FOREIGN KEY (maker_uid) REFERENCES makers (uid) ON DELETE CASCADE NOT VALID",
            Some(
                "foreign key of goods.maker_uid is NOT VALID: rows that were there before it may refer to nothing",
            ),
        ),
        (
            // Two keys on one column: the right one is there.
            "ALTER TABLE goods ADD FOREIGN KEY (maker_uid) REFERENCES letters (uid)",
            None,
        ),
        (
            "ALTER TABLE goods DISABLE TRIGGER ALL",
            Some(
                "foreign key of goods.maker_uid is not enforced: its triggers are disabled, or it says so itself",
            ),
        ),
        (
            // The key is there once more for each partition that it leads to.
            "ALTER TABLE goods DROP CONSTRAINT goods_maker_uid_fkey; DROP TABLE makers; \
             CREATE TABLE makers (uid uuid PRIMARY KEY, name text NOT NULL, created_at timestamptz NOT NULL, \
             last_updated_at timestamptz NOT NULL, creator_uid text, last_updater_uid text) PARTITION BY HASH (uid); \
             CREATE TABLE makers_0 PARTITION OF makers FOR VALUES WITH (MODULUS 2, REMAINDER 0); \
             CREATE TABLE makers_1 PARTITION OF makers FOR VALUES WITH (MODULUS 2, REMAINDER 1); \
             CREATE INDEX ON makers (creator_uid); \
             ALTER TABLE goods ADD FOREIGN KEY (maker_uid) REFERENCES makers (uid) ON DELETE CASCADE",
            None,
        ),
    ])
    .await;
}

#[tokio::test]
async fn each_column_that_holds_less_than_its_field_or_otherwise_is_told() {
    told(&[
        (
            "ALTER TABLE goods ALTER price TYPE numeric(5,-2)",
            Some("column goods.price is numeric(5,-2), not numeric(10,2): it would round or refuse"),
        ),
        (
            "ALTER TABLE goods ALTER weight TYPE real",
            Some("column goods.weight is real, not double precision: it would round"),
        ),
        (
            "ALTER TABLE goods ALTER created_at TYPE timestamptz(3)",
            Some("column goods.created_at is timestamp(3) with time zone, not timestamptz: it would round"),
        ),
        (
            "ALTER TABLE goods ALTER last_updated_at TYPE timestamptz(0)",
            Some(
                "column goods.last_updated_at is timestamp(0) with time zone, not timestamptz: versions of a row would be equal",
            ),
        ),
        ("ALTER TABLE goods ALTER created_at TYPE timestamp(6)", None),
        (
            "ALTER TABLE goods ALTER note TYPE char(9)",
            Some("column goods.note is character(9): it takes blanks at the end of text for nothing"),
        ),
        (
            "ALTER TABLE goods ALTER note TYPE name",
            Some("column goods.note is name: it cuts text off after 63 bytes"),
        ),
        ("ALTER TABLE goods ALTER state TYPE varchar(4)", None),
        (
            "ALTER TABLE goods ALTER state TYPE varchar(3)",
            Some("column goods.state is character varying(3), which is shorter than its field"),
        ),
        (
            "CREATE DOMAIN short AS varchar(9); ALTER TABLE goods ALTER note TYPE short",
            Some("column goods.note is short (character varying(9)), which is shorter than its field"),
        ),
        (
            "CREATE DOMAIN given AS text NOT NULL; CREATE DOMAIN twice AS given; ALTER TABLE goods ALTER note TYPE twice USING ''",
            Some("column goods.note must not be NULL, though its field is optional"),
        ),
        (
            "ALTER TABLE goods DROP note, ADD note text GENERATED ALWAYS AS (title) STORED",
            Some("column goods.note is GENERATED ALWAYS, though its field can be written"),
        ),
        (
            "ALTER TABLE goods DROP count, ADD count int GENERATED ALWAYS AS IDENTITY",
            Some("column goods.count is GENERATED ALWAYS, though its field can be written"),
        ),
        (
            "CREATE TYPE states AS ENUM ('new', 'used'); ALTER TABLE goods DROP CONSTRAINT goods_state_check, \
             ALTER state TYPE states USING NULL",
            Some("column goods.state is of the enum type states, which its db_type does not name"),
        ),
        (
            "ALTER TABLE goods DROP CONSTRAINT goods_state_check, ADD CHECK (state IN ('new', 'used', 'old'))",
            None,
        ),
        (
            "ALTER TABLE goods ADD CONSTRAINT old CHECK (state = 'old')",
            Some("column goods.state refuses the value new, the value used (old)"),
        ),
        (
            "ALTER TABLE goods ADD CONSTRAINT high CHECK (number > 5)",
            Some("column goods.number refuses the default of its field (high)"),
        ),
        (
            "CREATE DOMAIN high AS int CHECK (VALUE > 5); ALTER TABLE goods ALTER number TYPE high",
            Some("column goods.number refuses the default of its field (its type)"),
        ),
        (
            // Not of one column, so that it is not asked.
            "ALTER TABLE goods ADD CHECK (number > count)",
            None,
        ),
        (
            "CREATE DOMAIN short AS text; ALTER TABLE goods ALTER note TYPE short",
            None,
        ),
        (
            "CREATE DOMAIN number AS int; ALTER TABLE goods ALTER note TYPE number USING 1",
            Some("column goods.note is number, not text"),
        ),
    ])
    .await;
}

const MOODS: &str = r#"
[api]
title = "Moods"
version = "1.0.0"

[resources.days.fields]
mood  = { type = "enum", values = ["glad", "sad"], db_type = "mood" }
moods = { type = "enum[]", values = ["glad", "sad"], db_type = "more.mood" }
"#;

#[tokio::test]
async fn an_enum_type_that_lacks_a_value_of_its_field_is_told() {
    for (types, change, told) in [
        (
            "CREATE TYPE mood AS ENUM ('sad', 'glad', 'so so'); CREATE TYPE more.mood AS ENUM ('glad', 'sad')",
            "SELECT",
            &[][..],
        ),
        (
            "CREATE TYPE mood AS ENUM ('glad'); CREATE TYPE more.mood AS ENUM ('sad')",
            "SELECT",
            &[
                "column days.mood refuses the value sad (its type)",
                "column days.moods refuses the value {glad} (its type)",
            ],
        ),
        (
            "CREATE TYPE mood AS ENUM ('glad', 'sad'); CREATE TYPE more.mood AS ENUM ('glad', 'sad')",
            "ALTER TABLE days ALTER mood TYPE more.mood USING NULL",
            &["requests cannot create, put, upsert, change rows of days: \
               column \"mood\" is of type more.mood but expression is of type mood"],
        ),
        (
            "CREATE TYPE mood AS ENUM ('glad', 'sad'); CREATE TYPE more.mood AS ENUM ('glad', 'sad')",
            "ALTER TABLE days ALTER moods TYPE text[]; DROP TYPE more.mood",
            &["column days.moods is to be of the type more.mood, which is not there"],
        ),
    ] {
        let days = Fixture::without_tables(MOODS);
        let sql = days.sql().await;
        sql.batch_execute(&format!("CREATE SCHEMA more; {types}"))
            .await
            .unwrap();
        days.store.create_missing(&days.api).await.unwrap();
        sql.batch_execute(change).await.unwrap();
        let drift = days.store.drift(&days.api).await.unwrap();
        assert_eq!(drift.missing, Vec::<String>::new(), "{types}; {change}");
        assert_eq!(drift.differing, told, "{types}; {change}");
    }
}

#[tokio::test]
async fn another_encoding_than_utf8_is_told() {
    let shop = Fixture::without_tables(SHOP);
    let name = format!("{}_latin1", shop.database.name());
    let sql = shop.sql().await;
    sql.batch_execute(&format!(
        "CREATE DATABASE {name} ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
    ))
    .await
    .unwrap();
    let url = shop.database.url().replacen(shop.database.name(), &name, 1);
    let store = PostgresStore::with_password(&Settings::from_url(&url).unwrap());
    let drift = store.drift(&shop.api).await;
    drop(store);
    sql.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)"))
        .await
        .unwrap();
    assert_eq!(
        drift.unwrap().differing,
        ["the encoding of the database is LATIN1, not UTF8: text that it does not know is refused"]
    );
}

#[tokio::test]
async fn of_a_view_only_types_are_looked_at() {
    let shop = Fixture::of(SHOP).await;
    let sql = shop.sql().await;
    sql.batch_execute(
        "ALTER TABLE letters RENAME TO kept; \
         CREATE VIEW letters AS SELECT uid, created_at, last_updated_at, creator_uid, last_updater_uid, \
         recipient, sender, 1 AS kind FROM kept; ALTER TABLE goods ALTER made_on SET DEFAULT CURRENT_DATE",
    )
    .await
    .unwrap();
    let drift = shop.store.drift(&shop.api).await.unwrap();
    assert_eq!(drift.missing, Vec::<String>::new());
    assert_eq!(drift.differing, ["column letters.kind is integer, not text"]);
}
