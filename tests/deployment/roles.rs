//! The database's roles, made as their page says, by an administrator who is no superuser, as none is on RDS.

use rowstamp_local::provision::TestDatabase;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls};

/// The script under names of one test, since roles belong to the whole server.
fn script(suffix: &str) -> String {
    include_str!("../../app-lambda/deploy/database-roles.sql")
        .replace("rowstamp_migrations", &format!("migrations_{suffix}"))
        .replace("rowstamp_function", &format!("function_{suffix}"))
        .replace("rds_iam", &format!("rds_iam_{suffix}"))
}

async fn connect(database: &TestDatabase) -> Client {
    let (client, connection) = tokio_postgres::connect(database.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Does `sql` as `role`; the session is the superuser's, so no password is needed.
async fn as_role(database: &TestDatabase, role: &str, sql: &str) -> Result<(), tokio_postgres::Error> {
    let client = connect(database).await;
    let login = format!("SET SESSION AUTHORIZATION {role}");
    client.batch_execute(&login).await.unwrap();
    client.batch_execute(sql).await
}

#[tokio::test]
async fn the_script_makes_one_role_that_owns_tables_and_one_that_only_writes_rows() {
    let database = TestDatabase::create();
    let suffix = database.name();
    let [admin, migrations, function, iam] =
        ["admin", "migrations", "function", "rds_iam"].map(|name| format!("{name}_{suffix}"));
    let superuser = connect(&database).await;
    // As RDS makes its administrator and the role that stands for IAM.
    superuser
        .batch_execute(&format!(
            "CREATE ROLE {iam}; CREATE ROLE {admin} CREATEROLE CREATEDB; GRANT {iam} TO {admin} WITH ADMIN OPTION; \
             ALTER DATABASE \"{suffix}\" OWNER TO {admin}"
        ))
        .await
        .unwrap();
    let checked = check(&database, &admin, &migrations, &function, suffix).await;
    superuser
        .batch_execute(&format!(
            "ALTER DATABASE \"{suffix}\" OWNER TO CURRENT_USER; \
             DROP OWNED BY {migrations} CASCADE; DROP OWNED BY {function} CASCADE; DROP OWNED BY {admin} CASCADE; \
             DROP ROLE {migrations}, {function}, {admin}, {iam}"
        ))
        .await
        .unwrap();
    checked.unwrap();
}

async fn check(
    database: &TestDatabase,
    admin: &str,
    migrations: &str,
    function: &str,
    suffix: &str,
) -> Result<(), Box<dyn std::error::Error>> {
    for time in ["first", "second"] {
        as_role(database, admin, &script(suffix))
            .await
            .map_err(|error| format!("the {time} time: {error}: {:?}", error.as_db_error()))?;
    }
    let create = "CREATE TABLE books (title text); CREATE SCHEMA more; CREATE TABLE more.loans (id serial)";
    as_role(database, migrations, create).await?;
    let write = "INSERT INTO books VALUES ('a'); UPDATE books SET title = 'b'; DELETE FROM books; \
                 INSERT INTO more.loans DEFAULT VALUES; SELECT * FROM more.loans";
    as_role(database, function, write).await?;
    for forbidden in [
        "CREATE TABLE mine (a int)",
        "DROP TABLE books",
        "ALTER TABLE books ADD a int",
        "TRUNCATE books",
        "CREATE SCHEMA mine",
        &format!("SET ROLE {migrations}"),
    ] {
        let refused = as_role(database, function, forbidden).await.err();
        let code = refused.as_ref().and_then(tokio_postgres::Error::code);
        if code != Some(&SqlState::INSUFFICIENT_PRIVILEGE) {
            return Err(format!("{forbidden}: {refused:?}").into());
        }
    }
    // Or the administrator's password would count no longer.
    let rows = connect(database)
        .await
        .query_one("SELECT pg_has_role($1, $2, 'USAGE')", &[&admin, &migrations])
        .await?;
    if rows.get(0) {
        return Err("the administrator is still a member of the migrations' role".into());
    }
    Ok(())
}
