//! The library of the store's tests, and what faults need beside it.

#[expect(dead_code, reason = "not every operation is at fault")]
#[path = "../store_postgres/fixture.rs"]
mod library;

pub(crate) use library::{Fixture, context, json, text};

use rowstamp_ports::{Problems, Vars};
use rowstamp_postgres::Settings;
use uuid::Uuid;

/// Settings from variables, as an application reads them.
pub(crate) fn settings(pairs: &[(&str, &str)]) -> Settings {
    let vars = Vars::new(
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    let mut problems = Problems::new();
    let settings = Settings::read(&vars, &mut problems);
    problems.into_result(settings).unwrap()
}

impl Fixture {
    /// A new book whose title is a number.
    pub(crate) async fn book_titled(&self, number: usize) -> Uuid {
        self.book(&number.to_string()).await
    }
}
