//! Any text as a query: it is refused or read, and what was read prints as text that reads back as the same.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use rowstamp_domain::definition::{ApiDefinition, FieldId, ResourceDefinition, toml};
use rowstamp_domain::query::grammar::{Filtered, parse_columns, parse_on_conflict, parse_rule};
use rowstamp_domain::query::{Condition, Query, Reach, Scope, Select, Unreachable};

static LIBRARY: LazyLock<ApiDefinition> = LazyLock::new(|| {
    let text = include_str!("../../src/query/grammar/tests/library.toml");
    toml::parse("library.toml", text).expect("the definition is right")
});

struct Everything;

impl Reach for Everything {
    fn may_read(&self, _: &ResourceDefinition, _: FieldId) -> bool {
        true
    }

    fn embedded(&self, _: &ResourceDefinition) -> Result<Condition, Unreachable> {
        Ok(Condition::Always)
    }
}

fuzz_target!(|text: &str| {
    let scope = Scope {
        api: &LIBRARY,
        resource: &LIBRARY.resources[0],
        reach: &Everything,
    };
    let pairs = || text.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    if let Ok(parsed) = Query::parse(pairs(), &scope) {
        let printed = parsed.query.to_parameters(scope.resource);
        let again = printed.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let again = Query::parse(again, &scope).map(|parsed| parsed.query);
        assert_eq!(again.as_ref(), Ok(&parsed.query), "{printed:?}");
    }
    let _ = Filtered::parse(pairs(), &scope);
    let _ = Select::parse(pairs(), &scope);
    let _ = parse_columns(text, scope.resource);
    let _ = parse_on_conflict(text, &scope);
    let _ = parse_rule(text, scope.resource);
});
