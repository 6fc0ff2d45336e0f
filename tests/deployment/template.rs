//! What linters let pass: wrong kinds of processors and runtimes, rights that reach too far, settings that nobody reads.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub(crate) fn path() -> PathBuf {
    root().join("app-lambda/deploy/template.yaml")
}

pub(crate) fn text() -> String {
    std::fs::read_to_string(path()).unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The values that the template gives to `key`, wherever it stands at the beginning of a line.
fn values<'a>(template: &'a str, key: &str) -> BTreeSet<&'a str> {
    template
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix(key)?.strip_prefix(": "))
        .map(str::trim)
        .collect()
}

/// The names of variables of one kind that a text speaks of.
fn variables(text: &str) -> BTreeSet<&str> {
    text.split(|character: char| !(character.is_ascii_alphanumeric() || character == '_'))
        .filter(|word| {
            (word.starts_with("ROWSTAMP_") || word.starts_with("PG"))
                && word.len() > 2
                && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        })
        .collect()
}

#[test]
fn functions_run_on_the_runtime_and_the_processors_that_they_are_built_for() {
    let template = text();
    assert_eq!(values(&template, "Runtime"), BTreeSet::from(["provided.al2023"]));
    assert_eq!(values(&template, "Architectures"), BTreeSet::from(["[arm64]"]));
    assert_eq!(values(&template, "Handler"), BTreeSet::from(["bootstrap"]));
}

#[test]
fn roles_may_log_in_as_one_user_of_one_server_and_nothing_else() {
    let template = text();
    assert_eq!(
        values(&template, "Action"),
        BTreeSet::from(["rds-db:connect", "sts:AssumeRole"])
    );
    let resources = template
        .lines()
        .map(str::trim)
        .filter(|line| line.contains(":rds-db:"))
        .collect::<Vec<_>>();
    assert!(!resources.is_empty());
    for resource in resources {
        assert!(!resource.contains('*'), "{resource}");
        assert!(resource.ends_with("User}"), "{resource}");
    }
}

#[test]
fn the_database_is_private_encrypted_and_not_lost_by_accident() {
    let template = text();
    for (key, value) in [
        ("PubliclyAccessible", "false"),
        ("StorageEncrypted", "true"),
        ("EnableIAMDatabaseAuthentication", "true"),
        ("ManageMasterUserPassword", "true"),
        ("DeletionProtection", "true"),
        ("RequireTLS", "true"),
    ] {
        assert_eq!(values(&template, key), BTreeSet::from([value]), "{key}");
    }
}

#[test]
fn every_variable_that_the_template_sets_is_a_setting() {
    let template = text();
    let page = std::fs::read_to_string(root().join("docs/configuration.md")).unwrap();
    let known = variables(&page);
    let set = variables(&template);
    assert!(set.contains("ROWSTAMP_DB_AUTH"), "{set:?}");
    let unknown: Vec<_> = set.difference(&known).collect();
    assert!(unknown.is_empty(), "nobody reads {unknown:?}");
}

#[test]
fn what_the_page_on_deployment_names_is_in_the_template() {
    let template = text();
    let page = std::fs::read_to_string(root().join("docs/deployment.md")).unwrap();
    let (_, outputs) = template.split_once("\nOutputs:\n").unwrap();
    let (_, parameters) = template.split_once("\nParameters:\n").unwrap();
    let (parameters, _) = parameters.split_once("\nConditions:\n").unwrap();
    let mut asked = 0;
    // `$(output Name)` in the page's commands, and `Name=value` among the parameters that it overrides.
    for name in page.split("$(output ").skip(1) {
        let name = name.split(')').next().unwrap();
        assert!(outputs.contains(&format!("\n  {name}:\n")) || outputs.starts_with(&format!("  {name}:\n")));
        asked += 1;
    }
    for line in page.lines().filter(|line| line.contains("--parameter-overrides")) {
        let (_, overrides) = line.split_once("--parameter-overrides").unwrap();
        for pair in overrides.split_whitespace() {
            let name = pair.split('=').next().unwrap();
            assert!(parameters.contains(&format!("  {name}:\n")), "{name}");
            asked += 1;
        }
    }
    assert!(asked > 3, "the page names next to nothing");
}
