//! The ways in, each with its own proof of who is calling.

use std::path::Path;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rowstamp_local::provision::TestDatabase;
use rowstamp_postgres::PostgresStore;
use rowstamp_rest::Api;
use rowstamp_tests::binaries::binary;
use rowstamp_tests::http_client::Client;
use rowstamp_tests::runtime_api_function::Function;
use rowstamp_tests::served::{Directory, Served};
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};
use tokio_postgres::NoTls;

use crate::answer::Answer;
use crate::event::{Entrance, Request};

const DEFINITION: &str = include_str!("tenants.toml");
const POOL: &str = "eu-west-1_tenants";

/// A way in.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Door {
    /// `rowstamp serve`.
    Local,
    /// The function, behind a gateway.
    Through(Entrance),
}

/// Who comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Alice,
    Bob,
    Nobody,
}

impl Who {
    /// The subject, and the group that Alice alone is in.
    const fn identity(self) -> Option<(&'static str, &'static [&'static str])> {
        match self {
            Self::Alice => Some(("alice", &["staff"])),
            Self::Bob => Some(("bob", &["visitors"])),
            Self::Nobody => None,
        }
    }
}

/// The API behind one door, with a database of its own.
pub(crate) struct House {
    door: Opened,
    database: tokio_postgres::Client,
    resources: Vec<String>,
    // Closed after everything that uses it.
    _kept: (TestDatabase, Directory),
}

enum Opened {
    Local {
        nobody: Client,
        alice: Client,
        bob: Client,
        _served: Served,
    },
    Function {
        entrance: Entrance,
        function: Function,
    },
}

impl House {
    pub(crate) async fn open(door: Door) -> Self {
        let database = TestDatabase::create();
        let api = Api::from_toml("tenants.toml", DEFINITION)
            .unwrap()
            .build()
            .unwrap();
        let settings = rowstamp_postgres::Settings::from_url(database.url()).unwrap();
        let store = PostgresStore::with_password(&settings);
        store.create_missing(api.definition()).await.unwrap();
        let resources = api
            .definition()
            .resources
            .iter()
            .map(|resource| resource.name.clone())
            .collect();

        let definition = Path::new(env!("CARGO_MANIFEST_DIR")).join("lambda/tenants/tenants.toml");
        let definition = definition.to_str().unwrap().to_owned();
        let directory = Directory::new();
        let door = match door {
            Door::Local => {
                let served = Served::start(
                    &directory,
                    &["--resources", &definition, "--database", database.url()],
                    &[],
                );
                let client = |who: Who| match who.identity() {
                    Some((subject, groups)) => served.client(&directory, subject, groups),
                    None => served.anonymous(),
                };
                let [alice, bob, nobody] = [Who::Alice, Who::Bob, Who::Nobody].map(client);
                Opened::Local {
                    nobody,
                    alice,
                    bob,
                    _served: served,
                }
            }
            Door::Through(entrance) => {
                let bootstrap = tokio::task::spawn_blocking(|| binary("rowstamp-lambda", "bootstrap")).await;
                let variables = [
                    ("ROWSTAMP_RESOURCES", definition.as_str()),
                    ("DATABASE_URL", database.url()),
                    ("ROWSTAMP_COGNITO_USER_POOL_IDS", POOL),
                    ("ROWSTAMP_COGNITO_CLIENT_IDS", "app"),
                    ("ROWSTAMP_COGNITO_JWKS", &KEY.jwks),
                ];
                let function = Function::start(&bootstrap.unwrap(), &variables).await;
                Opened::Function { entrance, function }
            }
        };
        let (client, connection) = tokio_postgres::connect(database.url(), NoTls).await.unwrap();
        tokio::spawn(connection);
        Self {
            door,
            database: client,
            resources,
            _kept: (database, directory),
        }
    }

    pub(crate) async fn send(&mut self, who: Who, request: Request) -> Answer {
        match &mut self.door {
            Opened::Local {
                nobody, alice, bob, ..
            } => {
                let client = match who {
                    Who::Alice => alice,
                    Who::Bob => bob,
                    Who::Nobody => nobody,
                };
                let (method, target, headers, body) = request.parts();
                let headers: Vec<_> = headers
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str()))
                    .collect();
                let answer = client
                    .send(method.parse().unwrap(), &target, &headers, body)
                    .await;
                Answer {
                    status: u64::from(answer.status),
                    headers: answer
                        .headers
                        .iter()
                        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                        .collect(),
                    body: answer.text(),
                }
            }
            Opened::Function { entrance, function } => {
                let entrance = *entrance;
                let request = match who.identity() {
                    Some((subject, groups)) => proved(request, entrance, subject, groups),
                    None => request,
                };
                Answer::of(entrance, &function.invoke(request.event(entrance)).await)
            }
        }
    }

    /// Alice's rows as the database has them.
    pub(crate) async fn rows_of_alice(&self) -> Vec<String> {
        let each: Vec<_> = self
            .resources
            .iter()
            .map(|name| {
                format!("SELECT '{name} ' || t::text AS row FROM {name} t WHERE title LIKE 'alicesecret%'")
            })
            .collect();
        let rows = self
            .database
            .query(&format!("{} ORDER BY 1", each.join(" UNION ALL ")), &[])
            .await
            .unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    pub(crate) async fn uid_of_alice(&self, resource: &str) -> String {
        let sql = format!("SELECT uid::text FROM {resource} WHERE title LIKE 'alicesecret%'");
        self.database.query_one(&sql, &[]).await.unwrap().get(0)
    }
}

/// The request with the proof that the entrance's own authorizer gives.
fn proved(request: Request, entrance: Entrance, subject: &str, groups: &[&str]) -> Request {
    match entrance {
        Entrance::RestApi => {
            let claims = json!({"sub": subject, "cognito:groups": groups.join(",")});
            request.authorizer(json!({"claims": claims}))
        }
        Entrance::HttpApi => {
            let claims = json!({"sub": subject, "cognito:groups": format!("[{}]", groups.join(" "))});
            request.authorizer(json!({"jwt": {"claims": claims, "scopes": null}}))
        }
        // A URL's own authorizer knows no groups, so a token is sent instead.
        Entrance::FunctionUrl | Entrance::LoadBalancer | Entrance::LoadBalancerMultiValue => {
            request.header("Authorization", &format!("Bearer {}", KEY.token(subject, groups)))
        }
    }
}

/// The key of a user pool.
struct Key {
    jwks: String,
    signing: EncodingKey,
}

static KEY: LazyLock<Key> = LazyLock::new(|| {
    let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
    let part = |number: &rsa::BigUint| URL_SAFE_NO_PAD.encode(number.to_bytes_be());
    let jwk = json!({"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "one", "n": part(key.n()), "e": part(key.e())});
    Key {
        jwks: json!({"keys": [jwk]}).to_string(),
        signing: EncodingKey::from_rsa_der(key.to_pkcs1_der().unwrap().as_bytes()),
    }
});

impl Key {
    fn token(&self, subject: &str, groups: &[&str]) -> String {
        let claims: Value = json!({
            "iss": format!("https://cognito-idp.eu-west-1.amazonaws.com/{POOL}"), "sub": subject, "token_use": "access",
            "client_id": "app", "cognito:groups": groups, "exp": 4_000_000_000_u64,
        });
        let header = Header {
            kid: Some("one".to_owned()),
            ..Header::new(Algorithm::RS256)
        };
        jsonwebtoken::encode(&header, &claims, &self.signing).unwrap()
    }
}
