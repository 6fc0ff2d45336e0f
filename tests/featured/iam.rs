//! `rowstamp` logs in to RDS with the credentials that AWS's tools would use.

use std::path::Path;
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use http_body_util::Full;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rowstamp_domain::value::Timestamp;
use rowstamp_tests::binaries::featured_binary;
use rowstamp_tests::served::{Directory, Served, command_of};
use tokio::net::TcpListener;

use crate::pretender::Pretender;

const LIBRARY: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../app-local/src/example/library.toml"
);
/// Nobody looks for an EC2 instance around the machine that tests run on.
const NO_INSTANCE: (&str, &str) = ("AWS_EC2_METADATA_DISABLED", "true");

async fn rowstamp() -> std::path::PathBuf {
    tokio::task::spawn_blocking(|| featured_binary("rowstamp"))
        .await
        .unwrap()
}

/// `rowstamp check` with these variables, run to its end.
async fn check(directory: &Directory, vars: &[(&str, &str)]) -> Output {
    let program = rowstamp().await;
    let mut command = command_of(&program, directory, &["check", "--resources", LIBRARY]);
    command
        .env("HOME", directory.path())
        .env("ROWSTAMP_DB_AUTH", "iam")
        .envs([NO_INSTANCE])
        .envs(vars.iter().copied());
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn path(directory: &Directory, name: &str) -> String {
    directory.path().join(name).to_str().unwrap().to_owned()
}

fn write(path: &str, text: &str) {
    std::fs::write(Path::new(path), text).unwrap();
}

/// What stands behind `name` in a token.
fn part<'a>(token: &'a str, name: &str) -> &'a str {
    let (_, rest) = token
        .split_once(&format!("{name}="))
        .unwrap_or_else(|| panic!("no {name} in {token}"));
    rest.split('&').next().unwrap()
}

/// Whose key signed a token: `KEY/day/region/rds-db/aws4_request`.
fn signer(token: &str) -> (&str, &str) {
    let mut parts = part(token, "X-Amz-Credential").split("%2F");
    (parts.next().unwrap(), parts.nth(1).unwrap())
}

#[tokio::test]
async fn a_profile_gives_the_key_and_the_region() {
    let (directory, pretender) = (Directory::new(), Pretender::start().await);
    let (config, shared) = (path(&directory, "config"), path(&directory, "credentials"));
    write(&config, "[profile library]\nregion = ap-southeast-2\n");
    write(
        &shared,
        "[default]\naws_access_key_id = AKIANOTTHISONE\naws_secret_access_key = hush\n\
         [library]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = hush-hush\n",
    );
    let files = [
        ("AWS_CONFIG_FILE", config.as_str()),
        ("AWS_SHARED_CREDENTIALS_FILE", shared.as_str()),
        ("AWS_PROFILE", "library"),
    ];
    let url = pretender.url("verify-full");
    let output = check(&directory, &[&files[..], &[("DATABASE_URL", &url)]].concat()).await;
    assert_eq!(output.status.code(), Some(1), "{}", words(&output));
    let passwords = pretender.passwords();
    let token = passwords
        .first()
        .unwrap_or_else(|| panic!("it did not log in: {}", words(&output)));
    assert!(token.starts_with("localhost:"), "{token}");
    assert_eq!(part(token, "DBUser"), "library_app");
    assert_eq!(signer(token), ("AKIAPROFILE", "ap-southeast-2"));
    assert!(!words(&output).contains("hush"), "{}", words(&output));

    // The environment comes first, with a region too.
    let keys = [
        ("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT"),
        ("AWS_SECRET_ACCESS_KEY", "hush"),
        ("AWS_REGION", "eu-north-1"),
    ];
    let vars = [&files[..], &keys[..], &[("DATABASE_URL", &url)]].concat();
    let before = pretender.passwords().len();
    let output = check(&directory, &vars).await;
    let passwords = pretender.passwords();
    let token = passwords
        .get(before)
        .unwrap_or_else(|| panic!("it did not log in: {}", words(&output)));
    assert_eq!(signer(token), ("AKIAENVIRONMENT", "eu-north-1"));
}

#[tokio::test]
async fn roles_and_sessions_are_asked_for_where_they_are_given_out() {
    let (directory, pretender) = (Directory::new(), Pretender::start().await);
    let url = pretender.url("verify-full");
    let common = [("DATABASE_URL", url.as_str()), ("AWS_REGION", "eu-west-1")];

    // A web identity, such as that of a pod, for a role.
    let token = path(&directory, "token");
    write(&token, "the-pods-token");
    let sts = answering(
        200,
        "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>AKIAROLE</AccessKeyId>\
         <SecretAccessKey>hush</SecretAccessKey><SessionToken>session</SessionToken>\
         <Expiration>2126-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>\
         </AssumeRoleWithWebIdentityResponse>",
    )
    .await;
    let web_identity = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token.as_str()),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/library"),
        ("AWS_ENDPOINT_URL_STS", &sts),
    ];

    // A session of `aws sso login`, for a role of the profile.
    let config = path(&directory, "config");
    write(
        &config,
        "[default]\nsso_start_url = https://x.awsapps.com/start\nsso_region = eu-west-1\n\
         sso_account_id = 123456789012\nsso_role_name = library\n",
    );
    let cache = path(&directory, ".aws/sso/cache");
    std::fs::create_dir_all(&cache).unwrap();
    write(
        // Named after the SHA-1 of the address.
        &format!("{cache}/3947de8b16688092197fa616c34e01335f21d256.json"),
        r#"{"accessToken":"the-sessions-token","expiresAt":"2126-01-01T00:00:00Z","region":"eu-west-1","startUrl":"https://x.awsapps.com/start"}"#,
    );
    let portal = answering(
        200,
        r#"{"roleCredentials":{"accessKeyId":"AKIASESSION","secretAccessKey":"hush","sessionToken":"session","expiration":4922985600000}}"#,
    )
    .await;
    let session = [
        ("AWS_CONFIG_FILE", config.as_str()),
        ("AWS_ENDPOINT_URL_SSO", &portal),
    ];

    // What a program of one's own prints.
    let program = path(&directory, "program");
    write(
        &program,
        "[default]\ncredential_process = echo '{\"Version\": 1, \"AccessKeyId\": \"AKIAPROCESS\", \"SecretAccessKey\": \"hush\"}'\n",
    );
    let process = [("AWS_CONFIG_FILE", program.as_str())];

    for (source, key) in [
        (&web_identity[..], "AKIAROLE"),
        (&session[..], "AKIASESSION"),
        (&process[..], "AKIAPROCESS"),
    ] {
        let before = pretender.passwords().len();
        let output = check(&directory, &[&common[..], source].concat()).await;
        let passwords = pretender.passwords();
        let token = passwords
            .get(before)
            .unwrap_or_else(|| panic!("{key}: it did not log in: {}", words(&output)));
        assert_eq!(signer(token), (key, "eu-west-1"));
    }
}

#[tokio::test]
async fn a_database_behind_a_tunnel_is_spoken_to_under_its_own_name() {
    let directory = Directory::new();
    let pretender = Pretender::start_as("library.c1.eu-west-3.rds.amazonaws.com").await;
    let url = pretender.url("verify-full");
    let vars = [
        ("DATABASE_URL", url.as_str()),
        ("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT"),
        ("AWS_SECRET_ACCESS_KEY", "hush"),
        ("AWS_REGION", "us-east-1"),
    ];
    let output = check(&directory, &vars).await;
    let passwords = pretender.passwords();
    let token = passwords
        .first()
        .unwrap_or_else(|| panic!("it did not log in: {}", words(&output)));
    assert!(
        token.starts_with("library.c1.eu-west-3.rds.amazonaws.com:"),
        "{token}"
    );
    assert_eq!(signer(token), ("AKIAENVIRONMENT", "eu-west-3"));
}

/// A container's endpoint, which gives `KEY1`, then `KEY2` and so on, each good for `seconds`. Whoever does not bring the
/// container's own token gets none.
async fn container(seconds: i64) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/credentials", listener.local_addr().unwrap());
    let given = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&given);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let count = Arc::clone(&count);
            let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                let authorized = request
                    .headers()
                    .get("authorization")
                    .is_some_and(|value| value == "the-containers-token");
                let number = count.fetch_add(1, Ordering::SeqCst) + 1;
                let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
                let end = i64::try_from(now.as_micros()).unwrap() + seconds * 1_000_000;
                let end = Timestamp::from_micros_since_1970(end).unwrap().to_string();
                let body = format!(
                    r#"{{"AccessKeyId":"KEY{number}","SecretAccessKey":"hush","Token":"session-{number}","Expiration":"{}Z"}}"#,
                    end.trim_end_matches("+00:00")
                );
                let answer = Response::builder()
                    .status(if authorized { 200 } else { 403 })
                    .header("content-type", "application/json")
                    .body(Full::new(bytes::Bytes::from(body)));
                async move { answer }
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service),
            );
        }
    });
    (url, given)
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_end_are_followed_by_new_ones() {
    const LASTS: i64 = 4;
    let (directory, pretender) = (Directory::new(), Pretender::start().await);
    let (endpoint, given) = container(LASTS).await;
    let program = rowstamp().await;
    let begun = tokio::time::Instant::now();
    let url = pretender.url("verify-full");
    let vars = [
        ("DATABASE_URL", url.as_str()),
        ("ROWSTAMP_DB_AUTH", "iam"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", endpoint.as_str()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "the-containers-token"),
        ("HOME", directory.path().to_str().unwrap()),
        NO_INSTANCE,
    ];
    let served = Served::start_program(&program, &directory, &["--resources", LIBRARY], &vars);
    // Each request makes a connection of its own, since none lasts.
    let key = async || {
        let before = pretender.passwords().len();
        assert_eq!(served.anonymous().get("/books").await.status, 503);
        let passwords = pretender.passwords();
        assert!(passwords.len() > before, "there was no login");
        let token = passwords[before].clone();
        let number: usize = signer(&token).0.trim_start_matches("KEY").parse().unwrap();
        assert_eq!(part(&token, "X-Amz-Security-Token"), format!("session-{number}"));
        number
    };
    let first = key().await;
    let asked = given.load(Ordering::SeqCst);
    if begun.elapsed() < Duration::from_secs(2) {
        assert_eq!(
            (first, asked),
            (1, 1),
            "the token made at the start is used while it is good"
        );
    }
    tokio::time::sleep(Duration::from_secs(LASTS.unsigned_abs())).await;
    assert!(key().await > first, "the token is signed by new credentials");
    assert!(given.load(Ordering::SeqCst) > asked);
}

#[tokio::test]
async fn without_credentials_it_does_not_start_and_says_where_it_looked() {
    let (directory, pretender) = (Directory::new(), Pretender::start().await);
    let url = pretender.url("verify-full");
    let vars = [
        ("DATABASE_URL", url.as_str()),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_PROFILE", "library"),
    ];
    let output = check(&directory, &vars).await;
    let told = words(&output);
    assert_eq!(output.status.code(), Some(2), "{told}");
    for part in [
        "ROWSTAMP_DB_AUTH: there are no AWS credentials",
        "AWS_ACCESS_KEY_ID",
        "the profile library of ~/.aws/config and ~/.aws/credentials",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ] {
        assert!(told.contains(part), "{part} is missing in: {told}");
    }
    assert_eq!(pretender.passwords(), Vec::<String>::new());
}

/// A server that has one answer, whatever it is asked.
async fn answering(status: u16, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let service = service_fn(move |_| async move {
                let answer = Response::builder().status(status);
                answer.body(Full::new(bytes::Bytes::from(body)))
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service),
            );
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn what_a_source_answers_is_never_repeated() {
    let (directory, pretender) = (Directory::new(), Pretender::start().await);
    let url = pretender.url("verify-full");
    let unreadable =
        r#"{"AccessKeyId":"KEY1","SecretAccessKey":"hush-hush","Token":"hush-hush","Expiration":"never"}"#;
    let container = answering(200, unreadable).await;
    let instance = answering(403, "hush-hush").await;
    for source in [
        &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", container.as_str())][..],
        &[
            ("AWS_EC2_METADATA_DISABLED", "false"),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", &instance),
        ],
    ] {
        let database = [("DATABASE_URL", url.as_str()), ("AWS_REGION", "eu-west-1")];
        let output = check(&directory, &[&database[..], source].concat()).await;
        let told = words(&output);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains("a source of AWS credentials failed"), "{told}");
        assert!(!told.contains("hush"), "{told}");
    }
    assert_eq!(pretender.passwords(), Vec::<String>::new());
}

#[tokio::test]
async fn a_token_goes_only_to_a_server_that_proves_its_name() {
    let (directory, pretender) = (Directory::new(), Pretender::start().await);
    for mode in ["require", "verify-ca"] {
        let url = pretender.url(mode);
        let vars = [
            ("DATABASE_URL", url.as_str()),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT"),
            ("AWS_SECRET_ACCESS_KEY", "hush"),
        ];
        let output = check(&directory, &vars).await;
        let told = words(&output);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains("PGSSLMODE: must be verify-full"), "{told}");
    }
    assert_eq!(pretender.passwords(), Vec::<String>::new());
}
