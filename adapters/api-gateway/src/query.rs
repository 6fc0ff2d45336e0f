//! Query strings: taken as they are, joined, or encoded again where the event delivers them decoded.

use std::fmt::Write as _;

use serde_json::value::RawValue;

use crate::pairs::for_each_pair;

/// The query string of decoded parameters, form-encoded.
///
/// # Errors
/// What was wrong with the map, in words.
pub(crate) fn encoded(parameters: &RawValue) -> Result<String, String> {
    let mut query = String::new();
    for_each_pair(parameters, &mut |name, value| {
        separate(&mut query);
        encode(&mut query, name);
        query.push('=');
        encode(&mut query, value);
        Ok(())
    })?;
    Ok(query)
}

/// The query string of parameters that are still encoded, as a load balancer delivers them.
///
/// # Errors
/// What was wrong with the map, in words.
pub(crate) fn joined(parameters: &RawValue) -> Result<String, String> {
    let mut query = String::new();
    for_each_pair(parameters, &mut |name, value| {
        separate(&mut query);
        query.push_str(name);
        query.push('=');
        query.push_str(value);
        Ok(())
    })?;
    Ok(query)
}

fn separate(query: &mut String) {
    if !query.is_empty() {
        query.push('&');
    }
}

/// Writes `text` so that form-decoding gives it back: a space as `%20`, and nothing that could separate pairs.
fn encode(query: &mut String, text: &str) {
    for &byte in text.as_bytes() {
        match byte {
            b'A'..=b'Z'
            | b'a'..=b'z'
            | b'0'..=b'9'
            | b'-'
            | b'.'
            | b'_'
            | b'~'
            | b'*'
            | b'('
            | b')'
            | b','
            | b':' => {
                query.push(char::from(byte));
            }
            _ => {
                let _ = write!(query, "%{byte:02X}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    use super::*;

    fn raw(json: &str) -> &RawValue {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn decoded_parameters_are_encoded_again() {
        for (json, expected) in [
            (r"{}", ""),
            (r#"{"a":["1","2"],"b":["3"]}"#, "a=1&a=2&b=3"),
            (
                r#"{"title":["eq.War & Peace=100%"]}"#,
                "title=eq.War%20%26%20Peace%3D100%25",
            ),
            (
                r#"{"name":["eq.M\u00fcller+Söhne"]}"#,
                "name=eq.M%C3%BCller%2BS%C3%B6hne",
            ),
            (r#"{"or":["(a.eq.1,b.lt.2)"]}"#, "or=(a.eq.1,b.lt.2)"),
            (r#"{"flag":""}"#, "flag="),
            (r#"{"a":null,"b":"2"}"#, "b=2"),
        ] {
            assert_eq!(encoded(raw(json)).unwrap(), expected, "{json}");
        }
    }

    #[test]
    fn encoded_parameters_are_left_alone() {
        for (json, expected) in [
            (r"{}", ""),
            (r#"{"a":"War%20%26+Peace","b":"2"}"#, "a=War%20%26+Peace&b=2"),
            (r#"{"a":["1","2"]}"#, "a=1&a=2"),
        ] {
            assert_eq!(joined(raw(json)).unwrap(), expected, "{json}");
        }
    }
}
