//! Tokens that an emulator of Cognito made, since our own idea of a token could be wrong on both sides.
//!
//! moto is installed through pip into the build directory, once; where that cannot be done, the reason is printed.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use hyper::Method;
use rowstamp_tests::binaries::build_directory;
use rowstamp_tests::http_client::Client;
use rowstamp_tests::skip::skip;
use serde_json::{Value, json};

use crate::library::{Library, create};

/// With what its server needs besides; all of it comes from the package index by version.
const PACKAGES: [&str; 3] = ["moto[cognitoidp]==5.2.5", "flask==3.1.3", "flask-cors==6.0.5"];
const REGION: &str = "eu-west-1";

struct Moto {
    child: Child,
    address: SocketAddr,
}

impl Moto {
    /// A server of moto on a free port, or why there is none.
    fn start() -> Result<Self, String> {
        let mut child = Command::new(install()?.join("bin/moto_server"))
            .args(["-H", "127.0.0.1", "-p", "0"])
            .env("PYTHONUNBUFFERED", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        let address = loop {
            let begin = said.len();
            if lines.read_line(&mut said).unwrap_or(0) == 0 {
                let _ = child.wait();
                return Err(format!("moto_server ended: {said}"));
            }
            let address = said[begin..]
                .split_once("Running on http://")
                .map(|(_, rest)| rest.trim());
            if let Some(address) = address.and_then(|address| address.parse().ok()) {
                break address;
            }
        };
        // Nobody reads on, and a full pipe would hold it up.
        std::thread::spawn(move || lines.read_to_end(&mut Vec::new()));
        Ok(Self { child, address })
    }

    async fn ask(&self, action: &str, body: Value) -> Value {
        let target = format!("AWSCognitoIdentityProviderService.{action}");
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/cognito-idp/aws4_request, SignedHeaders=host, Signature=0"
        );
        let headers = [
            ("x-amz-target", target.as_str()),
            ("authorization", authorization.as_str()),
            ("content-type", "application/x-amz-json-1.1"),
        ];
        let answer = Client::new(self.address)
            .send(Method::POST, "/", &headers, &body.to_string())
            .await;
        assert_eq!(answer.status, 200, "{action}: {}", answer.text());
        if answer.body.is_empty() {
            Value::Null
        } else {
            answer.json()
        }
    }

    /// A pool with a client and a user in a group; what the user gets for its password.
    async fn pool(&self) -> Pool {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let pool = self.ask("CreateUserPool", json!({"PoolName": "library"})).await;
        let id = text(&pool["UserPool"]["Id"]);
        let flows = ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"];
        let asked = json!({"UserPoolId": id, "ClientName": "app", "ExplicitAuthFlows": flows});
        let client = text(&self.ask("CreateUserPoolClient", asked).await["UserPoolClient"]["ClientId"]);
        let (user, password) = ("ursula", "Anarres-1974!");
        self.ask(
            "CreateGroup",
            json!({"UserPoolId": id, "GroupName": "librarians"}),
        )
        .await;
        self.ask("AdminCreateUser", json!({"UserPoolId": id, "Username": user}))
            .await;
        let asked = json!({"UserPoolId": id, "Username": user, "Password": password, "Permanent": true});
        self.ask("AdminSetUserPassword", asked).await;
        let asked = json!({"UserPoolId": id, "Username": user, "GroupName": "librarians"});
        self.ask("AdminAddUserToGroup", asked).await;
        let asked = json!({
            "UserPoolId": id, "ClientId": client, "AuthFlow": "ADMIN_NO_SRP_AUTH",
            "AuthParameters": {"USERNAME": user, "PASSWORD": password},
        });
        let tokens = self.ask("AdminInitiateAuth", asked).await["AuthenticationResult"].clone();
        Pool {
            access: text(&tokens["AccessToken"]),
            id_token: text(&tokens["IdToken"]),
            id,
            client,
        }
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Pool {
    id: String,
    client: String,
    access: String,
    id_token: String,
}

/// The directory of an environment with moto in it.
fn install() -> Result<PathBuf, String> {
    let home = build_directory().join("rowstamp-moto");
    fs::create_dir_all(&home).map_err(|error| error.to_string())?;
    let lock = File::create(home.join("lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    let (environment, done) = (home.join("venv"), home.join("done"));
    if fs::read_to_string(&done).is_ok_and(|packages| packages == PACKAGES.join(" ")) {
        return Ok(environment);
    }
    let _ = fs::remove_dir_all(&environment);
    run("python3", &["-m", "venv", path(&environment)])?;
    let pip = environment.join("bin/pip");
    let mut arguments = vec!["install", "--quiet", "--disable-pip-version-check"];
    arguments.extend(PACKAGES);
    run(path(&pip), &arguments)?;
    fs::write(done, PACKAGES.join(" ")).map_err(|error| error.to_string())?;
    Ok(environment)
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr)))
    }
}

#[tokio::test]
async fn the_tokens_of_a_user_pool_are_those_of_its_users() {
    let moto = match tokio::task::spawn_blocking(Moto::start).await.unwrap() {
        Ok(moto) => moto,
        Err(reason) => {
            return skip(&format!("no moto could be had: {reason}"));
        }
    };
    let (pool, other) = (moto.pool().await, moto.pool().await);
    let address = moto.address;
    let keys = format!("http://{address}/{{pool}}/.well-known/jwks.json");
    let open = |token_use: &'static str| {
        let mut variables = vec![
            ("ROWSTAMP_COGNITO_USER_POOL_IDS", pool.id.as_str()),
            ("ROWSTAMP_COGNITO_CLIENT_IDS", pool.client.as_str()),
            ("ROWSTAMP_COGNITO_JWKS_URL", keys.as_str()),
        ];
        if !token_use.is_empty() {
            variables.push(("ROWSTAMP_COGNITO_TOKEN_USE", token_use));
        }
        Library::open(&variables)
    };
    let library = open("access");
    let before = library.settled().await;
    for (token, case) in [
        (&pool.id_token, "an ID token where access is demanded"),
        (&other.access, "another pool, whose keys are the same"),
        (&other.id_token, "another pool's ID token"),
    ] {
        assert_eq!(create(&library.client(token)).await.status, 401, "{case}");
    }
    assert_eq!(library.proxy.bytes_to_server(), before);
    let made = create(&library.client(&pool.access)).await;
    assert_eq!(made.status, 201, "{}", made.text());
    // Cognito's subjects are UUIDs of its own, not names.
    let subject = made.json()["creator_uid"].as_str().unwrap().to_owned();
    assert_eq!(subject.len(), 36, "{subject}");
    // Only librarians may delete books.
    let deleted = library
        .client(&pool.access)
        .send(Method::DELETE, made.header("location"), &[], "")
        .await;
    assert_eq!(deleted.status, 204, "{}", deleted.text());

    let both = open("");
    let made = create(&both.client(&pool.id_token)).await;
    assert_eq!((made.status, &made.json()["creator_uid"]), (201, &json!(subject)));
}
