//! A TCP proxy in front of a server, by which tests do to a network what networks do to them.
//!
//! It knows no protocol: it counts, holds back, delays and cuts bytes, of all connections or of one. It has a thread of its
//! own, so a test that blocks its runtime does not hold it up. It ends, with every connection, when the value is dropped.
//!
//! ```no_run
//! use rowstamp_tests::tcp_proxy::{TcpProxy, Traffic};
//!
//! let proxy = TcpProxy::to_database("postgres:///library?host=/run/postgresql&user=postgres");
//! let url = proxy.url(); // the same database, through the proxy
//! // … do something with it …
//! let before = proxy.bytes_to_server();
//! // … something that must not ask the database …
//! assert_eq!(proxy.bytes_to_server(), before);
//!
//! proxy.set_traffic(Traffic::Held); // a black hole, for connections that are there and those to come
//! proxy.set_traffic(Traffic::Flowing); // what was held is delivered
//! proxy.cut_all(); // every connection ends; new ones are accepted
//! ```

mod pump;

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

/// Where a proxy's connections lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upstream {
    /// A host and a port.
    Tcp(String, u16),
    /// A Unix socket.
    Unix(PathBuf),
}

/// What happens to the bytes of a connection, in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Traffic {
    /// They pass.
    #[default]
    Flowing,
    /// They are held back, and delivered when they may flow again: a black hole, in which neither side learns anything.
    Held,
    /// Each piece passes after this time.
    Delayed(Duration),
}

/// What happens to a connection when its client sends certain bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trap {
    /// The connection is cut, and the bytes never reach the server.
    CutBefore,
    /// The bytes reach the server, and the connection is cut when it has answered; its answer never arrives.
    CutAfter,
    /// The bytes reach the server; from then on nothing arrives on either side.
    HoldAfter,
}

/// A proxy that listens on a loopback address.
#[derive(Debug)]
pub struct TcpProxy {
    address: SocketAddr,
    database: Option<tokio_postgres::Config>,
    shared: Arc<Shared>,
}

/// One connection through a proxy, perhaps ended.
#[derive(Debug, Clone)]
pub struct Link(Arc<State>);

#[derive(Debug)]
struct Shared {
    upstream: Mutex<Upstream>,
    defaults: Mutex<Defaults>,
    links: Mutex<Vec<Link>>,
    /// `true` once the proxy is gone.
    ended: watch::Sender<bool>,
}

/// What a new connection starts with.
#[derive(Debug, Clone, Default)]
struct Defaults {
    traffic: Traffic,
    refusing: bool,
    server_bytes: Option<u64>,
    traps: Vec<(Vec<u8>, Trap)>,
}

#[derive(Debug)]
struct State {
    traffic: watch::Sender<Traffic>,
    cut: watch::Sender<bool>,
    to_server: AtomicU64,
    to_client: AtomicU64,
    pieces: AtomicU64,
    /// What the server may still say before the connection is held.
    server_bytes: Option<u64>,
    traps: Mutex<Vec<(Vec<u8>, Trap)>>,
    /// Whether the server's next word is the last thing that happens.
    answer_ends: AtomicBool,
}

impl TcpProxy {
    /// A proxy in front of this server.
    ///
    /// # Panics
    /// When there is no port to listen on.
    pub fn start(upstream: Upstream) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        listener.set_nonblocking(true).expect("it is a socket");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            upstream: Mutex::new(upstream),
            defaults: Mutex::default(),
            links: Mutex::default(),
            ended: watch::Sender::new(false),
        });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime can be made");
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).expect("it is a listener");
                let mut ended = accepting.ended.subscribe();
                tokio::select! {
                    () = pump::accept(&listener, &accepting) => {}
                    _ = ended.wait_for(|ended| *ended) => {}
                }
            });
        });
        Self {
            address,
            database: None,
            shared,
        }
    }

    /// A proxy in front of the server of a database.
    ///
    /// # Panics
    /// When `url` is no connection string that names a server.
    pub fn to_database(url: &str) -> Self {
        let config: tokio_postgres::Config = url.parse().expect("it is a connection string");
        let mut proxy = Self::start(Upstream::of(&config));
        proxy.database = Some(config);
        proxy
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The connection string of the same database through the proxy, over TCP and without TLS.
    ///
    /// # Panics
    /// Unless it was made by [`TcpProxy::to_database`].
    pub fn url(&self) -> String {
        let config = self.database.as_ref().expect("it leads to a database");
        let mut url = "postgres://".to_owned();
        let encode = |text: &[u8]| {
            text.iter().fold(String::new(), |mut encoded, byte| {
                let _ = write!(encoded, "%{byte:02X}");
                encoded
            })
        };
        if let Some(user) = config.get_user() {
            url.push_str(&encode(user.as_bytes()));
        }
        if let Some(password) = config.get_password() {
            let _ = write!(url, ":{}", encode(password));
        }
        let database = config.get_dbname().unwrap_or_default();
        let _ = write!(url, "@{}/{database}?sslmode=disable", self.address);
        url
    }

    /// Every connection so far, the ended ones too, in the order in which they were made.
    pub fn links(&self) -> Vec<Link> {
        locked(&self.shared.links).clone()
    }

    /// The connections that are open.
    pub fn open_links(&self) -> Vec<Link> {
        self.links().into_iter().filter(Link::is_open).collect()
    }

    /// How many connections were made so far.
    pub fn connections(&self) -> usize {
        locked(&self.shared.links).len()
    }

    /// The bytes that reached the server, of all connections so far.
    pub fn bytes_to_server(&self) -> u64 {
        self.links().iter().map(Link::bytes_to_server).sum()
    }

    /// The bytes that reached clients, of all connections so far.
    pub fn bytes_to_clients(&self) -> u64 {
        self.links().iter().map(Link::bytes_to_client).sum()
    }

    /// Sets the traffic of every connection, those to come too.
    pub fn set_traffic(&self, traffic: Traffic) {
        locked(&self.shared.defaults).traffic = traffic;
        for link in self.links() {
            link.set_traffic(traffic);
        }
    }

    /// Sets the traffic of connections to come only.
    pub fn set_default_traffic(&self, traffic: Traffic) {
        locked(&self.shared.defaults).traffic = traffic;
    }

    /// Ends every connection.
    pub fn cut_all(&self) {
        for link in self.links() {
            link.cut();
        }
    }

    /// Whether new connections are closed at once, as by a server that is down.
    pub fn set_refusing(&self, refusing: bool) {
        locked(&self.shared.defaults).refusing = refusing;
    }

    /// Lets new connections lead elsewhere, as a name does after a failover. Open ones stay.
    pub fn set_upstream(&self, upstream: Upstream) {
        *locked(&self.shared.upstream) = upstream;
    }

    /// Lets the server say this many bytes on each new connection, then holds it: half-open at that point.
    /// `None` for no limit.
    pub fn set_server_bytes(&self, bytes: Option<u64>) {
        locked(&self.shared.defaults).server_bytes = bytes;
    }

    /// Sets a trap, for each connection that is there or to come: once a client's bytes hold `pattern`. A trap of a connection
    /// springs once.
    pub fn set_trap(&self, pattern: &[u8], trap: Trap) {
        locked(&self.shared.defaults).traps.push((pattern.to_vec(), trap));
        for link in self.links() {
            link.set_trap(pattern, trap);
        }
    }

    /// Removes every trap.
    pub fn clear_traps(&self) {
        locked(&self.shared.defaults).traps.clear();
        for link in self.links() {
            locked(&link.0.traps).clear();
        }
    }
}

impl Drop for TcpProxy {
    fn drop(&mut self) {
        self.cut_all();
        self.shared.ended.send_replace(true);
    }
}

impl Upstream {
    /// The first server of a connection string.
    ///
    /// # Panics
    /// When `url` names none.
    pub fn of_database(url: &str) -> Self {
        Self::of(&url.parse().expect("it is a connection string"))
    }

    fn of(config: &tokio_postgres::Config) -> Self {
        let port = config.get_ports().first().copied().unwrap_or(5432);
        match config.get_hosts() {
            [tokio_postgres::config::Host::Tcp(host), ..] => Self::Tcp(host.clone(), port),
            #[cfg(unix)]
            [tokio_postgres::config::Host::Unix(directory), ..] => {
                Self::Unix(directory.join(format!(".s.PGSQL.{port}")))
            }
            [] => panic!("the connection string names no server"),
        }
    }
}

impl Link {
    /// Whether neither side has ended it.
    pub fn is_open(&self) -> bool {
        !*self.0.cut.borrow()
    }

    /// The bytes of the client that reached the server.
    pub fn bytes_to_server(&self) -> u64 {
        self.0.to_server.load(Ordering::SeqCst)
    }

    /// In how many pieces those bytes came: what a client writes at once is mostly one.
    pub fn pieces_to_server(&self) -> u64 {
        self.0.pieces.load(Ordering::SeqCst)
    }

    /// The bytes of the server that reached the client.
    pub fn bytes_to_client(&self) -> u64 {
        self.0.to_client.load(Ordering::SeqCst)
    }

    /// Ends it, on both sides.
    pub fn cut(&self) {
        self.0.cut.send_replace(true);
    }

    /// Sets what happens to its bytes.
    pub fn set_traffic(&self, traffic: Traffic) {
        self.0.traffic.send_replace(traffic);
    }

    /// Sets a trap: once the client's bytes hold `pattern`. It springs once.
    pub fn set_trap(&self, pattern: &[u8], trap: Trap) {
        locked(&self.0.traps).push((pattern.to_vec(), trap));
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
