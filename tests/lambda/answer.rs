//! Answers of each kind, taken out of their envelopes.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rowstamp_tests::runtime_api::Answer as FunctionAnswer;
use serde_json::Value;

use crate::event::Entrance;

/// An answer as the client of an entrance gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u64,
    /// Several values of one name are joined.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Answer {
    /// Opens the envelope, and checks that it is the one the entrance asks for.
    #[track_caller]
    pub(crate) fn of(entrance: Entrance, answer: &FunctionAnswer) -> Self {
        let FunctionAnswer::Response(bytes) = answer else {
            panic!("the invocation failed: {answer:?}");
        };
        let envelope: Value = serde_json::from_slice(bytes).unwrap();
        let mut headers = BTreeMap::new();
        for map in ["headers", "multiValueHeaders"] {
            for (name, value) in envelope[map].as_object().into_iter().flatten() {
                let value = match value {
                    Value::Array(values) => values
                        .iter()
                        .map(|value| value.as_str().unwrap())
                        .collect::<Vec<_>>()
                        .join(", "),
                    value => value.as_str().unwrap().to_owned(),
                };
                assert!(
                    headers.insert(name.clone(), value).is_none(),
                    "{name} is there twice"
                );
            }
        }
        let has = |name: &str| envelope.get(name).is_some();
        let of_load_balancer = matches!(
            entrance,
            Entrance::LoadBalancer | Entrance::LoadBalancerMultiValue
        );
        assert_eq!(has("statusDescription"), of_load_balancer, "{envelope}");
        assert_eq!(
            has("headers"),
            entrance != Entrance::LoadBalancerMultiValue,
            "{envelope}"
        );
        let text = envelope["body"].as_str().unwrap();
        let body = if envelope["isBase64Encoded"].as_bool().unwrap() {
            String::from_utf8(STANDARD.decode(text).unwrap()).unwrap()
        } else {
            text.to_owned()
        };
        Self {
            status: envelope["statusCode"].as_u64().unwrap(),
            headers,
            body,
        }
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .unwrap_or_else(|| panic!("no header {name} in {:?}", self.headers))
    }

    /// The answer without what differs from one request to the next, and from one entrance to the other: events of payload
    /// version 1 do not keep the order of a query's parameters, which `Link` repeats.
    pub(crate) fn without_request_id(mut self) -> Self {
        self.headers.remove("x-request-id");
        if let Some(link) = self.headers.get_mut("link")
            && let Some((query, rest)) = link.trim_start_matches("<?").split_once('>')
        {
            let mut parameters: Vec<&str> = query.split('&').collect();
            parameters.sort_unstable();
            *link = format!("<?{}>{rest}", parameters.join("&"));
        }
        self
    }
}
