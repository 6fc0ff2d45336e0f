//! Indexes and unique sets: which are missed in tables that have others, and what those that are created are called.

use rowstamp_domain::operation::Operation;
use rowstamp_ports::StoreError;
use uuid::Uuid;

use crate::drift::SHOP;
use crate::fixture::{Fixture, text};

#[tokio::test]
async fn indexes_that_references_and_rules_want_are_missed_and_created() {
    let shop = Fixture::of(SHOP).await;
    let sql = shop.sql().await;
    let indexes = "DROP INDEX goods_maker_uid_idx, goods_creator_uid_idx, letters_recipient_idx, makers_creator_uid_idx, \
                   letters_sender_idx; ALTER TABLE goods ALTER made_on SET DEFAULT CURRENT_DATE";
    sql.batch_execute(indexes).await.unwrap();
    let wanted = [
        "index on makers.creator_uid",
        "index on goods.maker_uid",
        "index on goods.creator_uid",
        "index on letters.recipient",
        "index on letters.sender",
    ];
    assert_eq!(shop.store.drift(&shop.api).await.unwrap().missing, wanted);
    // One that begins with the column does as well.
    sql.batch_execute("CREATE INDEX ON goods (creator_uid, uid)")
        .await
        .unwrap();
    let created = shop.store.create_missing(&shop.api).await.unwrap();
    assert_eq!(created, [wanted[0], wanted[1], wanted[3], wanted[4]]);
    assert_eq!(
        shop.store.drift(&shop.api).await.unwrap().missing,
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn what_is_indexed_or_unique_only_in_part_is_missed() {
    for (change, missing) in [
        ("SELECT", &[][..]),
        (
            "DROP INDEX letters_recipient_idx; CREATE INDEX ON letters (recipient) WHERE kind = 'open'",
            &["index on letters.recipient"],
        ),
        (
            "DROP INDEX letters_recipient_idx; CREATE INDEX ON letters USING brin (recipient)",
            &["index on letters.recipient"],
        ),
        (
            "DROP INDEX letters_recipient_idx; CREATE INDEX ON letters (lower(kind), recipient)",
            &["index on letters.recipient"],
        ),
        (
            "DROP INDEX letters_recipient_idx; CREATE INDEX ON letters (recipient COLLATE \"POSIX\")",
            &["index on letters.recipient"],
        ),
        (
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'letters_recipient_idx'::regclass",
            &["index on letters.recipient"],
        ),
        (
            "DROP INDEX letters_recipient_idx; CREATE INDEX ON letters USING hash (recipient)",
            &[],
        ),
        (
            "DROP INDEX letters_recipient_idx; CREATE INDEX ON letters (recipient, kind)",
            &[],
        ),
        (
            "ALTER TABLE letters DROP CONSTRAINT letters_pkey; CREATE UNIQUE INDEX ON letters (uid) WHERE kind = 'open'",
            &["primary key of letters"],
        ),
        (
            "ALTER TABLE letters DROP CONSTRAINT letters_pkey, ADD PRIMARY KEY (uid, kind)",
            &["unique constraint on letters (uid)"],
        ),
        (
            "ALTER TABLE letters DROP CONSTRAINT letters_pkey; CREATE UNIQUE INDEX ON letters (uid) INCLUDE (kind)",
            &[],
        ),
        // A set that is unique in another order finds rows by its own first column only.
        (
            "ALTER TABLE seats DROP CONSTRAINT seats_hall_uid_place_key; ALTER TABLE seats ADD UNIQUE (place, hall_uid)",
            &["index on seats.hall_uid"],
        ),
    ] {
        let shop = Fixture::of(&format!("{SHOP}{SEATS}")).await;
        let sql = shop.sql().await;
        sql.batch_execute("ALTER TABLE goods ALTER made_on SET DEFAULT CURRENT_DATE")
            .await
            .unwrap();
        sql.batch_execute(change).await.unwrap();
        let drift = shop.store.drift(&shop.api).await.unwrap();
        assert_eq!(drift.missing, missing, "{change}");
        assert_eq!(drift.differing, Vec::<String>::new(), "{change}");
        // What is missed can be created, and is missed no more.
        assert_eq!(
            shop.store.create_missing(&shop.api).await.unwrap(),
            missing,
            "{change}"
        );
        assert!(shop.store.drift(&shop.api).await.unwrap().is_none(), "{change}");
    }
}

pub(crate) const SEATS: &str = r#"
[resources.halls.fields]
name = { type = "text" }

[resources.seats]
unique = [["hall_uid", "place"]]
[resources.seats.fields]
hall_uid = { type = "uuid", references = "halls" }
place    = { type = "integer" }
"#;

/// Names of 63 bytes, which together are longer than any: those of constraints are cut, and would be the same.
#[tokio::test]
async fn names_may_be_as_long_as_names_can_be() {
    let table = "Goods".to_owned() + &"a".repeat(58);
    let name = |of: &str, end: char| format!("{of}{}{end}", "b".repeat(62 - of.len()));
    let fields = ['1', '2'].map(|end| {
        [
            format!("{} = {{ type = \"text\", unique = true }}\n", name("Code", end)),
            format!(
                "{} = {{ type = \"uuid\", references = \"{table}\" }}\n",
                name("part_of", end)
            ),
            format!(
                "{} = {{ type = \"enum\", values = [\"a\"] }}\n",
                name("state", end)
            ),
        ]
        .concat()
    });
    let head = "[api]\ntitle = \"Long\"\nversion = \"1.0.0\"\n";
    let definition = format!("{head}[resources.{table}.fields]\n{}", fields.concat());
    let long = Fixture::of(&definition).await;
    assert!(long.store.drift(&long.api).await.unwrap().is_none());
    let (code, other) = (name("Code", '1'), name("Code", '2'));
    let uid = Uuid::now_v7();
    let insert = long.insert(&table, &[(&code, text("x")), (&other, text("y"))], uid);
    long.execute(Operation::Insert(insert)).await.unwrap();
    // A conflict names the field of its own constraint.
    for (name, value) in [(&code, "x"), (&other, "y")] {
        let twice = long.insert(&table, &[(name, text(value))], Uuid::now_v7());
        let Err(StoreError::Conflict(conflict)) = long.execute(Operation::Insert(twice)).await else {
            panic!("{name} is not unique");
        };
        assert_eq!(conflict.fields, [long.resource(&table).field_id(name).unwrap()]);
    }
}
