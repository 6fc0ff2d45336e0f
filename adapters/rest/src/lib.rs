#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod api;
mod conditional;
mod controller;
mod cors;
mod csv_rows;
mod cursor;
mod encode;
mod link;
mod measurement;
mod metered;
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
pub use cursor::CursorKeys;
pub use measurement::{Answered, Measurement};
pub use settings::Settings;
