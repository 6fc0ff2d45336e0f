//! Holds the arrows between the crates, and a few habits of the source that no lint knows.
//!
//! It reads what cargo says about the workspace; it does not judge how a crate is written inside.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read the workspace has failed"
)]

mod graph;
mod promises;
mod skips;
mod source;

use graph::{Kind, Workspace, default_tree};

const DOMAIN: &str = "rowstamp-domain";
const DERIVE: &str = "rowstamp-derive";
const PORTS: &str = "rowstamp-ports";
const REST: &str = "rowstamp-rest";
const TESTS: &str = "rowstamp-tests";
const BENCHES: &str = "rowstamp-benches";
/// What may see everything.
const OUTSIDE: [&str; 2] = [TESTS, BENCHES];
const ADAPTERS: [&str; 8] = [
    REST,
    "rowstamp-api-gateway",
    "rowstamp-http",
    "rowstamp-cognito",
    "rowstamp-postgres",
    "rowstamp-rds",
    "rowstamp-memory",
    "rowstamp-telemetry",
];
const APPS: [&str; 2] = ["rowstamp-lambda", "rowstamp-local"];

/// Whether a crate of the registry speaks to PostgreSQL.
fn is_driver(name: &str) -> bool {
    name.starts_with("tokio-postgres")
        || name.starts_with("postgres-")
        || ["postgres", "refinery", "refinery-core", "sqlx", "diesel"].contains(&name)
}

/// Whether a crate belongs to the AWS SDK, which only `rds` may bring into a build.
fn is_aws_sdk(name: &str) -> bool {
    name.starts_with("aws-sdk-")
        || name.starts_with("aws-smithy-")
        || [
            "aws-config",
            "aws-sigv4",
            "aws-credential-types",
            "aws-types",
            "aws-runtime",
        ]
        .contains(&name)
}

/// Whether a crate knows Lambda: its runtime or its events.
fn is_lambda(name: &str) -> bool {
    name.starts_with("lambda_") || name.starts_with("lambda-") || name == "aws_lambda_events"
}

/// Whether a crate belongs to OpenTelemetry, which only `telemetry` may bring into a build.
fn is_opentelemetry(name: &str) -> bool {
    name.starts_with("opentelemetry")
}

/// Whether a crate gives futures something to run on.
fn is_runtime(name: &str) -> bool {
    ["tokio", "async-std", "smol", "mio"].contains(&name)
}

/// Whether a crate speaks HTTP.
fn is_http(name: &str) -> bool {
    ["http", "http-body", "hyper", "reqwest", "axum", "h2"].contains(&name)
}

#[test]
fn every_crate_of_the_workspace_has_a_place_in_the_house() {
    let mut known: Vec<&str> = [DOMAIN, DERIVE, PORTS]
        .into_iter()
        .chain(ADAPTERS)
        .chain(APPS)
        .chain(OUTSIDE)
        .collect();
    known.sort_unstable();
    assert_eq!(
        Workspace::load().members(),
        known,
        "a new crate needs a line in this test"
    );
}

#[test]
fn arrows_between_crates_point_inwards_only() {
    let workspace = Workspace::load();
    let allowed = |from: &str| -> Vec<&str> {
        match from {
            DERIVE => vec![],
            // The derive macro's tests and examples write out a resource.
            DOMAIN => vec![DERIVE],
            PORTS => vec![DOMAIN],
            _ if ADAPTERS.contains(&from) => vec![DOMAIN, PORTS],
            _ if APPS.contains(&from) => [DOMAIN, PORTS].into_iter().chain(ADAPTERS).collect(),
            _ => [DOMAIN, DERIVE, PORTS]
                .into_iter()
                .chain(ADAPTERS)
                .chain(APPS)
                // The benches drive the emulator that the tests are driven with.
                .chain((from == BENCHES).then_some(TESTS))
                .collect(),
        }
    };
    let mut wrong = Vec::new();
    for from in workspace.members() {
        // Development dependencies count too: a test that needs another adapter belongs in `tests`.
        for to in workspace.direct(from, &[Kind::Normal, Kind::Build, Kind::Dev]) {
            let within_itself = to == from;
            if workspace.is_member(to) && !within_itself && !allowed(from).contains(&to) {
                wrong.push(format!("{from} -> {to}"));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that the house forbids: {wrong:#?}");
}

#[test]
fn crates_bring_in_nothing_that_is_not_their_business() {
    type Judge = fn(&str) -> bool;
    let workspace = Workspace::load();
    let clock_free: Judge =
        |name| is_runtime(name) || is_http(name) || is_driver(name) || is_aws_sdk(name) || is_lambda(name);
    let port: Judge = |name| is_driver(name) || is_aws_sdk(name) || is_lambda(name);
    let core: Judge = |name| is_driver(name) || is_aws_sdk(name) || is_lambda(name) || name == "hyper";
    let no_cloud: Judge = |name| is_aws_sdk(name) || is_lambda(name);
    let no_database: Judge = is_driver;
    let rules: [(&str, Judge); 13] = [
        (DERIVE, clock_free),
        (DOMAIN, clock_free),
        (PORTS, port),
        (REST, core),
        ("rowstamp-http", no_cloud),
        ("rowstamp-http", no_database),
        ("rowstamp-cognito", no_cloud),
        ("rowstamp-postgres", no_cloud),
        ("rowstamp-memory", port),
        ("rowstamp-api-gateway", |name| is_driver(name) || is_aws_sdk(name)),
        ("rowstamp-rds", |name| is_driver(name) || is_lambda(name)),
        ("rowstamp-telemetry", port),
        ("rowstamp-local", is_lambda),
    ];
    let mut wrong = Vec::new();
    for (from, forbidden) in rules {
        for path in workspace.paths_from(from, &[Kind::Normal, Kind::Build]) {
            if forbidden(path.last().unwrap()) {
                wrong.push(path.join(" -> "));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "dependencies that the house forbids: {wrong:#?}"
    );
}

#[test]
fn each_vendors_crates_have_one_door() {
    type Judge = fn(&str) -> bool;
    let doors: [(&str, Judge); 2] = [
        ("rowstamp-rds", is_aws_sdk),
        ("rowstamp-telemetry", is_opentelemetry),
    ];
    let workspace = Workspace::load();
    let mut wrong = Vec::new();
    for (door, is_theirs) in doors {
        for from in workspace.members().into_iter().filter(|name| *name != door) {
            for to in workspace.direct(from, &[Kind::Normal, Kind::Build, Kind::Dev]) {
                // The tests' collector reads what was sent.
                let reads = from == TESTS && to == "opentelemetry-proto";
                if is_theirs(to) && !reads {
                    wrong.push(format!("{from} -> {to}, which is {door}'s"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "only one crate may depend on these: {wrong:#?}");
}

/// The crates that look for AWS credentials outside Lambda, with what they ask by HTTPS.
const CHAIN: [&str; 5] = [
    "aws-config",
    "aws-sdk-sso",
    "aws-sdk-ssooidc",
    "aws-sdk-sts",
    "aws-smithy-http-client",
];

#[test]
fn a_function_compiles_nothing_that_looks_for_credentials_outside_lambda() {
    let tree = default_tree("rowstamp-lambda");
    assert!(
        tree.iter().any(|name| name == "aws-sdk-rds"),
        "the tree was not read: {tree:?}"
    );
    let chain: Vec<_> = tree
        .iter()
        .filter(|name| CHAIN.contains(&name.as_str()))
        .collect();
    assert!(
        chain.is_empty(),
        "the default build of rowstamp-lambda compiles {chain:?}"
    );
}

#[test]
fn nobody_compiles_opentelemetry_who_does_not_ask_for_it() {
    for application in APPS {
        let tree = default_tree(application);
        let found: Vec<_> = tree.iter().filter(|name| is_opentelemetry(name)).collect();
        assert!(tree.iter().any(|name| name == DOMAIN), "{tree:?}");
        assert!(
            found.is_empty(),
            "the default build of {application} compiles {found:?}"
        );
    }
}

#[test]
fn no_feature_brings_a_second_implementation_of_tls() {
    let workspace = Workspace::load();
    let mut wrong = Vec::new();
    for from in workspace.members() {
        for path in workspace.paths_from(from, &[Kind::Normal, Kind::Build, Kind::Dev]) {
            let name = path.last().unwrap();
            if [
                "aws-lc-rs",
                "aws-lc-sys",
                "openssl",
                "openssl-sys",
                "native-tls",
                "s2n-tls",
            ]
            .contains(name)
            {
                wrong.push(path.join(" -> "));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "rustls with ring is the one implementation: {wrong:#?}"
    );
}

#[test]
fn cargo_run_compiles_no_aws_crate() {
    let tree = default_tree("rowstamp-local");
    assert!(
        tree.iter().any(|name| name == DOMAIN),
        "the tree was not read: {tree:?}"
    );
    let aws: Vec<_> = tree
        .iter()
        .filter(|name| is_aws_sdk(name) || is_lambda(name))
        .collect();
    assert!(
        aws.is_empty(),
        "the default build of rowstamp-local compiles {aws:?}"
    );
}

#[test]
fn every_crate_inherits_the_lints_of_the_workspace() {
    let workspace = Workspace::load();
    for (name, manifest) in workspace.manifests() {
        let text = std::fs::read_to_string(manifest).unwrap();
        let inherits = text
            .split_once("[lints]")
            .is_some_and(|(_, rest)| rest.trim_start().starts_with("workspace = true"));
        assert!(inherits, "{name} does not say `[lints] workspace = true`");
    }
}

#[test]
fn no_source_file_silences_a_lint_without_a_reason() {
    let root = Workspace::load().root().to_owned();
    let bare = source::bare_allows(&root);
    assert!(
        bare.is_empty(),
        "write #[expect(lint, reason = \"…\")] instead: {bare:#?}"
    );
}

#[test]
fn a_silenced_lint_is_told_from_one_with_a_reason() {
    let attribute = |inner: &str| format!("{}{inner}", concat!("#", "["));
    let cases = [
        (attribute("allow(dead_code)]"), 1),
        (attribute("allow(dead_code, reason = \"why\")]"), 0),
        (attribute("allow(\n    dead_code,\n    reason = \"why\"\n)]"), 0),
        (attribute("expect(dead_code, reason = \"why\")]"), 0),
        (concat!("#!", "[allow(dead_code)]").to_owned(), 1),
        (format!("// {}", attribute("allow(dead_code)]")), 0),
    ];
    for (text, expected) in cases {
        assert_eq!(source::count_bare_allows(&text), expected, "{text}");
    }
}

#[test]
fn every_test_that_the_page_about_failures_names_is_there() {
    let root = Workspace::load().root().to_owned();
    let page = std::fs::read_to_string(root.join("docs/reliability.md")).unwrap();
    let files = source::rust_files(&root);
    let named = promises::named_tests(&page);
    assert!(named.len() > 80, "only {} names were found", named.len());
    let gone: Vec<_> = named
        .into_iter()
        .filter(|(module, test)| !promises::is_there(&files, module, test))
        .collect();
    assert!(gone.is_empty(), "{gone:?}");
}
