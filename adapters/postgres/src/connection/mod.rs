//! Connections to PostgreSQL: where the server is, how it is reached, and who may use which connection.
//!
//! [`connector`] is the only place that connects. Nothing here knows an operation.

mod connector;
mod driver;
mod line;
mod live;
mod pool;
mod settings;
mod tls;

pub(crate) use connector::{Chain, Connector, of_network};
pub(crate) use live::{Live, PrepareError, Prepared};
pub(crate) use pool::{Exclusive, Pool, Shared};
pub(crate) use settings::Statements;
pub use settings::{Login, Settings};
