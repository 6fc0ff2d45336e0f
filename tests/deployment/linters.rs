//! `cfn-lint` and `sam validate --lint`, installed once into the build directory.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rowstamp_tests::skip::skip;

use crate::template;

/// Versions are pinned, so that a new rule of theirs breaks no build of ours.
const PACKAGES: [&str; 2] = ["cfn-lint==1.58.0", "aws-sam-cli==1.170.0"];

/// The directory of their programs, or why there is none.
///
/// # Panics
/// When there is a pip that cannot install them.
fn programs() -> Result<PathBuf, String> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("linters-{}", PACKAGES.join("-")));
    fs::create_dir_all(&directory).unwrap();
    // Another test process may be installing them.
    let lock = File::create(directory.join("lock")).unwrap();
    lock.lock().unwrap();
    let programs = directory.join("venv/bin");
    if directory.join("complete").exists() {
        return Ok(programs);
    }
    let made = Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(directory.join("venv"))
        .output();
    match made {
        Err(error) => return Err(format!("python3 cannot be run: {error}")),
        Ok(output) if !output.status.success() => {
            return Err(format!("python3 has no venv and pip: {}", said(&output)));
        }
        Ok(_) => {}
    }
    let install = Command::new(programs.join("pip"))
        .args(["install", "--quiet", "--disable-pip-version-check"])
        .args(PACKAGES)
        .output()
        .unwrap();
    assert!(install.status.success(), "{}", said(&install));
    File::create(directory.join("complete")).unwrap();
    Ok(programs)
}

fn said(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&text).into_owned()
}

fn lint(program: &Path, arguments: &[&str], template: &Path) -> Output {
    Command::new(program)
        .args(arguments)
        .arg(template)
        .env("AWS_DEFAULT_REGION", "eu-west-1")
        .env("SAM_CLI_TELEMETRY", "0")
        .output()
        .unwrap()
}

/// Both linters, each with its arguments before the template's path.
const LINTERS: [(&str, &[&str]); 2] = [
    ("cfn-lint", &["--include-checks", "I", "--"]),
    ("sam", &["validate", "--lint", "--template"]),
];

#[test]
fn the_template_has_nothing_that_its_linters_mind() {
    let programs = match programs() {
        Ok(programs) => programs,
        Err(reason) => return skip(&reason),
    };
    for (name, arguments) in LINTERS {
        let output = lint(&programs.join(name), arguments, &template::path());
        assert!(output.status.success(), "{name}: {}", said(&output));
    }
}

#[test]
fn the_linters_mind_what_is_wrong() {
    let programs = match programs() {
        Ok(programs) => programs,
        Err(reason) => return skip(&reason),
    };
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("template-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    let wrong = directory.join("template.yaml");
    let text = template::text().replace(
        "EnableIAMDatabaseAuthentication",
        "EnableIamDatabaseAuthentication",
    );
    fs::write(&wrong, text).unwrap();
    let outputs = LINTERS.map(|(name, arguments)| lint(&programs.join(name), arguments, &wrong));
    fs::remove_dir_all(&directory).unwrap();
    for (output, (name, _)) in outputs.iter().zip(LINTERS) {
        assert!(!output.status.success(), "{name} minds nothing");
        assert!(
            said(output).contains("EnableIamDatabaseAuthentication"),
            "{name}: {}",
            said(output)
        );
    }
}
