//! Which definitions are served: those built into the program, those of a file, or the example.
//!
//! What a definition may say is judged by `rowstamp_domain`.

use std::io;

use rowstamp_ports::{Problems, Vars};
use rowstamp_rest::{Api, BuiltApi};

/// The example library.
pub(crate) const EXAMPLE: &str = include_str!("example/library.toml");

const DEFAULT_FILE: &str = "resources.toml";
const VARIABLE: &str = "ROWSTAMP_RESOURCES";

/// Where definitions came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    BuiltIn,
    File,
    Example,
}

/// The definitions to work with; what is wrong with them goes to `problems`.
///
/// The example is never what somebody with a database of their own meant.
pub(crate) fn load(
    built_in: Option<Api>,
    vars: &Vars,
    database_is_named: bool,
    problems: &mut Problems,
) -> Option<(BuiltApi, Origin)> {
    let (api, origin) = match built_in {
        Some(api) => (api, Origin::BuiltIn),
        None => read(vars, database_is_named, problems)?,
    };
    match api.build() {
        Ok(api) => Some((api, origin)),
        Err(mistakes) => {
            problems.report("the definitions", mistakes);
            None
        }
    }
}

fn read(vars: &Vars, database_is_named: bool, problems: &mut Problems) -> Option<(Api, Origin)> {
    let named = vars.get(VARIABLE);
    let path = named.unwrap_or(DEFAULT_FILE);
    let (file_name, text, origin) = match std::fs::read_to_string(path) {
        Ok(text) => (path, text, Origin::File),
        Err(error) if error.kind() == io::ErrorKind::NotFound && named.is_none() => {
            if database_is_named {
                problems.report(
                    VARIABLE,
                    format!("there is no {DEFAULT_FILE} here; name a definition file (the example is for a private database)"),
                );
                return None;
            }
            ("library.toml", EXAMPLE.to_owned(), Origin::Example)
        }
        Err(error) => {
            problems.report(VARIABLE, format!("{path}: {error}"));
            return None;
        }
    };
    match Api::from_toml(file_name, &text) {
        Ok(api) => Some((api, origin)),
        Err(mistakes) => {
            problems.report(
                VARIABLE,
                match mistakes.mistakes.len() {
                    1 => format!("one mistake\n{mistakes}"),
                    count => format!("{count} mistakes\n{mistakes}"),
                },
            );
            None
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn load_from(resources: Option<&str>, database_is_named: bool) -> Result<Origin, String> {
        let vars = Vars::new(resources.map(|path| (VARIABLE.to_owned(), path.to_owned())));
        let mut problems = Problems::new();
        load(None, &vars, database_is_named, &mut problems)
            .map(|(_, origin)| origin)
            .ok_or(problems.to_string())
    }

    #[test]
    fn the_example_is_whole_and_relies_on_no_default_rule() {
        let (api, origin) = load(None, &Vars::default(), false, &mut Problems::new()).unwrap();
        assert_eq!(origin, Origin::Example);
        assert_eq!(api.definition().resources.len(), 3);
        for resource in &api.definition().resources {
            assert_eq!(
                resource.undeclared_access,
                Vec::<&str>::new(),
                "{}",
                resource.name
            );
        }
    }

    #[test]
    fn the_example_shows_every_type() {
        let api = rowstamp_domain::definition::toml::parse("library.toml", EXAMPLE).unwrap();
        for scalar in rowstamp_domain::field_type::ScalarType::ALL {
            let shown = api
                .resources
                .iter()
                .flat_map(|resource| &resource.fields)
                .any(|field| field.ty.scalar == scalar);
            assert!(shown, "{} is not shown", scalar.name());
        }
    }

    #[test]
    fn a_named_database_never_gets_the_example() {
        assert_eq!(load_from(None, false), Ok(Origin::Example));
        assert!(load_from(None, true).unwrap_err().contains("resources.toml"));
    }

    #[test]
    fn a_file_that_was_named_must_be_there_and_say_something() {
        assert!(
            load_from(Some("/no/such/file.toml"), false)
                .unwrap_err()
                .contains("/no/such/file.toml")
        );
    }

    #[test]
    fn every_mistake_of_a_file_is_told_at_once() {
        let path = std::env::temp_dir().join(format!("rowstamp-mistakes-{}.toml", std::process::id()));
        let text = "[resources.books.fields]\ntitle = { type = \"txt\" }\npages = { typ = \"integer\" }\n";
        std::fs::write(&path, text).unwrap();
        let told = load_from(path.to_str(), false);
        std::fs::remove_file(&path).unwrap();
        let told = told.unwrap_err();
        assert!(told.contains(":2:") && told.contains(":3:"), "{told}");
    }
}
