//! Requests in, answers out: the Controller of Rowstamp with its Resource Mapper, problem bodies and OpenAPI document.
//!
//! Nothing here knows a Lambda event, a socket or a database: requests and answers are [`rowstamp_ports::exchange`]'s, rows are
//! kept by whatever [`rowstamp_ports::RecordStore`] the Controller is given.
#![warn(missing_docs)]

mod api;
mod conditional;
mod controller;
mod cors;
mod encode;
mod negotiate;
mod openapi;
mod preferences;
pub mod problem;
mod resource_mapper;
mod respond;
mod route;
mod served;
mod settings;

pub use api::{Api, ApiMistakes, BuiltApi};
pub use controller::Controller;
pub use cors::Cors;
pub use settings::Settings;
