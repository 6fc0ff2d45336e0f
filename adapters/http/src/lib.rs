//! A local HTTP/1.1 server in front of Rowstamp: requests from a socket become exchange values, answers go back.
//!
//! It knows no route, no definition and no problem body: what a request means, and every refusal, is the handler's.
//!
//! - [`request_mapper`]: what arrived on the socket -> `Result<ApiRequest, RequestError>`, a pure function.
//! - [`response_mapper`]: `ApiResponse` -> what goes to the socket, a pure function.
//! - [`Server`]: sockets, limits, time limits and the graceful stop around them.

mod body;
mod head_timer;
mod patience;
pub mod request_mapper;
pub mod response_mapper;
mod server;
mod settings;

pub use server::Server;
pub use settings::Settings;
