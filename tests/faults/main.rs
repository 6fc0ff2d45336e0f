//! Networks, servers and neighbours that fail, and what becomes of requests meanwhile. `docs/reliability.md` lists the promises.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod beginnings;
mod commits;
mod credentials;
mod crowd;
mod cuts;
mod deadlines;
mod fixture;
mod frozen;
mod hooks;
mod iam;
mod life;
mod policies;
mod pooler;
mod programs;
mod rds;
mod retries;
mod scene;
mod silence;
mod starts;
mod storms;
mod swaps;
mod tls;
mod unit_storms;
