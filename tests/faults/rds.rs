//! A stand-in for a database of Amazon RDS with IAM login: it ends the TLS, asks for the password in clear text inside, judges it as a token,
//! and hands the session to a real server.
//!
//! It knows no signature: a token is one that it has not been told to refuse. It keeps every byte that a client says, outside TLS and inside.

use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use rowstamp_tests::certificates::Identity;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// The host that certificates and tokens are made for.
pub(crate) const HOST: &str = "library.c1example.eu-west-1.rds.amazonaws.com";

/// The message by which a client asks for TLS.
pub(crate) const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
/// The code of a startup message that asks to cancel a statement.
const CANCEL_REQUEST: [u8; 4] = [4, 210, 22, 46];
/// `AuthenticationCleartextPassword`.
const ASK_FOR_PASSWORD: [u8; 9] = [b'R', 0, 0, 0, 8, 0, 0, 0, 3];

/// What it says to those who ask for TLS.
pub(crate) enum Tls {
    /// `N`: there is none.
    Refused,
    /// `S`, and then it proves itself with this.
    With(Identity),
}

/// A running stand-in; it ends with the value.
pub(crate) struct Rds {
    address: SocketAddr,
    state: Arc<State>,
    accepting: JoinHandle<()>,
}

struct State {
    tls: Option<TlsAcceptor>,
    database: SocketAddr,
    heard: Mutex<Heard>,
}

/// What clients said, and which of their tokens count for nothing.
#[derive(Default)]
struct Heard {
    outside: Vec<u8>,
    inside: Vec<u8>,
    tokens: Vec<String>,
    refused: HashSet<String>,
    refuses_all: bool,
}

impl Rds {
    /// One in front of the server at this port.
    pub(crate) async fn start(tls: Tls, port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            tls: match tls {
                Tls::Refused => None,
                Tls::With(identity) => Some(identity.acceptor()),
            },
            database: SocketAddr::from(([127, 0, 0, 1], port)),
            heard: Mutex::default(),
        });
        let serving = Arc::clone(&state);
        let accepting = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let state = Arc::clone(&serving);
                // However a connection ends, it is over.
                tokio::spawn(async move { drop(serve(socket, &state).await) });
            }
        });
        Self {
            address,
            state,
            accepting,
        }
    }

    /// The connection string for a user named `app`; the name is not looked up.
    pub(crate) fn url(&self) -> String {
        let port = self.address.port();
        format!("postgres://app@{HOST}:{port}/postgres?hostaddr=127.0.0.1")
    }

    /// The tokens that were offered so far.
    pub(crate) fn tokens(&self) -> Vec<String> {
        self.state.heard().tokens.clone()
    }

    /// Every byte that was said outside TLS.
    pub(crate) fn heard_outside(&self) -> Vec<u8> {
        self.state.heard().outside.clone()
    }

    /// Every byte that was said inside TLS until a session began.
    pub(crate) fn heard_inside(&self) -> Vec<u8> {
        self.state.heard().inside.clone()
    }

    /// Takes no token any more that was offered before, as if they were all too old.
    pub(crate) fn refuse_known_tokens(&self) {
        let mut heard = self.state.heard();
        let known = heard.tokens.clone();
        heard.refused.extend(known);
    }

    /// Takes no token at all, or takes them again.
    pub(crate) fn refuse_all_tokens(&self, refuses: bool) {
        self.state.heard().refuses_all = refuses;
    }
}

impl Drop for Rds {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl State {
    fn heard(&self) -> std::sync::MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a token counts.
    fn judge(&self, token: &str) -> bool {
        let mut heard = self.heard();
        heard.tokens.push(token.to_owned());
        !heard.refuses_all && !heard.refused.contains(token)
    }
}

async fn serve(mut socket: TcpStream, state: &State) -> io::Result<()> {
    let mut wish = [0; SSL_REQUEST.len()];
    socket.read_exact(&mut wish).await?;
    state.heard().outside.extend_from_slice(&wish);
    let Some(tls) = &state.tls else {
        socket.write_all(b"N").await?;
        return listen(socket, state).await;
    };
    socket.write_all(b"S").await?;
    log_in(tls.accept(socket).await?, state).await
}

/// Keeps whatever a client says that was told that there is no TLS.
async fn listen(mut socket: TcpStream, state: &State) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        let length = socket.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        state.heard().outside.extend_from_slice(&buffer[..length]);
    }
}

async fn log_in(mut client: impl AsyncRead + AsyncWrite + Unpin, state: &State) -> io::Result<()> {
    let startup = message(&mut client, 0, state).await?;
    if startup[4..8] != CANCEL_REQUEST {
        client.write_all(&ASK_FOR_PASSWORD).await?;
        let password = message(&mut client, 1, state).await?;
        // The kind and the length before it, a zero after it.
        let token = String::from_utf8_lossy(&password[5..password.len() - 1]).into_owned();
        if !state.judge(&token) {
            let fields = b"SFATAL\0VFATAL\0C28P01\0MPAM authentication failed for user \"app\"\0\0";
            let mut refusal = vec![b'E'];
            refusal.extend(u32::try_from(fields.len() + 4).unwrap().to_be_bytes());
            refusal.extend_from_slice(fields);
            client.write_all(&refusal).await?;
            return client.shutdown().await;
        }
    }
    let mut server = TcpStream::connect(state.database).await?;
    server.write_all(&startup).await?;
    tokio::io::copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

/// Reads a message: so many bytes that say its kind, its length, and the rest.
async fn message(client: &mut (impl AsyncRead + Unpin), kind: usize, state: &State) -> io::Result<Vec<u8>> {
    let mut message = vec![0; kind + 4];
    client.read_exact(&mut message).await?;
    let length = message[kind..]
        .try_into()
        .map(u32::from_be_bytes)
        .unwrap_or_default();
    let rest = usize::try_from(length).unwrap_or_default().clamp(4, 10_000) - 4;
    message.resize(kind + 4 + rest, 0);
    client.read_exact(&mut message[kind + 4..]).await?;
    state.heard().inside.extend_from_slice(&message);
    Ok(message)
}
