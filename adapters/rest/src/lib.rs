#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod api;
mod conditional;
mod controller;
mod cors;
mod encode;
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
pub use measurement::{Answered, Measurement};
pub use settings::Settings;
