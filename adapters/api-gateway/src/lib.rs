//! Lambda events of API Gateway, Function URLs and load balancers, in and out: the Request Mapper and the Response Mapper.
//!
//! Two pure functions, [`map_request`] and [`map_response`]. Nothing here verifies an identity, knows a resource or
//! decides a status, and nothing here talks to the Lambda Runtime API.
//!
//! Events are read in one pass into types that borrow from the event's bytes, and answers are written straight
//! from the response. The types of `aws_lambda_events` own every string and every map, refuse events that the mapper
//! must answer (an unknown method, a claim that is no string), and decoding into them alone takes half as long again as the
//! whole mapping here; they serve as the second opinion in the tests.

mod event;
mod evidence;
mod pairs;
mod path;
mod query;
mod request_mapper;
mod response_mapper;
mod unknown;

pub use request_mapper::{EventSettings, Mapped, map_request};
pub use response_mapper::{Envelope, map_response};

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
