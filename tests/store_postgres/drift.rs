//! Databases that are not what the definitions say, and what is said about them.

use crate::fixture::Fixture;

const SHOP: &str = r#"
[api]
title = "Shop"
version = "1.0.0"

[resources.makers.fields]
name = { type = "text", required = true, max_length = 40 }

[resources.goods.fields]
title     = { type = "text", required = true, max_length = 40 }
note      = { type = "text" }
count     = { type = "integer" }
price     = { type = "decimal", precision = 10, scale = 2 }
exact     = { type = "decimal" }
tags      = { type = "text[]" }
made_on   = { type = "date", default = { database = true } }
state     = { type = "enum", values = ["new", "used"] }
maker_uid = { type = "uuid", references = "makers", on_delete = "cascade" }
[resources.goods.access]
read = ["owner", "group:staff"]

[resources.letters.fields]
recipient = { type = "text", required = true }
kind      = { type = "text", required = true }
[resources.letters.access]
read = { all = ["kind=eq.open", "recipient=eq.$sub"] }
"#;

#[tokio::test]
async fn each_difference_is_told_and_what_fits_is_not() {
    for (change, told) in [
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
            "CREATE DOMAIN short AS text; ALTER TABLE goods ALTER note TYPE short",
            None,
        ),
        (
            "CREATE DOMAIN number AS int; ALTER TABLE goods ALTER note TYPE number USING 1",
            Some("column goods.note is number, not text"),
        ),
    ] {
        let shop = Fixture::of(SHOP).await;
        let sql = shop.sql().await;
        // As its definition says, the column's DEFAULT is the database's own.
        sql.batch_execute("ALTER TABLE goods ALTER made_on SET DEFAULT CURRENT_DATE")
            .await
            .unwrap();
        sql.batch_execute(change).await.unwrap();
        let drift = shop.store.drift(&shop.api).await.unwrap();
        assert_eq!(drift.missing, Vec::<String>::new(), "{change}");
        let told: Vec<&str> = told.into_iter().collect();
        assert_eq!(drift.differing, told, "{change}");
        assert_eq!(drift.is_none(), told.is_empty());
    }
}

#[tokio::test]
async fn indexes_that_references_and_read_rules_want_are_missed_and_created() {
    let shop = Fixture::of(SHOP).await;
    let sql = shop.sql().await;
    let indexes = "DROP INDEX goods_maker_uid_idx, goods_creator_uid_idx, letters_recipient_idx";
    sql.batch_execute(indexes).await.unwrap();
    let wanted = [
        "index on goods.maker_uid",
        "index on goods.creator_uid",
        "index on letters.recipient",
    ];
    assert_eq!(shop.store.drift(&shop.api).await.unwrap().missing, wanted);
    // One that begins with the column does as well.
    sql.batch_execute("CREATE INDEX ON goods (creator_uid, uid)")
        .await
        .unwrap();
    let created = shop.store.create_missing(&shop.api).await.unwrap();
    assert_eq!(created, [wanted[0], wanted[2]]);
    assert_eq!(
        shop.store.drift(&shop.api).await.unwrap().missing,
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn of_a_view_only_types_are_looked_at() {
    let shop = Fixture::of(SHOP).await;
    let sql = shop.sql().await;
    sql.batch_execute(
        "ALTER TABLE letters RENAME TO kept; \
         CREATE VIEW letters AS SELECT uid, created_at, last_updated_at, creator_uid, last_updater_uid, \
         recipient, 1 AS kind FROM kept; ALTER TABLE goods ALTER made_on SET DEFAULT CURRENT_DATE",
    )
    .await
    .unwrap();
    let drift = shop.store.drift(&shop.api).await.unwrap();
    assert_eq!(drift.missing, Vec::<String>::new());
    assert_eq!(drift.differing, ["column letters.kind is integer, not text"]);
}
