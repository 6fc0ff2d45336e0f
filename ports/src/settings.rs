//! Variables and what is wrong with them: each adapter reads its own settings from [`Vars`] and reports to [`Problems`].
//!
//! Only the two applications fill `Vars` from the environment.

use std::collections::BTreeMap;
use std::fmt;

use crate::Secret;

/// Named settings. `Debug` shows names only, since some values are secret.
#[derive(Clone, Default)]
pub struct Vars(BTreeMap<String, String>);

impl Vars {
    /// Settings from name and value; an empty value counts as absent, as libpq has it.
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect())
    }

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The names that have a value.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The value of `name`, in a type that does not print.
    pub fn secret(&self, name: &str) -> Option<Secret> {
        self.0.get(name).map(Secret::new)
    }

    /// Gives `name` a value, as a command-line flag of the same meaning does.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    /// The value of `name` read as a `T`; a value that cannot be read is reported and `None`.
    pub fn parse<T: std::str::FromStr>(
        &self,
        name: &str,
        expected: &str,
        problems: &mut Problems,
    ) -> Option<T> {
        let text = self.get(name)?;
        let value = text.parse().ok();
        if value.is_none() {
            problems.report(name, format!("expected {expected}"));
        }
        value
    }
}

impl fmt::Debug for Vars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

/// What is wrong with the settings, gathered so that one message tells all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(Vec<String>);

impl Problems {
    /// Nothing wrong so far.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a problem with the setting `name`. The words must not repeat a secret.
    pub fn report(&mut self, name: &str, problem: impl fmt::Display) {
        self.0.push(format!("{name}: {problem}"));
    }

    /// Whether nothing is wrong.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each problem, in the order found.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// `value` if nothing is wrong.
    ///
    /// # Errors
    /// Itself, when something is.
    pub fn into_result<T>(self, value: Option<T>) -> Result<T, Self> {
        match value {
            Some(value) if self.is_empty() => Ok(value),
            _ => Err(self),
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
