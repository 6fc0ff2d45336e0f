//! PostgREST's own clients against the served API: what they send is answered as they expect.
//!
//! The suites stand beside this file, in the clients' languages; here they get a server, tokens, and the clients themselves.

mod install;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rowstamp_local::provision::TestDatabase;
use rowstamp_tests::route::{OpenRoute, Route};
use rowstamp_tests::served::{Directory, Served, run, token};
use rowstamp_tests::skip::skip;

/// The library, served, and a directory for one suite.
struct Library {
    served: Served,
    directory: Directory,
    /// Closed before the database is dropped.
    _route: OpenRoute,
    _database: TestDatabase,
}

impl Library {
    /// Served by this route to its database.
    fn open(route: Route) -> Self {
        let (directory, database) = (Directory::new(), TestDatabase::create());
        let definitions = sources("library.toml");
        let definitions = definitions.to_str().expect("the path is UTF-8");
        let migrate = ["migrate", "up", "--resources", definitions];
        let migrated = run(
            &directory,
            &[&migrate[..], &["--database", database.url()]].concat(),
        );
        let said = String::from_utf8_lossy(&migrated.stderr);
        assert!(migrated.status.success(), "{said}");
        let open = route.to(database.url());
        let arguments = ["--resources", definitions, "--database", open.url()];
        let served = Served::start(&directory, &arguments, open.variables());
        Self {
            served,
            directory,
            _route: open,
            _database: database,
        }
    }

    /// Runs a suite to its end and gives what it said.
    fn run(&self, command: &mut Command) -> String {
        let url = format!("http://{}", self.served.address());
        let output = command
            .current_dir(self.directory.path())
            .env("ROWSTAMP_URL", url)
            .env(
                "ROWSTAMP_TOKEN",
                token(&self.directory, "ursula", &["librarians"]),
            )
            .env("ROWSTAMP_OTHER_TOKEN", token(&self.directory, "owen", &[]))
            .env("NO_PROXY", "*")
            .env_remove("NODE_OPTIONS")
            .output()
            .expect("the program is there");
        let said = [output.stdout, output.stderr].map(|out| String::from_utf8_lossy(&out).into_owned());
        let said = said.concat();
        assert!(output.status.success(), "{said}");
        said
    }

    /// Copies the files of a suite to where it runs, since they find what is installed beside them.
    fn copy(&self, suite: &str, ending: &str) -> Vec<PathBuf> {
        let mut copies = Vec::new();
        for entry in fs::read_dir(sources(suite)).expect("the suite is there") {
            let file = entry.expect("the suite can be read").path();
            if file.to_string_lossy().ends_with(ending) {
                let copy = self
                    .directory
                    .path()
                    .join(file.file_name().expect("it is a file"));
                fs::copy(&file, &copy).expect("the directory can be written");
                copies.push(copy);
            }
        }
        copies.sort();
        copies
    }
}

fn sources(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(name)
}

/// Runs the tests of some JavaScript files.
fn run_javascript(route: Route, wanted: impl Fn(&str) -> bool) {
    let node_modules = match install::node_modules(&sources("js")) {
        Ok(installed) => installed,
        Err(reason) => return skip(&reason),
    };
    let library = Library::open(route);
    let link = library.directory.path().join("node_modules");
    std::os::unix::fs::symlink(node_modules, link).expect("the directory can be written");
    let files = library.copy("js", ".js").into_iter().filter(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".test.js") && wanted(&name)
    });
    fs::write(
        library.directory.path().join("package.json"),
        r#"{"type": "module"}"#,
    )
    .expect("the directory can be written");
    let said = library.run(
        Command::new("node")
            .args(["--test", "--test-reporter=tap"])
            .args(files),
    );
    for line in ["# skipped 0", "# todo 0", "# cancelled 0"] {
        assert!(said.lines().any(|said| said == line), "not `{line}`: {said}");
    }
    assert!(!said.lines().any(|line| line == "# pass 0"), "{said}");
}

/// Runs the tests of the Python client.
fn run_python(route: Route) {
    let packages = match install::python_packages(&sources("python")) {
        Ok(installed) => installed,
        Err(reason) => return skip(&reason),
    };
    let library = Library::open(route);
    library.copy("python", ".py");
    let said = library.run(
        Command::new("python3")
            .args(["-m", "unittest", "discover", "--pattern", "*_test.py"])
            .env("PYTHONPATH", packages)
            .env("PYTHONDONTWRITEBYTECODE", "1"),
    );
    assert!(
        said.contains("OK") && !said.contains("skipped=") && !said.contains("Ran 0"),
        "{said}"
    );
}

fn is_of_react_admin(file: &str) -> bool {
    file.starts_with("react_admin")
}

#[test]
fn postgrest_js_works() {
    run_javascript(Route::Direct, |file| !is_of_react_admin(file));
}

#[test]
fn postgrest_js_works_through_a_pooler() {
    run_javascript(Route::Pooled, |file| !is_of_react_admin(file));
}

#[test]
fn the_data_provider_of_react_admin_works() {
    run_javascript(Route::Direct, is_of_react_admin);
}

#[test]
fn the_data_provider_of_react_admin_works_through_a_pooler() {
    run_javascript(Route::Pooled, is_of_react_admin);
}

#[test]
fn postgrest_py_works() {
    run_python(Route::Direct);
}

#[test]
fn postgrest_py_works_through_a_pooler() {
    run_python(Route::Pooled);
}
