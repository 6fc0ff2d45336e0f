//! Somebody with the right certificate who takes the passwords of PostgreSQL's clients, and then hangs up on them.
//!
//! The password is asked for in clear text inside TLS, as Amazon RDS does. It knows no more of the protocol.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rowstamp_tests::certificates::Authority;
use rowstamp_tests::served::Directory;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// It listens as long as the value is there.
pub(crate) struct Pretender {
    name: String,
    port: u16,
    passwords: Arc<Mutex<Vec<String>>>,
    /// With the certificate to trust.
    _directory: Directory,
    root: String,
    task: tokio::task::JoinHandle<()>,
}

impl Pretender {
    /// One that is called `localhost`.
    pub(crate) async fn start() -> Self {
        Self::start_as("localhost").await
    }

    /// One that has a certificate for this name.
    pub(crate) async fn start_as(name: &str) -> Self {
        let authority = Authority::new();
        let tls = authority.identity(name).acceptor();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let passwords = Arc::<Mutex<Vec<String>>>::default();
        let taken = Arc::clone(&passwords);
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                if let Ok(password) = take_password(socket, &tls).await {
                    taken
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(password);
                }
            }
        });
        let directory = Directory::new();
        let root = directory.path().join("root.pem");
        std::fs::write(&root, authority.pem()).unwrap();
        Self {
            name: name.to_owned(),
            port,
            passwords,
            root: root.to_str().unwrap().to_owned(),
            _directory: directory,
            task,
        }
    }

    /// Where it is, for `DATABASE_URL`.
    pub(crate) fn url(&self, sslmode: &str) -> String {
        format!(
            "postgres://library_app@{}:{}/library?hostaddr=127.0.0.1&sslmode={sslmode}&sslrootcert={}",
            self.name, self.port, self.root
        )
    }

    /// The passwords it was given so far.
    pub(crate) fn passwords(&self) -> Vec<String> {
        self.passwords
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for Pretender {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// PostgreSQL manual, 55.2.1: the wish for TLS, the start-up message, the question for a password, and the answer.
async fn take_password(mut socket: TcpStream, tls: &TlsAcceptor) -> io::Result<String> {
    message(&mut socket).await?;
    socket.write_all(b"S").await?;
    let mut stream = tls.accept(socket).await?;
    message(&mut stream).await?;
    stream.write_all(&[b'R', 0, 0, 0, 8, 0, 0, 0, 3]).await?;
    stream.flush().await?;
    assert_eq!(stream.read_u8().await?, b'p', "a password");
    let mut password = message(&mut stream).await?;
    assert_eq!(password.pop(), Some(0), "it ends with a zero");
    stream.shutdown().await?;
    String::from_utf8(password).map_err(io::Error::other)
}

/// A message, after its kind: its length, which counts itself, and what it says.
async fn message(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let length = from.read_u32().await?;
    let mut said = vec![0; usize::try_from(length).unwrap().saturating_sub(4)];
    from.read_exact(&mut said).await?;
    Ok(said)
}
