//! Addresses that keys may be fetched from.
//!
//! `https`, since whoever can change a key on its way can be anybody; plain `http` only on this machine, for emulators.

use std::fmt;
use std::net::IpAddr;

use http::Uri;

/// An address whose answer can be believed as far as its server's certificate can.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyUrl {
    pub(super) secure: bool,
    pub(super) host: String,
    pub(super) port: u16,
    /// Path and query.
    pub(super) target: String,
}

impl KeyUrl {
    /// Reads `https://host[:port]/path`, or `http://` with a loopback address or `localhost`.
    ///
    /// # Errors
    /// What is expected, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let expected = || "expected an address such as https://example.com/jwks.json".to_owned();
        let uri: Uri = text.parse().map_err(|_| expected())?;
        let authority = uri.authority().ok_or_else(expected)?;
        if authority.as_str().contains('@') || text.contains('#') {
            return Err("expected an address without user name and fragment".to_owned());
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if is_this_machine(host) => false,
            Some("http") => return Err("expected https, but on a loopback address".to_owned()),
            _ => return Err(expected()),
        };
        Ok(Self {
            secure,
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(if secure { 443 } else { 80 }),
            target: uri
                .path_and_query()
                .map_or("/", http::uri::PathAndQuery::as_str)
                .to_owned(),
        })
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl fmt::Display for KeyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        match (self.secure, self.port) {
            (true, 443) | (false, 80) => write!(f, "{scheme}://{host}{}", self.target),
            (_, port) => write!(f, "{scheme}://{host}:{port}{}", self.target),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_can_be_believed_are_taken() {
        for (text, expected) in [
            ("https://a.example/k.json", Some("https://a.example/k.json")),
            (
                "https://a.example:8443/k?x=1",
                Some("https://a.example:8443/k?x=1"),
            ),
            ("https://a.example", Some("https://a.example/")),
            ("http://127.0.0.1:5000/k", Some("http://127.0.0.1:5000/k")),
            ("http://localhost/k", Some("http://localhost/k")),
            ("http://[::1]:5000/k", Some("http://[::1]:5000/k")),
            ("http://a.example/k", None),
            ("http://127.0.0.1.a.example/k", None),
            ("http://10.0.0.1/k", None),
            ("https://user@a.example/k", None),
            ("https://a.example/k#f", None),
            ("ftp://a.example/k", None),
            ("file:///etc/passwd", None),
            ("/k.json", None),
            ("a.example", None),
            ("", None),
            ("https:///k", None),
        ] {
            let read = KeyUrl::parse(text).map(|url| url.to_string());
            assert_eq!(read.ok().as_deref(), expected, "{text}");
        }
    }
}
