//! Databases in which requests fail though their tables are there: `rowstamp check` says so before anybody asks.
//!
//! Each case breaks a sound database in one way, shows that a request fails by it, and that `check` tells why.

use std::fs;

use hyper::Method;
use rowstamp_local::provision::TestDatabase;
use rowstamp_tests::http_client::{Answer, Client};
use rowstamp_tests::served::{Directory, Served, run};
use rowstamp_tests::skip::skip;
use tokio_postgres::error::SqlState;

use super::sql::connect;

const SHOP: &str = r#"
[api]
title = "Shop"
version = "1.0.0"

[resources.makers.fields]
name = { type = "text", required = true }
[resources.makers.access]
read = "anyone"
create = "anyone"
update = "anyone"
delete = "anyone"

[resources.goods.fields]
title     = { type = "text", required = true }
code      = { type = "text", unique = true }
note      = { type = "text" }
state     = { type = "enum", values = ["new", "used"] }
at        = { type = "timestamp" }
maker_uid = { type = "uuid", references = "makers" }
[resources.goods.access]
read = "anyone"
create = "anyone"
update = "anyone"
delete = "anyone"
"#;

/// A request of anybody.
#[derive(Clone, Copy)]
enum Ask {
    Create,
    Put,
    UpsertByUid,
    UpsertByCode,
    UpsertByNoCode,
    Change,
    Delete,
    List,
    Match,
}

const PATH: &str = "/goods/0198c0de-0000-7000-8000-000000000001";

impl Ask {
    async fn of(self, client: &Client) -> Answer {
        let merge: &[(&str, &str)] = &[("Prefer", "resolution=merge-duplicates")];
        let (method, path, headers, body) = match self {
            Self::Create => (
                Method::POST,
                "/goods",
                &[][..],
                r#"{"title": "a", "state": "used"}"#,
            ),
            Self::Put => (Method::PUT, PATH, &[][..], r#"{"title": "b", "state": "new"}"#),
            Self::UpsertByUid => {
                let body = r#"[{"uid": "0198c0de-0000-7000-8000-000000000001", "title": "c"}]"#;
                (Method::POST, "/goods", merge, body)
            }
            Self::UpsertByCode => {
                let body = r#"[{"title": "d", "code": "X"}]"#;
                (Method::POST, "/goods?on_conflict=code", merge, body)
            }
            Self::UpsertByNoCode => {
                let body = r#"[{"title": "d", "code": null}]"#;
                (Method::POST, "/goods?on_conflict=code", merge, body)
            }
            Self::Change => (Method::PATCH, "/goods?title=eq.b", &[][..], r#"{"note": "n"}"#),
            Self::Delete => (Method::DELETE, "/goods?title=eq.z", &[][..], ""),
            Self::List => (Method::GET, "/goods?select=title", &[][..], ""),
            Self::Match => (Method::GET, "/goods?code=match.x", &[][..], ""),
        };
        client.send(method, path, headers, body).await
    }
}

/// A database of the shop, and a role that may do everything there that requests need.
struct Shop {
    directory: Directory,
    database: TestDatabase,
    role: String,
}

impl Shop {
    async fn open() -> Self {
        let (directory, database) = (Directory::new(), TestDatabase::create());
        fs::write(directory.path().join("resources.toml"), SHOP).unwrap();
        let role = format!("clerk_{}", database.name());
        let shop = Self {
            directory,
            database,
            role,
        };
        let migrated = run(&shop.directory, &["migrate", "--database", shop.database.url()]);
        assert!(migrated.status.success(), "{migrated:?}");
        shop.sql(
            "CREATE ROLE {role}; GRANT USAGE ON SCHEMA public TO {role}; \
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        )
        .await;
        shop
    }

    async fn sql(&self, sql: &str) {
        let done = self.try_sql(sql).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    async fn try_sql(&self, sql: &str) -> Result<(), tokio_postgres::Error> {
        let client = connect(&self.database).await;
        client.batch_execute(&sql.replace("{role}", &self.role)).await
    }

    /// Breaks it; `false`, and a line on standard error, where this server was built without what that takes.
    async fn broken_by(&self, sql: &str) -> bool {
        match self.try_sql(sql).await {
            Ok(()) => true,
            Err(error) if error.code() == Some(&SqlState::FEATURE_NOT_SUPPORTED) => {
                skip(&format!("{sql}: {error}"));
                false
            }
            Err(error) => panic!("{sql}: {error:?}"),
        }
    }

    /// The same database for sessions of that role.
    fn url(&self) -> String {
        let url = self.database.url();
        let separator = if url.contains('?') { '&' } else { '?' };
        format!("{url}{separator}options=-c%20role%3D{}", self.role)
    }

    /// The lines of `rowstamp check`, and whether it was content.
    fn check(&self) -> (Vec<String>, bool) {
        let output = run(&self.directory, &["check", "--database", &self.url()]);
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        (said.lines().map(str::to_owned).collect(), output.status.success())
    }

    fn serve(&self) -> Served {
        Served::start(&self.directory, &["--database", &self.url()], &[])
    }

    async fn close(self) {
        self.sql("DROP OWNED BY {role}; DROP ROLE {role}").await;
    }
}

/// Breaks sound databases, one way each: what is done to it, a request that fails by it, with which status, and what is told.
async fn told(cases: &[(&str, Ask, u16, &str)]) {
    for (breaking, ask, status, told) in cases {
        let shop = Shop::open().await;
        if !shop.broken_by(breaking).await {
            shop.close().await;
            continue;
        }
        let (lines, content) = shop.check();
        let served = shop.serve();
        let answer = ask.of(&served.anonymous()).await;
        drop(served);
        let role = shop.role.clone();
        shop.close().await;
        assert_eq!(answer.status, *status, "{breaking}: {}", answer.text());
        assert!(!content, "{breaking}: check is content");
        let told = told.replace("{role}", &role);
        assert_eq!(lines, told.lines().collect::<Vec<_>>(), "{breaking}");
    }
}

#[tokio::test]
async fn a_sound_database_is_told_as_such_and_answers() {
    let shop = Shop::open().await;
    let (lines, content) = shop.check();
    let served = shop.serve();
    let client = served.anonymous();
    let mut wrong = Vec::new();
    for ask in [
        Ask::Create,
        Ask::Put,
        Ask::UpsertByUid,
        Ask::UpsertByCode,
        Ask::UpsertByCode,
        Ask::UpsertByNoCode,
        Ask::UpsertByNoCode,
        Ask::Change,
        Ask::Delete,
        Ask::List,
        Ask::Match,
    ] {
        let answer = ask.of(&client).await;
        if answer.status >= 300 {
            wrong.push(answer.text());
        }
    }
    drop(served);
    shop.close().await;
    assert_eq!(wrong, Vec::<String>::new());
    assert!(content, "{lines:?}");
}

#[tokio::test]
async fn what_is_not_unique_enough_for_an_upsert_is_told() {
    told(&[
        (
            "ALTER TABLE goods DROP CONSTRAINT goods_pkey; ALTER TABLE goods ADD id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
            Ask::Put,
            500,
            "missing: unique constraint on goods (uid)",
        ),
        (
            "ALTER TABLE goods ADD UNIQUE (uid) DEFERRABLE",
            Ask::UpsertByUid,
            500,
            "differs: unique constraint goods_uid_key on goods (uid) is DEFERRABLE: PUT and upserts refuse it",
        ),
        (
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'goods_code_key'::regclass",
            Ask::UpsertByCode,
            500,
            "differs: index goods_code_key on goods (code) is invalid, as a failed CREATE INDEX CONCURRENTLY leaves it: \
             drop it or REINDEX it",
        ),
        (
            "ALTER TABLE goods DROP CONSTRAINT goods_code_key; ALTER TABLE goods ADD UNIQUE NULLS NOT DISTINCT (code); \
             INSERT INTO goods (uid, title, created_at, last_updated_at) VALUES (gen_random_uuid(), 'a', now(), now())",
            Ask::UpsertByNoCode,
            503,
            "differs: unique constraint goods_code_key on goods (code) is NULLS NOT DISTINCT, though a field in it may be NULL",
        ),
        (
            "CREATE EXTENSION citext; ALTER TABLE goods ALTER code TYPE citext; \
             INSERT INTO goods (uid, title, code, created_at, last_updated_at) VALUES (gen_random_uuid(), 'a', 'x', now(), now())",
            Ask::UpsertByCode,
            503,
            "differs: column goods.code is citext: it is unique whatever the case of its letters, but compared with it",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_column_that_takes_no_value_of_its_field_is_told() {
    told(&[
        (
            "CREATE TYPE mood AS ENUM ('new', 'used'); \
             ALTER TABLE goods DROP CONSTRAINT goods_state_check, ALTER state TYPE mood USING NULL",
            Ask::Create,
            500,
            "differs: column goods.state is of the enum type mood, which its db_type does not name",
        ),
        (
            "ALTER TABLE goods DROP CONSTRAINT goods_state_check, ADD CHECK (state IN ('new', 'old'))",
            Ask::Create,
            422,
            "differs: column goods.state refuses the value used (goods_state_check)",
        ),
        (
            "ALTER TABLE goods DROP note, ADD note text GENERATED ALWAYS AS (title) STORED",
            Ask::Put,
            500,
            "differs: column goods.note is GENERATED ALWAYS, though its field can be written",
        ),
        (
            "CREATE DOMAIN given AS text NOT NULL; ALTER TABLE goods ALTER note TYPE given USING ''",
            Ask::Create,
            422,
            "differs: column goods.note must not be NULL, though its field is optional",
        ),
        (
            "CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false); \
             ALTER TABLE goods ALTER code TYPE text COLLATE ci; \
             INSERT INTO goods (uid, title, code, created_at, last_updated_at) VALUES (gen_random_uuid(), 'a', 'x', now(), now())",
            Ask::Match,
            500,
            "differs: column goods.code has a collation that is not deterministic: filters by patterns are refused",
        ),
    ])
    .await;
}

#[tokio::test]
async fn what_the_role_that_serves_may_not_do_is_told() {
    told(&[
        (
            "REVOKE SELECT ON goods FROM {role}",
            Ask::List,
            500,
            "differs: {role} may not read, create, put, upsert, change, delete rows of goods, since it lacks SELECT: \
             permission denied for table goods",
        ),
        (
            "REVOKE INSERT ON goods FROM {role}",
            Ask::Create,
            500,
            "differs: {role} may not create, put, upsert rows of goods, since it lacks INSERT: permission denied for table goods",
        ),
        (
            // A row is locked before it is deleted.
            "REVOKE UPDATE ON goods FROM {role}",
            Ask::Delete,
            500,
            "differs: {role} may not put, upsert, change, delete rows of goods, since it lacks UPDATE: \
             permission denied for table goods",
        ),
        (
            "REVOKE UPDATE ON goods FROM {role}; GRANT UPDATE (title, last_updated_at, last_updater_uid) ON goods TO {role}",
            Ask::Change,
            500,
            "differs: {role} may not put, upsert, change rows of goods, since it lacks UPDATE on every column: \
             permission denied for table goods",
        ),
        (
            "REVOKE DELETE ON goods FROM {role}",
            Ask::Delete,
            500,
            "differs: {role} may not delete rows of goods, since it lacks DELETE: permission denied for table goods",
        ),
        (
            "REVOKE ALL ON SCHEMA public FROM PUBLIC, {role}",
            Ask::List,
            500,
            "differs: {role} may not use the schema public, since it lacks USAGE",
        ),
        (
            "ALTER TABLE goods ADD number serial",
            Ask::Create,
            500,
            "differs: {role} may not create rows of goods, since it lacks USAGE on the sequence goods_number_seq",
        ),
    ])
    .await;
}

#[tokio::test]
async fn row_level_security_that_lets_nobody_in_is_told() {
    told(&[
        (
            "ALTER TABLE goods ENABLE ROW LEVEL SECURITY; CREATE POLICY see ON goods FOR SELECT USING (true)",
            Ask::Create,
            403,
            "differs: row-level security of goods has no policy by which {role} may create, change, delete rows",
        ),
        (
            "ALTER TABLE goods ENABLE ROW LEVEL SECURITY; \
             CREATE POLICY own ON goods USING (creator_uid = current_setting('request.jwt.claims')::json ->> 'sub')",
            Ask::Create,
            500,
            "differs: policies of goods look at request.jwt.claims, which are there with ROWSTAMP_DB_ROLE only",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_relation_that_takes_no_write_is_told() {
    told(&[
        (
            "ALTER TABLE goods RENAME TO kept; CREATE VIEW goods AS SELECT DISTINCT * FROM kept; \
             GRANT ALL ON goods TO {role}",
            Ask::Create,
            500,
            "differs: requests cannot create, upsert rows of goods: \
             cannot insert into view \"goods\" (Views containing DISTINCT are not automatically updatable.)\n\
             differs: requests cannot put, upsert, change rows of goods: \
             cannot update view \"goods\" (Views containing DISTINCT are not automatically updatable.)\n\
             differs: requests cannot delete rows of goods: \
             cannot delete from view \"goods\" (Views containing DISTINCT are not automatically updatable.)",
        ),
        (
            "ALTER TABLE goods RENAME TO kept; CREATE VIEW goods AS SELECT * FROM kept; GRANT ALL ON goods TO {role}; \
             ALTER TABLE kept DROP CONSTRAINT goods_pkey",
            Ask::Put,
            500,
            "differs: requests cannot put, upsert rows of goods: \
             there is no unique or exclusion constraint matching the ON CONFLICT specification",
        ),
        (
            "ALTER TABLE goods RENAME TO kept; CREATE VIEW goods AS SELECT * FROM kept; GRANT ALL ON goods TO {role}; \
             ALTER VIEW goods OWNER TO {role}; REVOKE ALL ON kept FROM {role}",
            Ask::List,
            500,
            "differs: requests cannot read, create, put, upsert, change, delete rows of goods: permission denied for table kept",
        ),
        (
            "CREATE RULE also AS ON INSERT TO goods DO ALSO SELECT 1",
            Ask::Put,
            500,
            "differs: requests cannot create rows of goods: \
             WITH cannot be used in a query that is rewritten by rules into multiple queries\n\
             differs: requests cannot put, upsert rows of goods: \
             INSERT with ON CONFLICT clause cannot be used with table that has INSERT or UPDATE rules",
        ),
        (
            "ALTER TABLE goods DROP CONSTRAINT goods_pkey; CREATE UNIQUE INDEX ON goods (uid); CREATE PUBLICATION all_goods FOR TABLE goods",
            Ask::Change,
            500,
            "differs: requests cannot put, upsert, change rows of goods: \
             cannot update table \"goods\" because it does not have a replica identity and publishes updates\n\
             differs: requests cannot delete rows of goods: \
             cannot delete from table \"goods\" because it does not have a replica identity and publishes deletes",
        ),
    ])
    .await;
}
