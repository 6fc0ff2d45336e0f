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
mod sql;
mod tokens;
mod words;

use rowstamp_local::provision::TestDatabase;
use rowstamp_tests::http_client::Client;
use rowstamp_tests::route::{OpenRoute, Route};
use rowstamp_tests::served::{Directory, Served, run};
use rowstamp_tests::tests_each_way;

tests_each_way! {
    [direct = Route::Direct, pooled = Route::Pooled]
    {
        rows {
            a_row_is_created_read_replaced_patched_listed_and_deleted
            head_says_what_get_would_and_options_says_what_goes
            health_and_the_contract_are_there_for_everybody
            every_answer_carries_the_name_of_its_request
            a_base_path_is_part_of_every_address
        }
        refusals {
            every_kind_of_bad_input_is_answered_clearly
            everything_wrong_with_a_body_is_told_at_once
            a_conflict_names_the_field
            a_body_over_the_limit_is_refused
        }
        tokens {
            rules_follow_the_caller
            an_invalid_token_is_refused_even_where_anyone_may_enter
            beyond_loopback_no_development_token_counts
        }
        fuzz {
            requests_made_from_the_document_never_fail_the_server
        }
    }
}

/// The example's definitions as a file, since a named database never gets the example itself.
const LIBRARY: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../app-local/src/example/library.toml"
);

/// The library in a database of its own, served.
struct Library {
    served: Served,
    directory: Directory,
    /// Closed before the database is dropped.
    _route: OpenRoute,
    database: TestDatabase,
}

impl Library {
    fn open(variables: &[(&str, &str)]) -> Self {
        Self::by(Route::Direct, variables)
    }

    /// Served by this route to its database.
    fn by(route: Route, variables: &[(&str, &str)]) -> Self {
        Self::of(LIBRARY, route, &[], variables)
    }

    /// Of these definitions, with more arguments.
    fn of(definitions: &str, route: Route, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let (directory, database) = (Directory::new(), TestDatabase::create());
        if route == Route::Pooled {
            // Tables are not touched through a pooler.
            let direct = ["--resources", definitions, "--database", database.url()];
            let migrated = run(&directory, &[&["migrate", "up"], &direct[..]].concat());
            let said = String::from_utf8_lossy(&migrated.stderr);
            assert!(migrated.status.success(), "{said}");
        }
        let open = route.to(database.url());
        let mut all = vec!["--resources", definitions, "--database", open.url()];
        if route == Route::Direct {
            all.push("--migrate");
        }
        all.extend(arguments);
        let served = Served::start(&directory, &all, &[variables, open.variables()].concat());
        Self {
            served,
            directory,
            _route: open,
            database,
        }
    }

    fn client(&self, subject: &str, groups: &[&str]) -> Client {
        self.served.client(&self.directory, subject, groups)
    }
}
