//! A closed-loop HTTP/1.1 load: each connection sends its next request when the last one is answered.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The requests of a scenario, as raw HTTP/1.1, used in turn.
pub type Requests = Arc<Vec<Vec<u8>>>;

/// What a run counted.
#[derive(Debug, Clone, Copy)]
pub struct Counted {
    /// Requests answered with the expected status.
    pub requests: u64,
    /// How long the run took.
    pub elapsed: Duration,
    /// Bytes of all bodies.
    pub body_bytes: u64,
}

impl Counted {
    /// Answers per second.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn per_second(&self) -> f64 {
        self.requests as f64 / self.elapsed.as_secs_f64()
    }
}

/// Keeps `connections` connections busy for `duration`.
///
/// # Errors
/// Any answer but `status`, with its text.
pub async fn run(
    address: SocketAddr,
    requests: Requests,
    status: u16,
    connections: usize,
    duration: Duration,
) -> anyhow::Result<Counted> {
    let started = Instant::now();
    let until = started + duration;
    let mut tasks = Vec::new();
    for lane in 0..connections {
        let requests = Arc::clone(&requests);
        tasks.push(tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let mut buffer = Vec::with_capacity(1 << 20);
            let (mut count, mut bytes) = (0_u64, 0_u64);
            // Lanes start far apart, so that they do not ask for the same row at the same time.
            let mut at = lane * requests.len() / connections;
            while Instant::now() < until {
                stream.write_all(&requests[at % requests.len()]).await?;
                bytes += read_answer(&mut stream, &mut buffer, status).await? as u64;
                count += 1;
                at += 1;
            }
            anyhow::Ok((count, bytes))
        }));
    }
    let mut counted = Counted {
        requests: 0,
        elapsed: Duration::ZERO,
        body_bytes: 0,
    };
    for task in tasks {
        let (count, bytes) = task.await??;
        counted.requests += count;
        counted.body_bytes += bytes;
    }
    counted.elapsed = started.elapsed();
    Ok(counted)
}

/// Reads one answer with a Content-Length and gives the length of its body.
async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>, status: u16) -> anyhow::Result<usize> {
    buffer.clear();
    let mut whole = None;
    loop {
        if stream.read_buf(buffer).await? == 0 {
            bail!(
                "the connection was closed after {:?}",
                String::from_utf8_lossy(buffer)
            );
        }
        if whole.is_none()
            && let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n")
        {
            let head = std::str::from_utf8(&buffer[..end]).context("the head is not text")?;
            let length: usize = head
                .lines()
                .find_map(|line| {
                    line.split_once(':')
                        .filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                })
                .context("an answer without Content-Length")?
                .1
                .trim()
                .parse()?;
            whole = Some((end + 4 + length, length));
        }
        if let Some((end, length)) = whole
            && buffer.len() >= end
        {
            if buffer.get(9..12) != Some(status.to_string().as_bytes()) {
                bail!("expected {status}, got {}", String::from_utf8_lossy(buffer));
            }
            return Ok(length);
        }
    }
}
