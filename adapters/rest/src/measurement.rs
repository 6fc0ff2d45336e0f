//! What is known of a request once it is answered: what it asked for, how it ended, what it took. No data of anybody.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use rowstamp_domain::definition::ResourceDefinition;
use rowstamp_ports::Readings;
use rowstamp_ports::exchange::ApiResponse;

use crate::problem::Problem;

/// An answer, and what it took to come by it.
#[derive(Debug)]
pub struct Answered {
    /// The answer.
    pub response: ApiResponse,
    /// What it took.
    pub measurement: Measurement,
}

/// What a request asked for, how it ended and what it took.
#[derive(Debug, Clone)]
pub struct Measurement {
    /// The request's name, as in `X-Request-Id`.
    pub request_id: String,
    /// What it asked for, such as `list` or `update`; `none` where that was not clear.
    pub operation: &'static str,
    /// Of which resource.
    pub resource: Option<Arc<ResourceDefinition>>,
    /// How it was answered.
    pub status: StatusCode,
    /// The code of the problem body, where it was one.
    pub code: Option<String>,
    /// From the request to its answer.
    pub total: Duration,
    /// What the store did for it.
    pub store: Readings,
}

impl Measurement {
    /// The name of the resource, in definitions.
    pub fn resource(&self) -> Option<&str> {
        self.resource.as_ref().map(|resource| resource.name.as_str())
    }
}

/// A measurement under way.
pub(crate) struct Measuring {
    began: Instant,
    pub(crate) operation: &'static str,
    pub(crate) resource: Option<Arc<ResourceDefinition>>,
    code: Option<String>,
}

impl Measuring {
    pub(crate) fn begin() -> Self {
        Self {
            began: Instant::now(),
            operation: "none",
            resource: None,
            code: None,
        }
    }

    pub(crate) fn refused(&mut self, problem: &Problem) {
        self.code = Some(problem.code().to_owned());
    }

    pub(crate) fn end(self, request_id: String, store: Readings, response: ApiResponse) -> Answered {
        let measurement = Measurement {
            request_id,
            operation: self.operation,
            resource: self.resource,
            status: response.status,
            code: self.code,
            total: self.began.elapsed(),
            store,
        };
        Answered {
            response,
            measurement,
        }
    }
}

impl Measurement {
    /// Adds `Server-Timing` (W3C Server Timing), in milliseconds.
    pub(crate) fn add_server_timing(&self, headers: &mut HeaderMap) {
        let text = format!(
            "db;dur={:.3}, total;dur={:.3}",
            self.store.store.as_secs_f64() * 1000.0,
            self.total.as_secs_f64() * 1000.0
        );
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(HeaderName::from_static("server-timing"), value);
        }
    }
}
