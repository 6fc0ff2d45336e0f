//! What the spans come from: the service, and on Lambda the function (OpenTelemetry's semantic conventions for resources).
//!
//! Nothing is looked up; it is what variables say.

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use rowstamp_ports::{Problems, Vars};

use crate::settings::{Place, pairs};

/// Of a later one of the same name the value counts, so that people's own words come last.
pub(crate) fn read(vars: &Vars, place: Place, problems: &mut Problems) -> Resource {
    let mut attributes = vec![
        KeyValue::new("telemetry.sdk.name", "opentelemetry"),
        KeyValue::new("telemetry.sdk.language", "rust"),
    ];
    match place {
        Place::Machine => attributes.push(KeyValue::new("service.name", "rowstamp")),
        Place::Lambda => of_function(vars, &mut attributes),
    }
    for pair in pairs(vars.get("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default()) {
        let Some((name, value)) = pair else {
            problems.report(
                "OTEL_RESOURCE_ATTRIBUTES",
                "expected attributes such as team=library, with commas between",
            );
            break;
        };
        attributes.push(KeyValue::new(name, value));
    }
    if let Some(name) = vars.get("OTEL_SERVICE_NAME") {
        attributes.push(KeyValue::new("service.name", name.to_owned()));
    }
    Resource::builder_empty().with_attributes(attributes).build()
}

fn of_function(vars: &Vars, attributes: &mut Vec<KeyValue>) {
    attributes.push(KeyValue::new("cloud.provider", "aws"));
    attributes.push(KeyValue::new("cloud.platform", "aws_lambda"));
    let named = [
        ("service.name", "AWS_LAMBDA_FUNCTION_NAME"),
        ("cloud.region", "AWS_REGION"),
        ("faas.name", "AWS_LAMBDA_FUNCTION_NAME"),
        ("faas.version", "AWS_LAMBDA_FUNCTION_VERSION"),
        ("faas.instance", "AWS_LAMBDA_LOG_STREAM_NAME"),
    ];
    for (attribute, variable) in named {
        if let Some(value) = vars.get(variable) {
            attributes.push(KeyValue::new(attribute, value.to_owned()));
        }
    }
    let megabytes = vars.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE");
    if let Some(megabytes) = megabytes.and_then(|text| text.parse::<i64>().ok()) {
        attributes.push(KeyValue::new(
            "faas.max_memory",
            megabytes.saturating_mul(1_048_576),
        ));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn attributes(pairs: &[(&str, &str)], place: Place) -> BTreeMap<String, String> {
        let pairs = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut problems = Problems::new();
        let resource = read(&Vars::new(pairs), place, &mut problems);
        assert_eq!(problems.to_string(), "");
        let attributes = resource.iter();
        attributes
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .filter(|(name, _)| !name.starts_with("telemetry."))
            .collect()
    }

    fn expected(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_service_has_a_name_and_what_people_say_of_it() {
        let more = (
            "OTEL_RESOURCE_ATTRIBUTES",
            "service.name=shelf,deployment.environment.name=north%20wing",
        );
        for (pairs, name) in [
            (&[][..], "rowstamp"),
            (&[more], "shelf"),
            (&[more, ("OTEL_SERVICE_NAME", "library")], "library"),
        ] {
            let found = attributes(pairs, Place::Machine);
            assert_eq!(found.get("service.name").map(String::as_str), Some(name));
            let environment = found.get("deployment.environment.name").map(String::as_str);
            assert_eq!(environment, (!pairs.is_empty()).then_some("north wing"));
        }
    }

    #[test]
    fn a_function_tells_what_lambda_says_of_it() {
        let found = attributes(
            &[
                ("AWS_LAMBDA_FUNCTION_NAME", "library"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "7"),
                ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/11/22/[7]abc"),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
                ("AWS_REGION", "eu-west-1"),
                ("AWS_SECRET_ACCESS_KEY", "hush"),
            ],
            Place::Lambda,
        );
        assert_eq!(
            found,
            expected(&[
                ("service.name", "library"),
                ("cloud.provider", "aws"),
                ("cloud.platform", "aws_lambda"),
                ("cloud.region", "eu-west-1"),
                ("faas.name", "library"),
                ("faas.version", "7"),
                ("faas.instance", "2026/11/22/[7]abc"),
                ("faas.max_memory", "268435456"),
            ])
        );
    }
}
