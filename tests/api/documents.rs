//! What is generated from the code: the page of error codes, and the OpenAPI document as a public validator sees it.

use std::path::{Path, PathBuf};
use std::process::Command;

use rowstamp_rest::problem::codes;
use rowstamp_tests::skip::skip;

use crate::app::{App, Store};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

#[test]
fn the_page_of_error_codes_is_what_the_code_says() {
    let path = repository().join("docs/errors.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (introduction, _) = page.split_once("<!-- generated -->\n").unwrap();
    let expected = format!("{introduction}<!-- generated -->\n\n{}", codes::reference());
    if std::env::var_os("ROWSTAMP_WRITE_DOCS").is_some() {
        std::fs::write(&path, &expected).unwrap();
        return;
    }
    assert!(
        page == expected,
        "run this test with ROWSTAMP_WRITE_DOCS=1 to write docs/errors.md anew"
    );
}

#[tokio::test]
async fn the_openapi_document_passes_a_public_validator() {
    let Some(python) = python_with_validator() else {
        return;
    };
    let app = App::library(Store::Memory).await;
    let document = app.request("GET /openapi.json").send().await;
    let file = std::env::temp_dir().join(format!("rowstamp-openapi-{}.json", std::process::id()));
    std::fs::write(&file, &document.body).unwrap();
    let program = "import json, sys; from openapi_spec_validator import validate; validate(json.load(open(sys.argv[1])))";
    let output = Command::new(python)
        .args(["-c", program])
        .arg(&file)
        .output()
        .unwrap();
    std::fs::remove_file(&file).unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A Python that has `openapi-spec-validator`: the system's, or one made once under `target/` with pip.
fn python_with_validator() -> Option<PathBuf> {
    let has_validator = |python: &Path| {
        let import = Command::new(python)
            .args(["-c", "import openapi_spec_validator"])
            .output();
        import.is_ok_and(|output| output.status.success())
    };
    let system = PathBuf::from("python3");
    if has_validator(&system) {
        return Some(system);
    }
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("openapi-spec-validator");
    let own = home.join("bin/python");
    if !has_validator(&own) {
        let made = Command::new(&system).args(["-m", "venv"]).arg(&home).output();
        let pip = Command::new(&own)
            .args(["-m", "pip", "install", "--quiet", "openapi-spec-validator==0.9.0"])
            .output();
        if made.is_err() || pip.is_err() || !has_validator(&own) {
            skip("openapi-spec-validator is not there and cannot be installed with python3 and pip");
            return None;
        }
    }
    Some(own)
}
