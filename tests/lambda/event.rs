//! Events of each kind, made from one description of a request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// Where an event comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entrance {
    RestApi,
    HttpApi,
    FunctionUrl,
    LoadBalancer,
    LoadBalancerMultiValue,
}

impl Entrance {
    pub(crate) const ALL: [Self; 5] = [
        Self::RestApi,
        Self::HttpApi,
        Self::FunctionUrl,
        Self::LoadBalancer,
        Self::LoadBalancerMultiValue,
    ];
}

/// A request, before it is put into an event.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    method: String,
    path: String,
    /// Names and values as people mean them, not encoded.
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Option<String>,
    is_base64: bool,
    authorizer: Value,
    user_arn: Option<String>,
}

impl Request {
    /// Such as `GET /authors`.
    pub(crate) fn new(line: &str) -> Self {
        let (method, path) = line.split_once(' ').unwrap();
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            is_base64: false,
            authorizer: Value::Null,
            user_arn: None,
        }
    }

    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.header("Content-Type", "application/json")
            .body(&body.to_string())
    }

    pub(crate) fn body(mut self, body: &str) -> Self {
        self.body = Some(body.to_owned());
        self
    }

    /// The same body in base64.
    pub(crate) fn in_base64(mut self) -> Self {
        self.body = self.body.map(|body| STANDARD.encode(body));
        self.is_base64 = true;
        self
    }

    /// The body as it is, called base64.
    pub(crate) fn called_base64(mut self) -> Self {
        self.is_base64 = true;
        self
    }

    /// What an authorizer of a gateway says: `requestContext.authorizer`.
    pub(crate) fn authorizer(mut self, authorizer: Value) -> Self {
        self.authorizer = authorizer;
        self
    }

    /// The IAM identity of payload version 1.
    pub(crate) fn user_arn(mut self, arn: &str) -> Self {
        self.user_arn = Some(arn.to_owned());
        self
    }

    pub(crate) fn method(&self) -> &str {
        &self.method
    }

    /// The event that `entrance` makes of it.
    pub(crate) fn event(&self, entrance: Entrance) -> String {
        match entrance {
            Entrance::RestApi => self.version_1(),
            Entrance::HttpApi => self.version_2("dev", &format!("/dev{}", self.path)),
            Entrance::FunctionUrl => self.version_2("$default", &self.path),
            Entrance::LoadBalancer => self.load_balancer(false),
            Entrance::LoadBalancerMultiValue => self.load_balancer(true),
        }
        .to_string()
    }

    fn version_1(&self) -> Value {
        let query = multi(&self.query);
        json!({
            "resource": "/{proxy+}",
            "path": self.path,
            "httpMethod": self.method,
            "headers": single(&self.headers),
            "multiValueHeaders": multi(&self.headers),
            "queryStringParameters": if query.is_empty() { Value::Null } else { single(&self.query).into() },
            "multiValueQueryStringParameters": if query.is_empty() { Value::Null } else { query.into() },
            "pathParameters": {"proxy": self.path.trim_start_matches('/')},
            "stageVariables": null,
            "requestContext": {
                "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
                "stage": "prod",
                "path": format!("/prod{}", self.path),
                "httpMethod": self.method,
                "authorizer": self.authorizer,
                "identity": {"sourceIp": "203.0.113.7", "userArn": self.user_arn},
            },
            "body": self.body,
            "isBase64Encoded": self.is_base64,
        })
    }

    fn version_2(&self, stage: &str, path: &str) -> Value {
        let raw_query: Vec<String> = self
            .query
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        let mut headers = Map::new();
        for (name, value) in &self.headers {
            let joined = match headers.get(&name.to_lowercase()).and_then(Value::as_str) {
                Some(before) => format!("{before},{value}"),
                None => value.clone(),
            };
            headers.insert(name.to_lowercase(), joined.into());
        }
        let mut event = json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": raw_query.join("&"),
            "headers": headers,
            "requestContext": {
                "requestId": "JKJaXmPLvHcESHA=",
                "stage": stage,
                "http": {"method": self.method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7"},
            },
            "isBase64Encoded": self.is_base64,
        });
        if let Some(body) = &self.body {
            event["body"] = json!(body);
        }
        if !self.authorizer.is_null() {
            event["requestContext"]["authorizer"] = self.authorizer.clone();
        }
        event
    }

    fn load_balancer(&self, multi_value: bool) -> Value {
        let headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| (name.to_lowercase(), value.clone()))
            .chain([(
                "x-amzn-trace-id".to_owned(),
                "Root=1-5c536348-3d683b8b04734faae651f476".to_owned(),
            )])
            .collect();
        let query: Vec<_> = self
            .query
            .iter()
            .map(|(name, value)| (encoded(name), encoded(value)))
            .collect();
        let mut event = json!({
            "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/l/4"}},
            "httpMethod": self.method,
            "path": self.path,
            "body": self.body.as_deref().unwrap_or_default(),
            "isBase64Encoded": self.is_base64,
        });
        if multi_value {
            event["multiValueHeaders"] = multi(&headers).into();
            event["multiValueQueryStringParameters"] = multi(&query).into();
        } else {
            event["headers"] = single(&headers).into();
            event["queryStringParameters"] = single(&query).into();
        }
        event
    }

    pub(crate) fn parts(&self) -> (&str, String, &[(String, String)], &str) {
        let query: Vec<String> = self
            .query
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        let target = if query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{}", self.path, query.join("&"))
        };
        (
            &self.method,
            target,
            &self.headers,
            self.body.as_deref().unwrap_or_default(),
        )
    }
}

/// The last value of each name.
fn single(pairs: &[(String, String)]) -> Map<String, Value> {
    pairs
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect()
}

/// All values of each name.
fn multi(pairs: &[(String, String)]) -> Map<String, Value> {
    let mut map = Map::new();
    for (name, value) in pairs {
        match map.entry(name.clone()).or_insert_with(|| json!([])) {
            Value::Array(values) => values.push(json!(value)),
            _ => unreachable!("every value is an array"),
        }
    }
    map
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
