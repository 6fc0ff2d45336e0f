//! The transcripts in the pages for readers, typed into a real shell against the real command, line for line.
//!
//! Every block marked `console` of a page is one session. A `uid`, a time, a token or an entity tag of an answer need not be
//! the one that is printed; everything else must be.

mod page;
mod session;

use std::path::Path;

use page::Step;
use rowstamp_local::provision::TestDatabase;
use rowstamp_tests::served::{Directory, Served};
use rowstamp_tests::skip::skip;

fn check(file: &str) {
    check_with(file, |_| None);
}

/// Checks a page whose examples are about resources of their own: those of its first `toml` block.
fn check_with_own_resources(file: &str) {
    check_with(file, |page| page.split("```toml\n").nth(1)?.split("```").next());
}

fn check_with(file: &str, resources: impl Fn(&str) -> Option<&str>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = std::fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    let steps = page::steps(&text);
    assert!(!steps.is_empty(), "{file} shows no transcript");
    if let Some(reason) = session::missing_programs() {
        return skip(&reason);
    }
    let directory = Directory::new();
    if let Some(resources) = resources(&text) {
        std::fs::write(directory.path().join("resources.toml"), resources)
            .expect("the directory can be written");
    }
    let served = Served::start(&directory, &[], &[]);
    let own = TestDatabase::create();
    let session = session::Session {
        directory: &directory,
        address: served.address().to_string(),
        database_url: own.url(),
        checkout: &root,
    };
    let commands: Vec<&Step> = steps.iter().filter(|step| !step.starts_the_server()).collect();
    let said = session.run(&commands);
    let mut wrong = Vec::new();
    for step in steps.iter().filter(|step| step.starts_the_server()) {
        let greeting = served
            .greeting()
            .replace(&served.address().to_string(), page::ADDRESS);
        wrong.extend(step.compare(greeting.trim()));
    }
    for (step, said) in commands.iter().zip(&said) {
        wrong.extend(step.compare(said));
    }
    assert!(wrong.is_empty(), "{file}\n{}", wrong.join("\n"));
}

#[test]
fn the_first_five_minutes_go_as_the_readme_tells() {
    check("README.md");
}

#[test]
fn the_http_api_answers_as_its_page_tells() {
    check("docs/http.md");
}

#[test]
fn the_command_does_on_a_machine_of_ones_own_what_its_page_tells() {
    check("docs/local.md");
}

#[test]
fn tables_come_to_be_as_their_page_tells() {
    check("docs/migrations.md");
}

#[test]
fn queries_are_answered_as_their_page_teaches() {
    check_with_own_resources("docs/queries.md");
}
