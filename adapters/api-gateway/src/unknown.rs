//! Naming an event that is no request for us, so that the message says what was seen.
//!
//! Only kinds and key names are named, shortened; values could be anybody's data.

use serde_json::{Map, Value};

/// What kind of thing `event` is, in a few words.
pub(crate) fn describe(event: &[u8]) -> String {
    match serde_json::from_slice::<Value>(event) {
        Err(_) if event.is_empty() => "nothing at all".to_owned(),
        Err(_) => "it is not JSON".to_owned(),
        Ok(Value::Null) => "it is null".to_owned(),
        Ok(Value::Bool(_)) => "it is a boolean".to_owned(),
        Ok(Value::Number(_)) => "it is a number".to_owned(),
        Ok(Value::String(_)) => "it is a string".to_owned(),
        Ok(Value::Array(_)) => "it is an array".to_owned(),
        Ok(Value::Object(event)) => describe_object(&event),
    }
}

fn describe_object(event: &Map<String, Value>) -> String {
    let has = |name: &str| event.contains_key(name);
    let within = |name: &str, inner: &str| event.get(name).is_some_and(|value| value.get(inner).is_some());
    if event.is_empty() {
        return "it is an empty object".to_owned();
    }
    if let Some(source) = record_source(event) {
        return format!("it is a batch of records from {source}");
    }
    if has("methodArn") || has("routeArn") {
        return "it is a request to a Lambda authorizer".to_owned();
    }
    if within("requestContext", "connectionId") {
        return "it is a WebSocket message of API Gateway".to_owned();
    }
    if within("requestContext", "serviceArn") || has("raw_path") {
        return "it is a request of VPC Lattice".to_owned();
    }
    if has("detail-type") {
        return "it is an EventBridge event".to_owned();
    }
    if has("triggerSource") {
        return "it is a Cognito trigger".to_owned();
    }
    if has("requestContext") {
        return if has("httpMethod") || within("requestContext", "http") {
            "it looks like a request, but a field of it has an unexpected type".to_owned()
        } else {
            "it has a requestContext, but no HTTP method".to_owned()
        };
    }
    let named = event
        .keys()
        .take(8)
        .map(|key| shortened(key))
        .collect::<Vec<_>>()
        .join(", ");
    let more = if event.len() > 8 { ", …" } else { "" };
    format!("it is an object with the keys {named}{more}")
}

fn record_source(event: &Map<String, Value>) -> Option<String> {
    let record = event.get("Records")?.get(0)?;
    // SNS spells it with a capital letter.
    let source = record.get("eventSource").or_else(|| record.get("EventSource"))?;
    source.as_str().map(shortened)
}

/// At most 40 characters, none of them able to break a log line.
fn shortened(text: &str) -> String {
    text.chars().take(40).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_arrives_is_named() {
        for (event, expected) in [
            ("", "nothing at all"),
            ("not json", "it is not JSON"),
            ("{\"a\":", "it is not JSON"),
            ("null", "it is null"),
            ("true", "it is a boolean"),
            ("7", "it is a number"),
            (r#""text""#, "it is a string"),
            ("[1]", "it is an array"),
            ("{}", "it is an empty object"),
            (
                r#"{"Records":[{"eventSource":"aws:sqs","body":"secret"}]}"#,
                "it is a batch of records from aws:sqs",
            ),
            (
                r#"{"Records":[{"EventSource":"aws:sns"}]}"#,
                "it is a batch of records from aws:sns",
            ),
            (r#"{"Records":[]}"#, "it is an object with the keys Records"),
            (
                r#"{"type":"TOKEN","methodArn":"arn"}"#,
                "it is a request to a Lambda authorizer",
            ),
            (
                r#"{"version":"2.0","type":"REQUEST","routeArn":"arn"}"#,
                "it is a request to a Lambda authorizer",
            ),
            (
                r#"{"requestContext":{"connectionId":"c"}}"#,
                "it is a WebSocket message of API Gateway",
            ),
            (
                r#"{"version":"2.0","requestContext":{"serviceArn":"a"}}"#,
                "it is a request of VPC Lattice",
            ),
            (
                r#"{"detail-type":"Scheduled Event"}"#,
                "it is an EventBridge event",
            ),
            (
                r#"{"triggerSource":"TokenGeneration"}"#,
                "it is a Cognito trigger",
            ),
            (
                r#"{"httpMethod":7,"requestContext":{}}"#,
                "it looks like a request, but a field of it has an unexpected type",
            ),
            (
                r#"{"requestContext":{}}"#,
                "it has a requestContext, but no HTTP method",
            ),
            (
                r#"{"key\n1":"v","key2":1}"#,
                "it is an object with the keys key\\n1, key2",
            ),
            (
                r#"{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1}"#,
                "it is an object with the keys a, b, c, d, e, f, g, h, …",
            ),
        ] {
            assert_eq!(describe(event.as_bytes()), expected, "{event}");
        }
    }

    #[test]
    fn a_long_key_is_shortened() {
        let event = format!("{{\"{}\":1}}", "k".repeat(1000));
        assert_eq!(
            describe(event.as_bytes()),
            format!("it is an object with the keys {}", "k".repeat(40))
        );
    }
}
