//! Holds the arrows between the crates, and a few habits of the source that no lint knows.
//!
//! It reads what cargo says about the workspace; it does not judge how a crate is written inside.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read the workspace has failed"
)]

mod graph;
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
const ADAPTERS: [&str; 7] = [
    REST,
    "rowstamp-api-gateway",
    "rowstamp-http",
    "rowstamp-cognito",
    "rowstamp-postgres",
    "rowstamp-rds",
    "rowstamp-memory",
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
    let rules: [(&str, Judge); 12] = [
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
fn only_the_rds_adapter_names_an_aws_sdk_crate() {
    let workspace = Workspace::load();
    let mut wrong = Vec::new();
    for from in workspace
        .members()
        .into_iter()
        .filter(|name| *name != "rowstamp-rds")
    {
        for to in workspace.direct(from, &[Kind::Normal, Kind::Build, Kind::Dev]) {
            if is_aws_sdk(to) {
                wrong.push(format!("{from} -> {to}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "only rowstamp-rds may depend on the AWS SDK: {wrong:#?}"
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
