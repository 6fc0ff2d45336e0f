//! The `rowstamp` command over HTTP, as somebody with a terminal meets it.
//!
//! What a request means is tested elsewhere without a socket; here everything is real: program, socket, PostgreSQL.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod commands;
mod drifted;
mod fuzz;
mod injection;
mod life;
mod migrators;
mod patience;
mod refusals;
mod rows;
mod tokens;

use rowstamp_local::provision::TestDatabase;
use rowstamp_tests::served::{Directory, Served};

/// The example's definitions as a file, since a named database never gets the example itself.
const LIBRARY: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../app-local/src/example/library.toml"
);

/// The library in a database of its own, served.
struct Library {
    served: Served,
    directory: Directory,
    _database: TestDatabase,
}

impl Library {
    fn open(variables: &[(&str, &str)]) -> Self {
        let (directory, database) = (Directory::new(), TestDatabase::create());
        let arguments = ["--resources", LIBRARY, "--database", database.url(), "--migrate"];
        let served = Served::start(&directory, &arguments, variables);
        Self {
            served,
            directory,
            _database: database,
        }
    }

    fn client(&self, subject: &str, groups: &[&str]) -> rowstamp_tests::http_client::Client {
        self.served.client(&self.directory, subject, groups)
    }
}
