//! The bytes of a proxy's connections on their way.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

use super::{Link, Shared, State, Traffic, Trap, Upstream, locked};

/// The most that is read at once.
const PIECE_BYTES: usize = 64 * 1024;

/// Takes connections for as long as it is polled.
pub(super) async fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    loop {
        let Ok((client, _)) = listener.accept().await else {
            // Out of descriptors, perhaps; a pause keeps it from spinning.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let defaults = locked(&shared.defaults).clone();
        let link = Link(Arc::new(State {
            traffic: watch::Sender::new(defaults.traffic),
            cut: watch::Sender::new(defaults.refusing),
            to_server: AtomicU64::new(0),
            to_client: AtomicU64::new(0),
            pieces: AtomicU64::new(0),
            server_bytes: defaults.server_bytes,
            traps: defaults.traps.into(),
            answer_ends: AtomicBool::new(false),
        }));
        locked(&shared.links).push(link.clone());
        if defaults.refusing {
            continue;
        }
        let upstream = locked(&shared.upstream).clone();
        tokio::spawn(async move {
            // However a connection ends, it is over.
            let _ = carry(client, &upstream, &link.0).await;
            link.cut();
        });
    }
}

async fn carry(client: TcpStream, upstream: &Upstream, state: &State) -> io::Result<()> {
    let _ = client.set_nodelay(true);
    match upstream {
        Upstream::Tcp(host, port) => {
            let server = TcpStream::connect((host.as_str(), *port)).await?;
            let _ = server.set_nodelay(true);
            both_ways(client, server, state).await
        }
        Upstream::Unix(path) => both_ways(client, UnixStream::connect(path).await?, state).await,
    }
}

async fn both_ways(client: TcpStream, server: impl AsyncRead + AsyncWrite, state: &State) -> io::Result<()> {
    let (client_read, client_write) = client.into_split();
    let (server_read, server_write) = tokio::io::split(server);
    let mut cut = state.cut.subscribe();
    tokio::select! {
        result = to_server(client_read, server_write, state) => result,
        result = to_client(server_read, client_write, state) => result,
        _ = cut.wait_for(|cut| *cut) => Ok(()),
    }
}

async fn to_server(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    state: &State,
) -> io::Result<()> {
    let mut piece = vec![0; PIECE_BYTES];
    // The end of what was sent before, since a pattern can fall into two pieces.
    let mut tail = Vec::new();
    loop {
        let length = from.read(&mut piece).await?;
        if length == 0 {
            return to.shutdown().await;
        }
        pass(state).await;
        tail.extend_from_slice(&piece[..length]);
        let sprung = spring(state, &mut tail);
        if sprung == Some(Trap::CutBefore) {
            state.cut.send_replace(true);
            return Ok(());
        }
        to.write_all(&piece[..length]).await?;
        to.flush().await?;
        state.to_server.fetch_add(length as u64, Ordering::SeqCst);
        state.pieces.fetch_add(1, Ordering::SeqCst);
        if sprung == Some(Trap::HoldAfter) {
            state.traffic.send_replace(Traffic::Held);
        }
    }
}

/// The trap that these bytes spring; they are shortened to what may be the beginning of another pattern.
fn spring(state: &State, bytes: &mut Vec<u8>) -> Option<Trap> {
    let mut traps = locked(&state.traps);
    let holds = |pattern: &[u8]| bytes.windows(pattern.len()).any(|window| window == pattern);
    let sprung = traps.iter().position(|(pattern, _)| holds(pattern));
    let longest = traps.iter().map(|(pattern, _)| pattern.len()).max().unwrap_or(1);
    let kept = bytes.len().min(longest - 1);
    bytes.drain(..bytes.len() - kept);
    sprung.map(|index| {
        bytes.clear();
        let (_, trap) = traps.remove(index);
        if trap == Trap::CutAfter {
            state.answer_ends.store(true, Ordering::SeqCst);
        }
        trap
    })
}

async fn to_client(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    state: &State,
) -> io::Result<()> {
    let mut piece = vec![0; PIECE_BYTES];
    let mut said = 0;
    loop {
        let length = from.read(&mut piece).await?;
        if length == 0 {
            pass(state).await;
            return to.shutdown().await;
        }
        if state.answer_ends.load(Ordering::SeqCst) {
            return Ok(());
        }
        pass(state).await;
        let room = state.server_bytes.map_or(length, |most| {
            usize::try_from(most - said).unwrap_or(usize::MAX).min(length)
        });
        to.write_all(&piece[..room]).await?;
        to.flush().await?;
        said += room as u64;
        state.to_client.fetch_add(room as u64, Ordering::SeqCst);
        if room < length || state.server_bytes == Some(said) {
            state.traffic.send_replace(Traffic::Held);
            std::future::pending::<()>().await;
        }
    }
}

/// Waits for as long as bytes are held back or delayed.
async fn pass(state: &State) {
    let mut traffic = state.traffic.subscribe();
    let now = *traffic.borrow_and_update();
    if let Traffic::Delayed(time) = now {
        tokio::time::sleep(time).await;
    }
    let _ = traffic.wait_for(|traffic| *traffic != Traffic::Held).await;
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};

    use super::super::TcpProxy;
    use super::*;
    use std::time::Instant;

    /// A server that says back whatever it hears.
    fn echo() -> Upstream {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
        let port = listener.local_addr().expect("it is bound").port();
        std::thread::spawn(move || {
            for mut socket in listener.incoming().flatten() {
                std::thread::spawn(move || {
                    let mut buffer = [0; 1024];
                    while let Ok(length) = socket.read(&mut buffer) {
                        if length == 0 || socket.write_all(&buffer[..length]).is_err() {
                            break;
                        }
                    }
                });
            }
        });
        Upstream::Tcp("127.0.0.1".to_owned(), port)
    }

    fn connect(proxy: &TcpProxy) -> TcpStream {
        let socket = TcpStream::connect(proxy.address()).expect("it listens");
        let timeout = Some(Duration::from_secs(2));
        socket.set_read_timeout(timeout).expect("it is a socket");
        socket
    }

    fn say(mut socket: &TcpStream, text: &str) -> Option<String> {
        socket.write_all(text.as_bytes()).ok()?;
        hear(socket)
    }

    /// `None` at the end or when nothing comes.
    fn hear(mut socket: &TcpStream) -> Option<String> {
        let mut buffer = [0; 1024];
        let length = socket.read(&mut buffer).ok().filter(|length| *length > 0)?;
        Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
    }

    #[test]
    fn bytes_pass_and_are_counted_by_connection() {
        let proxy = TcpProxy::start(echo());
        let (one, other) = (connect(&proxy), connect(&proxy));
        assert_eq!(say(&one, "hello").as_deref(), Some("hello"));
        assert_eq!(say(&other, "you").as_deref(), Some("you"));
        assert_eq!((proxy.bytes_to_server(), proxy.connections()), (8, 2));
        assert_eq!(proxy.links()[0].bytes_to_client(), 5);
        proxy.links()[0].cut();
        assert_eq!(hear(&one), None);
        assert_eq!(say(&other, "there").as_deref(), Some("there"));
        assert_eq!(proxy.open_links().len(), 1);
    }

    #[test]
    fn held_bytes_arrive_when_they_may() {
        let proxy = TcpProxy::start(echo());
        let socket = connect(&proxy);
        proxy.set_traffic(Traffic::Held);
        socket
            .set_read_timeout(Some(Duration::from_millis(50)))
            .expect("it is a socket");
        assert_eq!(say(&socket, "late"), None);
        assert_eq!(proxy.bytes_to_server(), 0);
        proxy.set_traffic(Traffic::Delayed(Duration::from_millis(5)));
        socket
            .set_read_timeout(Some(Duration::from_secs(2)))
            .expect("it is a socket");
        assert_eq!(hear(&socket).as_deref(), Some("late"));
    }

    #[test]
    fn a_trap_springs_before_or_after_the_server_heard_it() {
        for (trap, heard) in [(Trap::CutBefore, 0), (Trap::CutAfter, 6)] {
            let proxy = TcpProxy::start(echo());
            proxy.set_trap(b"COMMIT", trap);
            let socket = connect(&proxy);
            assert_eq!(say(&socket, "COMMIT"), None, "{trap:?}");
            assert_eq!(proxy.bytes_to_server(), heard, "{trap:?}");
            // The client may hear of the end a moment before it is written down.
            let begun = Instant::now();
            while !proxy.open_links().is_empty() {
                assert!(begun.elapsed() < Duration::from_secs(5), "{trap:?}");
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        let proxy = TcpProxy::start(echo());
        proxy.set_refusing(true);
        assert_eq!(say(&connect(&proxy), "hello"), None);
        proxy.set_refusing(false);
        proxy.set_server_bytes(Some(3));
        assert_eq!(say(&connect(&proxy), "hello").as_deref(), Some("hel"));
    }
}
