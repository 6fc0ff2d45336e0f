//! What is asked of the function, as events of an HTTP API; the same for whoever counts and whoever takes the time.

use anyhow::bail;

use crate::tables;

/// One request of a kind.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The method.
    pub method: &'static str,
    /// The path.
    pub path: String,
    /// The query string.
    pub query: &'static str,
    /// The body.
    pub body: Option<String>,
    /// The status of the answer.
    pub status: u16,
}

impl Asked {
    /// The names of all kinds, in the order in which they are shown.
    pub const NAMES: [&'static str; 8] = [
        "one",
        "list-25",
        "list-1000",
        "filtered",
        "embedded",
        "insert",
        "update",
        "bulk-1000",
    ];

    /// The request of this name.
    ///
    /// # Errors
    /// When there is none.
    pub fn named(name: &str) -> anyhow::Result<Self> {
        let one = format!("/books/{}", tables::FIRST);
        let get = |path: String, query| Self {
            method: "GET",
            path,
            query,
            body: None,
            status: 200,
        };
        Ok(match name {
            "one" => get(one, ""),
            "list-25" => get("/books".to_owned(), "limit=25"),
            "list-1000" => get("/books".to_owned(), "limit=1000"),
            "filtered" => get(
                "/books".to_owned(),
                "pages=gt.300&status=eq.published&order=title.desc,uid&limit=25",
            ),
            "embedded" => get(
                "/editions".to_owned(),
                "select=uid,title,printed_on,publisher:publishers(uid,name)&limit=25",
            ),
            "insert" => Self {
                method: "POST",
                path: "/books".to_owned(),
                query: "",
                body: Some(tables::NEW.to_owned()),
                status: 201,
            },
            "update" => Self {
                method: "PATCH",
                path: one,
                query: "",
                body: Some(tables::CHANGE.to_owned()),
                status: 200,
            },
            "bulk-1000" => Self {
                method: "POST",
                path: "/books".to_owned(),
                query: "",
                body: Some(tables::many(1000)),
                status: 201,
            },
            _ => bail!("there is no request {name}"),
        })
    }

    /// As an event of an HTTP API (payload version 2).
    pub fn event(&self) -> String {
        let Self {
            method, path, query, ..
        } = self;
        serde_json::json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": query,
            "headers": {
                "accept": "*/*",
                "content-type": "application/json",
                "host": "abc.execute-api.eu-west-1.amazonaws.com",
                "user-agent": "bench",
                "x-amzn-trace-id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700",
                "x-forwarded-for": "192.0.2.1",
                "x-forwarded-port": "443",
                "x-forwarded-proto": "https"
            },
            "requestContext": {
                "accountId": "123456789012", "apiId": "abc", "domainName": "abc.execute-api.eu-west-1.amazonaws.com",
                "http": {
                    "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "bench"
                },
                "requestId": "JKJaXmPLvHcESHA=", "routeKey": "$default", "stage": "$default",
                "time": "22/Nov/2026:12:00:00 +0000", "timeEpoch": 1_795_348_800_000_u64
            },
            "body": self.body,
            "isBase64Encoded": false
        })
        .to_string()
    }
}
