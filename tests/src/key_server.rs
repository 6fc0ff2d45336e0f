//! A small HTTP server for documents that hold keys, which counts how often it is asked and can be away.
//!
//! It has a thread of its own, so a test that blocks its runtime does not hold it up.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The server; it listens on a loopback address until the test ends.
#[derive(Debug, Clone)]
pub struct KeyServer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    documents: Mutex<HashMap<String, String>>,
    asked: AtomicUsize,
    is_away: AtomicBool,
}

impl KeyServer {
    /// A server without documents.
    ///
    /// # Panics
    /// When there is no port to listen on.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::<Shared>::default();
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                serving.answer(socket);
            }
        });
        Self { address, shared }
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Puts a document under a path, in place of what was there.
    pub fn put(&self, path: &str, document: impl Into<String>) {
        let mut documents = self
            .shared
            .documents
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        documents.insert(path.to_owned(), document.into());
    }

    /// How often it was asked for anything.
    pub fn asked(&self) -> usize {
        self.shared.asked.load(Ordering::SeqCst)
    }

    /// Whether it answers every question with 500.
    pub fn set_away(&self, is_away: bool) {
        self.shared.is_away.store(is_away, Ordering::SeqCst);
    }
}

impl Shared {
    fn answer(&self, mut socket: TcpStream) {
        let _ = socket.set_read_timeout(Some(Duration::from_secs(5)));
        let mut lines = BufReader::new(&socket).lines();
        let Some(Ok(first)) = lines.next() else { return };
        while lines
            .next()
            .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
        {}
        self.asked.fetch_add(1, Ordering::SeqCst);
        let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
        let documents = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
        let (status, body) = match documents.get(&path) {
            _ if self.is_away.load(Ordering::SeqCst) => ("500 Internal Server Error", ""),
            Some(document) => ("200 OK", document.as_str()),
            None => ("404 Not Found", ""),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        let _ = socket.write_all(&[head.as_bytes(), body.as_bytes()].concat());
    }
}
