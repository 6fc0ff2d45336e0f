//! Hostile text in every place where a request can carry text: no 5xx, and not a letter of it in any statement.
//!
//! The server writes down each statement as it got it, parameters apart; what is looked for there is a word that every text holds.

use hyper::Method;
use rowstamp_tests::postgres_server::PostgresServer;
use rowstamp_tests::served::{Directory, Served};

pub(crate) const DEFINITION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/library.toml");
/// Is in every hostile text.
const WORD: &str = "zq9x";
/// Begins every entry of the server's log.
const ENTRY: &str = "@entry@ ";

/// What breaks servers that paste text into SQL, JSON, headers, logs or file names.
const HOSTILE: [&str; 36] = [
    "zq9x' OR '1'='1",
    "zq9x'; DROP TABLE books; --",
    "zq9x\"; DROP TABLE books; --",
    "zq9x\\'; SELECT pg_sleep(20); --",
    "zq9x) UNION SELECT usename, passwd FROM pg_shadow --",
    "zq9x)); DELETE FROM authors; COMMIT; --",
    "1; SET ROLE postgres; zq9x",
    "zq9x/**/OR/**/1=1",
    "/* zq9x */ 1 --",
    "zq9x||pg_read_file('/etc/passwd')||",
    "$$zq9x$$",
    "$zq9x$; SELECT 1; $zq9x$",
    "E'zq9x\\x27'",
    "zq9x\u{2019} OR \u{2018}1\u{2019}=\u{2018}1",
    "zq9x\u{ff07} OR 1=1",
    "zq9x\u{0}' OR 1=1",
    "zq9x\r\nX-Injected: yes",
    "zq9x\n2026-01-01 ERROR forged line",
    "zq9x\u{1b}[31m",
    "zq9x::regclass",
    "zq9x::text; --",
    "(zq9x)",
    "{zq9x,\"a\"}",
    "[\"zq9x\"]",
    "zq9x->>'a'",
    "zq9x->'a'->>'b' = 'c",
    "eq.zq9x' --",
    "in.(zq9x','b')",
    "like.%zq9x'",
    "or(zq9x.eq.1)",
    "zq9x!inner(*)",
    "...zq9x(*)",
    "../../zq9x/etc/passwd",
    "${jndi:ldap://zq9x}",
    "<script>zq9x</script>",
    "zq9x%27%20OR%201%3D1",
];

/// Where in a request's target such a text can stand.
const TARGETS: [&str; 41] = [
    "/books?title=eq.{}",
    "/books?title={}",
    "/books?title=not.like.{}",
    "/books?title=imatch.{}",
    "/books?title=in.({})",
    "/books?title=in.(\"{}\")",
    "/books?title=like(any).{{}}",
    "/books?title=isdistinct.{}",
    "/books?blurb=fts.{}",
    "/books?blurb=wfts(english).{}",
    "/books?blurb=plfts({}).word",
    "/books?keywords=cs.{{}}",
    "/books?keywords=ov.{{}}",
    "/books?details=cs.{}",
    "/books?details->>{}=eq.a",
    "/books?details->\"{}\"->>0=eq.a",
    "/books?status=eq.{}",
    "/books?pages=gt.{}",
    "/books?uid=eq.{}",
    "/books?{}=eq.1",
    "/books?or=(title.eq.{},pages.gt.1)",
    "/books?or=(title.eq.\"{}\",pages.gt.1)",
    "/books?and=({})",
    "/books?select={}",
    "/books?select={}:title",
    "/books?select=\"{}\":title",
    "/books?select=title::{}",
    "/books?select=details->>{}",
    "/books?select=details->\"{}\"",
    "/books?select={}:authors(name)",
    "/books?select=authors!{}(name)",
    "/books?select=title,authors({})",
    "/books?select=title,authors(name)&authors.name=eq.{}",
    "/books?select=author:authors(\"{}\":name)&author.order=name",
    "/books?order={}",
    "/books?order=details->>{}.desc",
    "/books?limit={}",
    "/books?offset={}",
    "/books?cursor={}",
    "/books/{}",
    "/{}",
];

/// Headers that are read.
const HEADERS: [&str; 12] = [
    "Accept",
    "Prefer",
    "Range",
    "Content-Type",
    "If-Match",
    "If-None-Match",
    "Accept-Profile",
    "Content-Profile",
    "Authorization",
    "Origin",
    "X-Request-Id",
    "Idempotency-Key",
];

/// Method, target, headers and body.
type Asked = (Method, String, Vec<(&'static str, String)>, String);

#[tokio::test]
async fn hostile_text_is_a_value_or_refused_wherever_it_stands() {
    let settings = [
        ("log_statement", "all"),
        ("log_line_prefix", ENTRY),
        ("log_min_messages", "log"),
    ];
    let Some(postgres) = PostgresServer::start(&settings) else {
        return;
    };
    let directory = Directory::new();
    let url = postgres.url();
    let served = Served::start(
        &directory,
        &["--resources", DEFINITION, "--database", &url, "--migrate"],
        &[],
    );
    let client = served.client(&directory, "alice", &["librarians"]);
    let row = r#"{"title": "kept", "details": {"a": ["b"]}, "keywords": ["k"], "blurb": "some words"}"#;
    let kept = client.send(Method::POST, "/books", &[], row).await;
    assert_eq!(kept.status, 201, "{}", kept.text());
    let item = format!("/books/{}", kept.json()["uid"].as_str().unwrap());

    let mut requests = 0_u32;
    for text in HOSTILE {
        assert!(text.contains(WORD), "{text}");
        let mut asked: Vec<Asked> = Vec::new();
        for target in TARGETS {
            let target = target.replacen("{}", &encoded(text), 1);
            asked.push((Method::GET, target.clone(), vec![], String::new()));
            if target.starts_with("/books?") {
                // The same on writes; each is undone.
                for method in [Method::PATCH, Method::DELETE] {
                    let undone = vec![("Prefer", "tx=rollback,return=representation".to_owned())];
                    asked.push((method, target.clone(), undone, r#"{"pages": 1}"#.to_owned()));
                }
                let form = "application/x-www-form-urlencoded".to_owned();
                let body = target.trim_start_matches("/books?").to_owned();
                asked.push((
                    Method::POST,
                    "/books/query".to_owned(),
                    vec![("Content-Type", form)],
                    body,
                ));
            }
        }
        for name in HEADERS {
            let value: String = text
                .chars()
                .filter(|character| (' '..='~').contains(character))
                .collect();
            let body = r#"{"title": "t"}"#.to_owned();
            asked.push((
                Method::GET,
                "/books".to_owned(),
                vec![(name, value.clone())],
                String::new(),
            ));
            asked.push((Method::POST, "/books".to_owned(), vec![(name, value)], body));
        }
        let json = serde_json::Value::from(text).to_string();
        for field in [
            "title",
            "isbn",
            "price",
            "status",
            "keywords",
            "details",
            "author_uid",
            "uid",
            "published_on",
        ] {
            for body in [
                format!("{{\"title\": \"t\", \"{field}\": {json}}}"),
                format!("[{{\"title\": \"t\", \"{field}\": {json}}}]"),
            ] {
                asked.push((Method::POST, "/books".to_owned(), vec![], body.clone()));
                asked.push((
                    Method::PATCH,
                    item.clone(),
                    vec![("Prefer", "tx=rollback".to_owned())],
                    body,
                ));
            }
        }
        asked.push((
            Method::POST,
            "/books".to_owned(),
            vec![],
            format!("{{{json}: 1, \"title\": \"t\"}}"),
        ));
        asked.push((Method::POST, "/books".to_owned(), vec![], text.to_owned()));
        for target in [
            "/books?columns={}",
            "/books?on_conflict={}",
            "/books?select=title,\"{}\":isbn",
        ] {
            let merge = vec![(
                "Prefer",
                "resolution=merge-duplicates,return=representation".to_owned(),
            )];
            let target = target.replacen("{}", &encoded(text), 1);
            asked.push((Method::POST, target, merge, r#"[{"title": "t"}]"#.to_owned()));
        }
        let csv = vec![("Content-Type", "text/csv".to_owned())];
        for body in [
            format!("title\n{text}\n"),
            format!("title\n\"{text}\"\n"),
            format!("{text},title\na,b\n"),
        ] {
            asked.push((Method::POST, "/books".to_owned(), csv.clone(), body));
        }

        for (method, target, headers, body) in asked {
            requests += 1;
            let headers: Vec<_> = headers
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            let answer = client
                .send(method.clone(), &as_uri(&target), &headers, &body)
                .await;
            assert!(
                answer.status < 500,
                "{method} {target} {headers:?} {body}: {}",
                answer.text()
            );
            assert_eq!(answer.header("x-injected"), "", "{method} {target}");
        }
    }
    assert!(requests > 5_000, "{requests}");

    let found = client.get("/books?title=eq.kept&select=title").await;
    assert_eq!(found.text(), r#"[{"title":"kept"}]"#);
    let log = postgres.log();
    let statements: Vec<_> = log
        .split(ENTRY)
        .filter(|entry| !entry.starts_with("DETAIL:"))
        .collect();
    assert!(
        statements.iter().any(|entry| entry.contains("\"title\"")),
        "nothing was written down"
    );
    let altered: Vec<_> = statements
        .iter()
        // What the database says of a value is not a statement: `invalid input syntax for type json`, and its CONTEXT.
        .filter(|entry| {
            ["LOG:", "STATEMENT:"].iter().any(|kind| entry.starts_with(kind)) && entry.contains(WORD)
        })
        .collect();
    assert!(altered.is_empty(), "statements hold what was sent: {altered:#?}");
}

/// What a URI may not hold as it is, encoded.
fn as_uri(target: &str) -> String {
    let mut uri = String::with_capacity(target.len());
    for character in target.chars() {
        match character {
            '"' | '<' | '>' | '{' | '}' | '\\' | '^' | '`' | '|' | ' ' => {
                uri.push_str(&encoded(character.encode_utf8(&mut [0; 4])));
            }
            character => uri.push(character),
        }
    }
    uri
}

fn encoded(text: &str) -> String {
    percent_encoding::percent_encode(text.as_bytes(), percent_encoding::NON_ALPHANUMERIC).to_string()
}
