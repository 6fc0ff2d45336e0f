//! What is said of the role that serves: what it may not do with tables that fit, and whether their policies judge it.

use rowstamp_ports::{Problems, Vars};
use rowstamp_postgres::{PostgresStore, Settings};

use crate::drift::SHOP;
use crate::fixture::Fixture;
use crate::indexes::SEATS;

/// What is told where each request switches to a role, after `sql`, in which `{role}` and `{login}` stand for it and for whoever logs in.
async fn told_of_role(sql: &str) -> Vec<String> {
    let shop = Fixture::of(&format!("{SHOP}{SEATS}")).await;
    let name = shop.database.name().to_owned();
    let client = shop.sql().await;
    client
        .batch_execute("ALTER TABLE goods ALTER made_on SET DEFAULT CURRENT_DATE")
        .await
        .unwrap();
    let role = format!("role_{name}");
    let login: String = client
        .query_one("SELECT current_user::text", &[])
        .await
        .unwrap()
        .get(0);
    client
        .batch_execute(&format!("CREATE ROLE {role}"))
        .await
        .unwrap();
    let done = client.batch_execute(&sql.replace("{role}", &role)).await;
    let drift = match &done {
        Ok(()) => {
            let vars = [("DATABASE_URL", shop.database.url()), ("ROWSTAMP_DB_ROLE", &role)];
            let vars = vars.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let mut problems = Problems::new();
            let settings = Settings::read(&Vars::new(vars), &mut problems).unwrap();
            Some(PostgresStore::with_password(&settings).drift(&shop.api).await)
        }
        Err(_) => None,
    };
    client
        .batch_execute(&format!(
            "REASSIGN OWNED BY {role} TO CURRENT_USER; DROP OWNED BY {role}; DROP ROLE {role}"
        ))
        .await
        .unwrap();
    done.unwrap();
    let drift = drift.unwrap().unwrap();
    assert_eq!(drift.missing, Vec::<String>::new(), "{sql}");
    let told = drift.differing.into_iter();
    told.map(|line| line.replace(&role, "{role}").replace(&login, "{login}"))
        .collect()
}

const GRANTS: &str = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};";

#[tokio::test]
async fn the_role_that_requests_switch_to_is_the_one_that_is_looked_at() {
    let fits = told_of_role(GRANTS).await;
    assert_eq!(fits, Vec::<String>::new());
    for (sql, told) in [
        (
            "REVOKE INSERT ON goods FROM {role}",
            "{role} may not create, put, upsert rows of goods, since it lacks INSERT: permission denied for table goods",
        ),
        (
            "ALTER TABLE goods OWNER TO {role}; ALTER TABLE goods ENABLE ROW LEVEL SECURITY; \
             CREATE POLICY own ON goods USING (creator_uid = current_setting('request.jwt.claims')::json ->> 'sub')",
            "row-level security of goods does not hold for {role}, its owner",
        ),
        (
            "ALTER ROLE {role} BYPASSRLS; ALTER TABLE goods ENABLE ROW LEVEL SECURITY",
            "row-level security of goods does not hold for {role}, who has BYPASSRLS",
        ),
        (
            "ALTER TABLE goods ENABLE ROW LEVEL SECURITY; CREATE POLICY see ON goods FOR SELECT TO {role} USING (true)",
            "row-level security of goods has no policy by which {role} may create, change, delete rows",
        ),
    ] {
        assert_eq!(told_of_role(&format!("{GRANTS}{sql}")).await, [told], "{sql}");
    }
    // Policies for everybody, for the role, or for one whose member it is.
    let sql = "ALTER TABLE goods ENABLE ROW LEVEL SECURITY; CREATE POLICY see ON goods FOR SELECT USING (true); \
               CREATE POLICY make ON goods FOR INSERT TO {role} WITH CHECK (true); \
               CREATE POLICY other ON goods FOR UPDATE TO pg_monitor USING (true); GRANT pg_monitor TO {role}; \
               CREATE POLICY clear ON goods FOR DELETE TO {role} USING (false)";
    assert_eq!(
        told_of_role(&format!("{GRANTS}{sql}")).await,
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn a_role_that_cannot_be_switched_to_is_told() {
    let shop = Fixture::of(MAKERS).await;
    let vars = [
        ("DATABASE_URL", shop.database.url()),
        ("ROWSTAMP_DB_ROLE", "nobody_of_that_name"),
    ];
    let vars = vars.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let settings = Settings::read(&Vars::new(vars), &mut Problems::new()).unwrap();
    let drift = PostgresStore::with_password(&settings)
        .drift(&shop.api)
        .await
        .unwrap();
    let [told] = &drift.differing[..] else {
        panic!("{drift:?}")
    };
    let expected = " cannot switch to the role nobody_of_that_name of ROWSTAMP_DB_ROLE: \
                    role \"nobody_of_that_name\" does not exist";
    assert!(told.ends_with(expected), "{told}");
}

const MAKERS: &str = r#"
[api]
title = "Makers"
version = "1.0.0"

[resources.makers.fields]
name = { type = "text" }
[resources.makers.access]
read = "anyone"
create = "nobody"
update = "nobody"
delete = { all = ["authenticated", "nobody"] }

[resources.wishes.fields]
text = { type = "text" }
[resources.wishes.access]
read = "nobody"
create = "anyone"
update = "nobody"
delete = "nobody"
"#;

#[tokio::test]
async fn privileges_for_what_no_rule_allows_are_not_missed() {
    let shop = Fixture::of(MAKERS).await;
    let sql = shop.sql().await;
    let role = format!("role_{}", shop.database.name());
    sql.batch_execute(&format!(
        "CREATE ROLE {role}; GRANT SELECT ON makers TO {role}; GRANT INSERT ON wishes TO {role}; \
         GRANT SELECT (uid, last_updated_at) ON wishes TO {role}"
    ))
    .await
    .unwrap();
    let url = shop.database.url();
    let separator = if url.contains('?') { '&' } else { '?' };
    let settings = Settings::from_url(&format!("{url}{separator}options=-c%20role%3D{role}")).unwrap();
    let store = PostgresStore::with_password(&settings);
    let before = store.drift(&shop.api).await;
    // PUT and upserts of what is there are refused by the rule, in a statement that would change it.
    let granted = sql
        .batch_execute(&format!("GRANT SELECT, UPDATE ON wishes TO {role}"))
        .await;
    let after = store.drift(&shop.api).await;
    sql.batch_execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}"))
        .await
        .unwrap();
    granted.unwrap();
    let told = format!(
        "{role} may not put, upsert rows of wishes, since it lacks UPDATE: permission denied for table wishes"
    );
    assert_eq!(before.unwrap().differing, [told]);
    assert_eq!(after.unwrap().differing, Vec::<String>::new());
}
