//! Where the server listens and what it lets in.
//!
//! It reads no environment; the application hands the variables over.

use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::time::Duration;

use rowstamp_ports::exchange::Entrance;
use rowstamp_ports::{Problems, Vars};

/// The server's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `ROWSTAMP_LISTEN`; port 0 means any free one.
    pub listen: SocketAddr,
    /// `ROWSTAMP_BASE_PATH`: empty, or `/api` without a trailing slash.
    pub base_path: String,
    /// `ROWSTAMP_MAX_BODY_BYTES`.
    pub max_body_bytes: usize,
    /// `ROWSTAMP_REQUEST_TIMEOUT_MS`: how long a request may take from its last byte to the answer.
    pub request_limit: Duration,
    /// How long a client may take over the head of a request, or between two requests of one connection.
    pub head_limit: Duration,
    /// How long a client may be silent within a body.
    pub body_silence_limit: Duration,
    /// How long a body may take in all, however it trickles in.
    pub body_limit: Duration,
    /// How long a client may take no byte of its answer.
    pub answer_silence_limit: Duration,
    /// How long a client may take over its answer in all, if it does not take it at once.
    pub answer_limit: Duration,
    /// How long requests in flight may go on after the stop.
    pub stop_limit: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            base_path: String::new(),
            max_body_bytes: Entrance::Http.default_body_limit_bytes(),
            request_limit: Duration::from_secs(30),
            head_limit: Duration::from_secs(30),
            body_silence_limit: Duration::from_secs(30),
            body_limit: Duration::from_mins(5),
            answer_silence_limit: Duration::from_secs(30),
            answer_limit: Duration::from_mins(5),
            stop_limit: Duration::from_secs(10),
        }
    }
}

impl Settings {
    /// Reads the variables; what is wrong with them goes to `problems`, and the default stands in.
    pub fn read(vars: &Vars, problems: &mut Problems) -> Self {
        let mut settings = Self::default();
        if let Some(text) = vars.get("ROWSTAMP_LISTEN") {
            match address(text) {
                Some(address) => settings.listen = address,
                None => problems.report(
                    "ROWSTAMP_LISTEN",
                    "expected an address and port such as 127.0.0.1:8080",
                ),
            }
        }
        if let Some(text) = vars.get("ROWSTAMP_BASE_PATH") {
            match base_path(text) {
                Some(path) => settings.base_path = path,
                None => problems.report("ROWSTAMP_BASE_PATH", "expected a path such as /api"),
            }
        }
        let expected = "a number of milliseconds greater than 0";
        if let Some(limit) = vars.parse::<u64>("ROWSTAMP_REQUEST_TIMEOUT_MS", expected, problems) {
            if limit == 0 {
                problems.report("ROWSTAMP_REQUEST_TIMEOUT_MS", format!("expected {expected}"));
            }
            settings.request_limit = Duration::from_millis(limit);
        }
        let expected = "a number of bytes greater than 0";
        if let Some(bytes) = vars.parse::<usize>("ROWSTAMP_MAX_BODY_BYTES", expected, problems) {
            if bytes == 0 {
                problems.report("ROWSTAMP_MAX_BODY_BYTES", format!("expected {expected}"));
            } else {
                settings.max_body_bytes = bytes;
            }
        }
        settings
    }
}

/// `127.0.0.1:8080`, `[::1]:0`, or `localhost:8080`. Other names are not looked up: what is listened on should not
/// depend on a name server.
fn address(text: &str) -> Option<SocketAddr> {
    if text.starts_with("localhost:") {
        return text
            .to_socket_addrs()
            .ok()?
            .find(|address| address.ip().is_loopback());
    }
    text.parse().ok()
}

fn base_path(text: &str) -> Option<String> {
    let path = text.trim_end_matches('/');
    let well_formed = path.is_empty()
        || (path.starts_with('/')
            && path.bytes().all(|byte| {
                byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'"' | b'<' | b'>' | b'\\')
            }));
    well_formed.then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> (Settings, Vec<String>) {
        let mut problems = Problems::new();
        let vars = Vars::new(
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let settings = Settings::read(&vars, &mut problems);
        (settings, problems.iter().map(ToOwned::to_owned).collect())
    }

    #[test]
    fn without_variables_it_listens_on_loopback() {
        let (settings, problems) = read(&[]);
        assert!(settings.listen.ip().is_loopback());
        assert_eq!((settings.max_body_bytes, problems.len()), (6_000_000, 0));
    }

    #[test]
    fn variables_are_read() {
        let (settings, problems) = read(&[
            ("ROWSTAMP_LISTEN", "0.0.0.0:99"),
            ("ROWSTAMP_BASE_PATH", "/api/v1/"),
            ("ROWSTAMP_MAX_BODY_BYTES", "17"),
            ("ROWSTAMP_REQUEST_TIMEOUT_MS", "1500"),
        ]);
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(settings.request_limit, Duration::from_millis(1_500));
        assert_eq!(settings.listen, SocketAddr::from(([0, 0, 0, 0], 99)));
        assert_eq!(
            (settings.base_path.as_str(), settings.max_body_bytes),
            ("/api/v1", 17)
        );
    }

    #[test]
    fn every_problem_is_reported() {
        let (_, problems) = read(&[
            ("ROWSTAMP_LISTEN", "example.com:80"),
            ("ROWSTAMP_BASE_PATH", "api"),
            ("ROWSTAMP_MAX_BODY_BYTES", "0"),
            ("ROWSTAMP_REQUEST_TIMEOUT_MS", "0"),
        ]);
        assert_eq!(problems.len(), 4, "{problems:?}");
    }

    #[test]
    fn localhost_means_loopback() {
        assert!(
            read(&[("ROWSTAMP_LISTEN", "localhost:0")])
                .0
                .listen
                .ip()
                .is_loopback()
        );
    }
}
