//! A closed-loop HTTP/1.1 load: each connection sends its next request when the last one is answered.
//!
//! It runs on one thread and does as little as it can, since it works on the machine that is measured.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use memchr::{memchr, memchr_iter, memmem};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Requests as raw HTTP/1.1, and the status that each is answered with.
#[derive(Debug)]
pub struct Requests {
    raw: Vec<Vec<u8>>,
    status: [u8; 3],
    /// Whether each may be sent once only.
    once: bool,
}

impl Requests {
    /// Requests that may be sent again and again.
    pub fn repeated(status: u16, raw: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self::new(status, raw, false)
    }

    /// Requests that can succeed but once.
    pub fn once(status: u16, raw: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self::new(status, raw, true)
    }

    fn new(status: u16, raw: impl IntoIterator<Item = Vec<u8>>, once: bool) -> Self {
        let digit = |place: u16| b'0' + u8::try_from(status / place % 10).unwrap_or(0);
        Self {
            raw: raw.into_iter().collect(),
            status: [digit(100), digit(10), digit(1)],
            once,
        }
    }

    /// The one that is sent as the `at`th.
    fn nth(&self, at: usize) -> Option<&[u8]> {
        let at = if self.once { at } else { at % self.raw.len() };
        self.raw.get(at).map(Vec::as_slice)
    }
}

/// What a run counted.
#[derive(Debug, Clone, Copy)]
pub struct Counted {
    /// Requests answered with the expected status.
    pub requests: u64,
    /// How long the run took.
    pub elapsed: Duration,
}

impl Counted {
    /// Answers per second.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn per_second(&self) -> f64 {
        self.requests as f64 / self.elapsed.as_secs_f64()
    }
}

/// Keeps `connections` connections busy for `duration`, or until no request is left.
///
/// # Errors
/// Any answer but the expected one, with its text.
pub async fn run(
    address: SocketAddr,
    requests: &Arc<Requests>,
    connections: usize,
    duration: Duration,
) -> anyhow::Result<Counted> {
    let mut streams = Vec::new();
    for _ in 0..connections {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let until = started + duration;
    let mut lanes = Vec::new();
    for mut stream in streams {
        let (requests, next) = (Arc::clone(requests), Arc::clone(&next));
        lanes.push(tokio::spawn(async move {
            let mut buffer = Vec::with_capacity(1 << 20);
            let mut count = 0_u64;
            while Instant::now() < until
                && let Some(request) = requests.nth(next.fetch_add(1, Ordering::Relaxed))
            {
                stream.write_all(request).await?;
                read_answer(&mut stream, &mut buffer, requests.status).await?;
                count += 1;
            }
            anyhow::Ok(count)
        }));
    }
    let mut requests = 0;
    for lane in lanes {
        requests += lane.await??;
    }
    Ok(Counted {
        requests,
        elapsed: started.elapsed(),
    })
}

/// The head of the answer to one request.
///
/// # Errors
/// Any status but 200.
pub async fn head(address: SocketAddr, request: &[u8]) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request).await?;
    let mut buffer = Vec::new();
    let body = read_answer(&mut stream, &mut buffer, *b"200").await?;
    Ok(String::from_utf8_lossy(&buffer[..body]).into_owned())
}

/// Reads one answer with a Content-Length, or without a body, and tells where the body begins.
async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>, status: [u8; 3]) -> anyhow::Result<usize> {
    buffer.clear();
    let (mut body, mut end) = (0, usize::MAX);
    while buffer.len() < end {
        if stream.read_buf(buffer).await? == 0 {
            bail!(
                "the connection was closed after {:?}",
                String::from_utf8_lossy(buffer)
            );
        }
        if body == 0
            && let Some(length) = memmem::find(buffer, b"\r\n\r\n")
        {
            body = length + 4;
            end = body + content_length(&buffer[..length]).context("an answer of unknown length")?;
        }
    }
    if buffer.get(9..12) != Some(&status[..]) {
        bail!(
            "expected {}, got {}",
            String::from_utf8_lossy(&status),
            String::from_utf8_lossy(buffer)
        );
    }
    Ok(body)
}

fn content_length(head: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length:";
    if head.get(9..12) == Some(b"204") {
        return Some(0);
    }
    let lines = memchr_iter(b'\n', head).map(|end| &head[end + 1..]);
    let mut values = lines.filter_map(|line| {
        let (name, value) = line.split_at_checked(NAME.len())?;
        name.eq_ignore_ascii_case(NAME).then_some(value)
    });
    let value = values.next()?;
    let end = memchr(b'\r', value).unwrap_or(value.len());
    std::str::from_utf8(&value[..end]).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_body_is_found_however_it_is_spelled() {
        let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-LENGTH:  12";
        assert_eq!(content_length(head), Some(12));
        assert_eq!(
            content_length(b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\ndate: now"),
            Some(7)
        );
        assert_eq!(content_length(b"HTTP/1.1 204 No Content"), Some(0));
        assert_eq!(content_length(b"HTTP/1.1 200 OK"), None);
    }

    #[test]
    fn requests_come_in_turn_and_some_once() {
        let two = || [b"a".to_vec(), b"b".to_vec()];
        let repeated = Requests::repeated(201, two());
        assert_eq!(repeated.nth(3), Some(&b"b"[..]));
        assert_eq!(&repeated.status, b"201");
        assert_eq!(Requests::once(204, two()).nth(2), None);
    }
}
