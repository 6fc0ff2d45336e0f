//! One line a request: what was asked for, how it ended, what it took, and the same as metrics where they are wanted.
//!
//! Metrics are in CloudWatch's embedded metric format, in the same line, so that they cost no call and no second line. Nothing of a
//! request's data, path, query or caller is written.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lambda_runtime::Context;
use rowstamp_domain::value::Timestamp;
use rowstamp_ports::{Clock as _, Problems, SystemClock, Vars};
use rowstamp_rest::Measurement;
use serde::Serialize;
use tracing::Level;

/// From 1970, where CloudWatch's time begins, to 2000, where PostgreSQL's does.
const MILLISECONDS_TO_2000: i64 = 946_684_800_000;

/// What is written down, as the settings have it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Settings {
    /// The namespace of the metrics; `None` where none are wanted.
    namespace: Option<String>,
}

impl Settings {
    /// Reads `ROWSTAMP_METRICS` and `ROWSTAMP_METRICS_NAMESPACE`; what is wrong is reported.
    pub(crate) fn read(vars: &Vars, problems: &mut Problems) -> Self {
        const NAMESPACE: &str = "ROWSTAMP_METRICS_NAMESPACE";
        let namespace = vars.get(NAMESPACE).unwrap_or("Rowstamp");
        // CloudWatch: up to 255 characters of these, and AWS/ is its own.
        let is_valid = namespace.len() <= 255
            && !namespace.starts_with("AWS/")
            && namespace
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_./#: ".contains(&byte));
        if !is_valid {
            problems.report(NAMESPACE, "expected a namespace of CloudWatch such as Library");
        }
        match vars.get("ROWSTAMP_METRICS") {
            None | Some("off") => Self { namespace: None },
            Some("cloudwatch") => Self {
                namespace: Some(namespace.to_owned()),
            },
            Some(_) => {
                problems.report("ROWSTAMP_METRICS", "expected cloudwatch or off");
                Self::default()
            }
        }
    }
}

/// Writes the lines of one environment.
#[derive(Debug)]
pub(crate) struct RequestLog {
    function: String,
    version: String,
    /// Everything about the metrics but their values and the time: known from the start.
    metrics: Option<String>,
    answered_before: AtomicBool,
}

/// The metrics, their units and how CloudWatch is told of them.
const METRICS: &str = r#"[{"Name":"Requests","Unit":"Count"},{"Name":"Errors","Unit":"Count"},{"Name":"Latency","Unit":"Milliseconds"},{"Name":"DatabaseLatency","Unit":"Milliseconds"},{"Name":"ColdStarts","Unit":"Count"},{"Name":"Retries","Unit":"Count"},{"Name":"PoolWait","Unit":"Milliseconds"}]"#;

/// A line, but for the metrics.
#[derive(Serialize)]
struct Line<'a> {
    timestamp: String,
    level: &'static str,
    message: &'static str,
    #[serde(rename = "requestId")]
    invocation: &'a str,
    id: &'a str,
    #[serde(rename = "xrayTraceId", skip_serializing_if = "Option::is_none")]
    xray: Option<&'a str>,
    #[serde(rename = "trace_id", skip_serializing_if = "Option::is_none")]
    trace: Option<&'a str>,
    #[serde(rename = "FunctionName")]
    function: &'a str,
    function_version: &'a str,
    cold_start: bool,
    operation: &'a str,
    resource: Option<&'a str>,
    status: u16,
    code: Option<&'a str>,
    rows: u64,
    duration_ms: f64,
    db_ms: f64,
    retries: u64,
}

impl RequestLog {
    /// For the function that the environment is one of.
    pub(crate) fn new(settings: &Settings, vars: &Vars) -> Self {
        let text = |name| vars.get(name).unwrap_or_default().to_owned();
        let metrics = settings.namespace.as_ref().map(|namespace| {
            format!(
                r#","CloudWatchMetrics":[{{"Namespace":"{namespace}","Dimensions":[["FunctionName"]],"Metrics":{METRICS}}}]"#
            )
        });
        Self {
            function: text("AWS_LAMBDA_FUNCTION_NAME"),
            version: text("AWS_LAMBDA_FUNCTION_VERSION"),
            metrics,
            answered_before: AtomicBool::new(false),
        }
    }

    /// Whether this is the first invocation of the environment, which waited for its initialisation. Says so once.
    pub(crate) fn is_first(&self) -> bool {
        !self.answered_before.swap(true, Ordering::Relaxed)
    }

    /// Writes the line of a request that took `duration` from its event to its answer, and is part of `trace` where its span is sent.
    pub(crate) fn write(
        &self,
        context: &Context,
        cold_start: bool,
        duration: Duration,
        measured: &Measurement,
        trace: Option<&str>,
    ) {
        if self.metrics.is_none() && !tracing::enabled!(Level::INFO) {
            return;
        }
        let line = self.line(context, cold_start, duration, measured, trace, SystemClock.now());
        // A log that cannot be written is no reason to answer less.
        let _ = std::io::stdout().lock().write_all(line.as_bytes());
    }

    fn line(
        &self,
        context: &Context,
        cold_start: bool,
        duration: Duration,
        measured: &Measurement,
        trace: Option<&str>,
        now: Timestamp,
    ) -> String {
        let store = measured.store;
        let line = Line {
            timestamp: now.to_string(),
            level: if measured.status.is_server_error() {
                "ERROR"
            } else {
                "INFO"
            },
            message: "answered",
            invocation: &context.request_id,
            id: &measured.request_id,
            xray: context.xray_trace_id.as_deref(),
            trace,
            function: &self.function,
            function_version: &self.version,
            cold_start,
            operation: measured.operation,
            resource: measured.resource(),
            status: measured.status.as_u16(),
            code: measured.code.as_deref(),
            rows: store.rows,
            duration_ms: milliseconds(duration),
            db_ms: milliseconds(store.store),
            retries: store.retries,
        };
        let mut text = serde_json::to_string(&line).expect("names and numbers can be written");
        if let Some(metrics) = &self.metrics {
            text.pop();
            let _ = write!(
                text,
                r#","Requests":1,"Errors":{},"Latency":{},"DatabaseLatency":{},"ColdStarts":{},"Retries":{},"PoolWait":{},"_aws":{{"Timestamp":{}{}}}"#,
                u8::from(measured.status.is_server_error()),
                line.duration_ms,
                line.db_ms,
                u8::from(cold_start),
                store.retries,
                milliseconds(store.connection),
                now.micros_since_2000() / 1000 + MILLISECONDS_TO_2000,
                metrics,
            );
            text.push('}');
        }
        text.push('\n');
        text
    }
}

/// In milliseconds, to the microsecond.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1_000_000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use rowstamp_ports::Readings;
    use serde_json::{Value, json};

    use super::*;

    fn vars(pairs: &[(&str, &str)]) -> Vars {
        let pairs = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Vars::new(pairs)
    }

    fn line(settings: &Settings, status: StatusCode) -> Value {
        let environment = vars(&[
            ("AWS_LAMBDA_FUNCTION_NAME", "library"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "7"),
        ]);
        let mut context = Context::default();
        context.request_id = "i-1".to_owned();
        context.xray_trace_id = Some("Root=1-2".to_owned());
        let measured = Measurement {
            request_id: "r-1".to_owned(),
            operation: "list",
            resource: None,
            status,
            code: None,
            total: Duration::from_micros(4500),
            store: Readings {
                store: Duration::from_micros(3250),
                connection: Duration::from_micros(1001),
                rows: 25,
                retries: 2,
            },
        };
        let now = Timestamp::from_micros_since_1970(1_769_860_800_123_456).expect("it is in range");
        let log = RequestLog::new(settings, &environment);
        let text = log.line(&context, true, Duration::from_millis(5), &measured, None, now);
        assert_eq!(text.matches('\n').count(), 1, "{text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    #[test]
    fn a_line_tells_what_was_asked_for_and_what_it_took() {
        assert_eq!(
            line(&Settings::default(), StatusCode::OK),
            json!({
                "timestamp": "2026-01-31T12:00:00.123456+00:00", "level": "INFO", "message": "answered",
                "requestId": "i-1", "id": "r-1", "xrayTraceId": "Root=1-2", "FunctionName": "library",
                "function_version": "7", "cold_start": true, "operation": "list", "resource": null, "status": 200,
                "code": null, "rows": 25, "duration_ms": 5.0, "db_ms": 3.25, "retries": 2,
            })
        );
    }

    #[test]
    fn metrics_stand_in_the_same_line_and_each_has_its_value() {
        let settings = Settings {
            namespace: Some("Library".to_owned()),
        };
        let line = line(&settings, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(line["level"], "ERROR");
        assert_eq!(line["_aws"]["Timestamp"], 1_769_860_800_123_u64);
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Namespace"], "Library");
        assert_eq!(directive["Dimensions"], json!([["FunctionName"]]));
        let values: Vec<(&str, &Value)> = directive["Metrics"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|metric| metric["Name"].as_str())
            .map(|name| (name, &line[name]))
            .collect();
        assert_eq!(
            values,
            [
                ("Requests", &json!(1)),
                ("Errors", &json!(1)),
                ("Latency", &json!(5)),
                ("DatabaseLatency", &json!(3.25)),
                ("ColdStarts", &json!(1)),
                ("Retries", &json!(2)),
                ("PoolWait", &json!(1.001)),
            ]
        );
    }

    #[test]
    fn settings_that_make_no_sense_are_reported() {
        for (pairs, told) in [
            (&[][..], ""),
            (&[("ROWSTAMP_METRICS", "off")][..], ""),
            (&[("ROWSTAMP_METRICS", "cloudwatch")][..], ""),
            (
                &[("ROWSTAMP_METRICS", "statsd")][..],
                "ROWSTAMP_METRICS: expected cloudwatch or off",
            ),
            (
                &[("ROWSTAMP_METRICS_NAMESPACE", "a\"b")][..],
                "ROWSTAMP_METRICS_NAMESPACE: expected a namespace of CloudWatch such as Library",
            ),
        ] {
            let mut problems = Problems::new();
            let _ = Settings::read(&vars(pairs), &mut problems);
            assert_eq!(problems.to_string(), told);
        }
    }
}
