//! The ways from a program to its database that suites are run by: straight, and through a transaction pooler with few server
//! connections.
//!
//! [`tests_each_way!`](crate::tests_each_way) makes the tests; what is behind a way is up to the suite.

use crate::pgbouncer::PgBouncer;

/// How many server connections the pooler has: fewer than a program's own, so that each transaction may get another session.
const SERVER_CONNECTIONS: usize = 2;

/// A way from a program to its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Straight to the server, with prepared statements.
    Direct,
    /// Through a PgBouncer in transaction mode, with unnamed statements.
    Pooled,
}

/// A way that is open, for as long as the value is there.
#[derive(Debug)]
pub struct OpenRoute {
    url: String,
    variables: &'static [(&'static str, &'static str)],
    _bouncer: Option<PgBouncer>,
}

impl Route {
    /// Opens the way to this database. Where PgBouncer is not installed that is said on standard error, and the pooled way is
    /// the same mode without one.
    ///
    /// # Panics
    /// When PgBouncer is installed and does not start.
    pub fn to(self, database_url: &str) -> OpenRoute {
        let (variables, bouncer): (&[_], _) = match self {
            Self::Direct => (&[], None),
            Self::Pooled => (
                &[("ROWSTAMP_DB_STATEMENTS", "unnamed")],
                PgBouncer::start(database_url, SERVER_CONNECTIONS),
            ),
        };
        OpenRoute {
            url: bouncer.as_ref().map_or(database_url, PgBouncer::url).to_owned(),
            variables,
            _bouncer: bouncer,
        }
    }
}

impl OpenRoute {
    /// What belongs into `DATABASE_URL`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What belongs into the environment beside it.
    pub const fn variables(&self) -> &'static [(&'static str, &'static str)] {
        self.variables
    }
}

/// Makes a module of tests for each way, with a test of each function in it, which is given what the way is.
///
/// The functions stand in modules beside the macro and take one argument. One that is not listed is dead code, which the compiler tells.
///
/// ```rust,ignore
/// tests_each_way! {
///     [direct = Route::Direct, pooled = Route::Pooled]
///     { rows { a_row_is_created a_row_is_deleted } }
/// }
/// ```
/// makes `direct::rows::a_row_is_created` of `rows::a_row_is_created(Route::Direct)`, and so on.
#[macro_export]
macro_rules! tests_each_way {
    ([$($way:ident = $given:expr),+ $(,)?] $parts:tt) => {$(
        mod $way {
            $crate::tests_each_way!(@parts ($given) $parts);
        }
    )+};
    (@parts $given:tt { $($part:ident { $($test:ident)* })* }) => {$(
        mod $part {
            use super::super::*;

            $(
                #[tokio::test]
                async fn $test() {
                    $crate::tests_each_way!(@call $part $test $given);
                }
            )*
        }
    )*};
    (@call $part:ident $test:ident ($given:expr)) => {
        super::super::$part::$test($given).await
    };
}
