//! Networks, servers and neighbours that fail, and what becomes of requests meanwhile. `docs/reliability.md` lists the promises.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod beginnings;
mod certificates;
mod commits;
mod credentials;
mod cuts;
mod deadlines;
mod fixture;
mod frozen;
mod hooks;
mod life;
mod policies;
mod pooler;
mod retries;
mod silence;
mod tls;
