//! The settings, under the names that OpenTelemetry gives them everywhere: `OTEL_…`.
//!
//! They are read from what the application hands over, never from the environment, and judged as a whole. Without an endpoint, or
//! with `OTEL_SDK_DISABLED=true`, there are none.

use std::collections::HashMap;
use std::time::Duration;

use http::Uri;
use http::header::{HeaderName, HeaderValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::Sampler;
use percent_encoding::percent_decode_str;
use rowstamp_ports::{Problems, Vars};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::parent::Propagators;
use crate::resource;

/// Where the program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// As a function on AWS Lambda.
    Lambda,
    /// On a machine like any other.
    Machine,
}

/// What is exported, how and where to.
#[derive(Debug)]
pub struct Settings {
    pub(crate) collector: Collector,
    pub(crate) resource: Resource,
    pub(crate) sampler: Sampler,
    pub(crate) propagators: Propagators,
}

/// Where spans are sent to.
pub(crate) struct Collector {
    pub(crate) endpoint: Uri,
    /// Most of them are keys of a vendor's.
    pub(crate) headers: HashMap<String, String>,
    /// How long an export may take.
    pub(crate) limit: Duration,
    pub(crate) roots: RootCertStore,
}

impl std::fmt::Debug for Collector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Collector")
            .field("host", &self.endpoint.host())
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Reads them; `None` where nothing is to be exported. What is wrong is reported, whatever is given back.
    pub fn read(vars: &Vars, place: Place, problems: &mut Problems) -> Option<Self> {
        if vars
            .get("OTEL_SDK_DISABLED")
            .is_some_and(|text| text.eq_ignore_ascii_case("true"))
        {
            return None;
        }
        match vars.get("OTEL_TRACES_EXPORTER") {
            None | Some("otlp") => {}
            Some("none") => return None,
            Some(_) => problems.report("OTEL_TRACES_EXPORTER", "expected otlp or none"),
        }
        let (endpoint, name) = endpoint(vars)?;
        let endpoint = endpoint.parse().ok().filter(is_http);
        if endpoint.is_none() {
            problems.report(name, "expected a URL such as http://localhost:4318");
        }
        let (protocol, name) = of_traces(vars, "PROTOCOL");
        if protocol.is_some_and(|protocol| protocol != "http/protobuf") {
            problems.report(&name, "expected http/protobuf, which is the one that is built in");
        }
        let headers = headers(vars, problems);
        let limit = limit(vars, place, problems);
        let roots = roots(vars, problems);
        let resource = resource::read(vars, place, problems);
        let sampler = sampler(vars, problems);
        let propagators = propagators(vars, place, problems);
        Some(Self {
            collector: Collector {
                endpoint: endpoint?,
                headers,
                limit,
                roots,
            },
            resource,
            sampler,
            propagators,
        })
    }
}

/// What is said of traces, else of everything that is exported, and under which name.
fn of_traces<'a>(vars: &'a Vars, what: &str) -> (Option<&'a str>, String) {
    let own = format!("OTEL_EXPORTER_OTLP_TRACES_{what}");
    if let Some(value) = vars.get(&own) {
        return (Some(value), own);
    }
    let common = format!("OTEL_EXPORTER_OTLP_{what}");
    (vars.get(&common), common)
}

/// The address of traces as it is, else that of everything with the path of traces.
fn endpoint(vars: &Vars) -> Option<(String, &'static str)> {
    const TRACES: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    const EVERYTHING: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    if let Some(endpoint) = vars.get(TRACES) {
        return Some((endpoint.to_owned(), TRACES));
    }
    let base = vars.get(EVERYTHING)?;
    Some((format!("{}/v1/traces", base.trim_end_matches('/')), EVERYTHING))
}

fn is_http(uri: &Uri) -> bool {
    matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
}

/// `name=value` pairs with commas between, values percent-encoded where need be. What is wrong is told without the value.
pub(crate) fn pairs(text: &str) -> impl Iterator<Item = Option<(String, String)>> {
    text.split(',')
        .filter(|pair| !pair.trim().is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=')?;
            let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
            Some((name.trim().to_owned(), value.into_owned())).filter(|(name, _)| !name.is_empty())
        })
}

fn headers(vars: &Vars, problems: &mut Problems) -> HashMap<String, String> {
    let (text, name) = of_traces(vars, "HEADERS");
    let mut headers = HashMap::new();
    for pair in pairs(text.unwrap_or_default()) {
        match pair {
            Some((key, value))
                if HeaderName::from_bytes(key.as_bytes()).is_ok()
                    && HeaderValue::from_str(&value).is_ok() =>
            {
                headers.insert(key, value);
            }
            _ => {
                problems.report(
                    &name,
                    "expected header fields such as api-key=secret, with commas between",
                );
                break;
            }
        }
    }
    headers
}

/// On Lambda nothing waits for the export but the environment, which is paid for.
fn limit(vars: &Vars, place: Place, problems: &mut Problems) -> Duration {
    let (text, name) = of_traces(vars, "TIMEOUT");
    let by_itself = match place {
        Place::Lambda => Duration::from_secs(1),
        Place::Machine => Duration::from_secs(10),
    };
    match text.map(str::parse) {
        None => by_itself,
        Some(Ok(milliseconds)) if milliseconds > 0 => Duration::from_millis(milliseconds),
        Some(_) => {
            problems.report(&name, "expected a number of milliseconds");
            by_itself
        }
    }
}

/// The certificate authorities of the public web, or those in the file that is named.
fn roots(vars: &Vars, problems: &mut Problems) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let (path, name) = of_traces(vars, "CERTIFICATE");
    let Some(path) = path else {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        return roots;
    };
    match std::fs::read(path) {
        Ok(pem) => {
            let certificates = CertificateDer::pem_slice_iter(&pem).flatten();
            if roots.add_parsable_certificates(certificates).0 == 0 {
                problems.report(&name, format!("there is no certificate in {path}"));
            }
        }
        Err(error) => problems.report(&name, format!("cannot read {path}: {error}")),
    }
    roots
}

fn sampler(vars: &Vars, problems: &mut Problems) -> Sampler {
    const NAME: &str = "OTEL_TRACES_SAMPLER";
    let by_parent = |root: Sampler| Sampler::ParentBased(Box::new(root));
    match vars.get(NAME) {
        None | Some("parentbased_always_on") => by_parent(Sampler::AlwaysOn),
        Some("parentbased_always_off") => by_parent(Sampler::AlwaysOff),
        Some("parentbased_traceidratio") => by_parent(Sampler::TraceIdRatioBased(ratio(vars, problems))),
        Some("always_on") => Sampler::AlwaysOn,
        Some("always_off") => Sampler::AlwaysOff,
        Some("traceidratio") => Sampler::TraceIdRatioBased(ratio(vars, problems)),
        Some(_) => {
            problems.report(
                NAME,
                "expected always_on, always_off, traceidratio, or one of them after parentbased_",
            );
            Sampler::AlwaysOff
        }
    }
}

fn ratio(vars: &Vars, problems: &mut Problems) -> f64 {
    const NAME: &str = "OTEL_TRACES_SAMPLER_ARG";
    match vars.get(NAME).map(str::parse::<f64>) {
        None => 1.0,
        Some(Ok(ratio)) if (0.0..=1.0).contains(&ratio) => ratio,
        Some(_) => {
            problems.report(NAME, "expected a number from 0 to 1");
            1.0
        }
    }
}

/// As OpenTelemetry has it, each reads over what those before it found: the last one wins.
fn propagators(vars: &Vars, place: Place, problems: &mut Problems) -> Propagators {
    const NAME: &str = "OTEL_PROPAGATORS";
    let by_itself = match place {
        // A caller that takes part in a trace says so on purpose; X-Ray's header comes with every invocation.
        Place::Lambda => "xray,tracecontext",
        Place::Machine => "tracecontext",
    };
    let mut found = Propagators::None;
    for name in vars.get(NAME).unwrap_or(by_itself).split(',') {
        found = match (name.trim(), found) {
            ("tracecontext", Propagators::XRay) => Propagators::TraceContextThenXRay,
            ("tracecontext", Propagators::None) => Propagators::TraceContext,
            ("xray" | "xray-lambda", Propagators::TraceContext) => Propagators::XRayThenTraceContext,
            ("xray" | "xray-lambda", Propagators::None) => Propagators::XRay,
            // Nothing is passed on from here, so baggage is nobody's. What was named already needs no second time.
            ("baggage" | "none" | "tracecontext" | "xray" | "xray-lambda", found) => found,
            (_, found) => {
                problems.report(
                    NAME,
                    "expected tracecontext, xray, baggage or none, with commas between",
                );
                return found;
            }
        };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)], place: Place) -> (Option<Settings>, String) {
        let pairs = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut problems = Problems::new();
        let settings = Settings::read(&Vars::new(pairs), place, &mut problems);
        (settings, problems.to_string())
    }

    fn good(pairs: &[(&str, &str)], place: Place) -> Settings {
        let (settings, told) = read(pairs, place);
        assert_eq!(told, "");
        settings.unwrap_or_else(|| panic!("nothing is exported: {pairs:?}"))
    }

    const HERE: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");

    #[test]
    fn nothing_is_exported_unless_somebody_says_where_to() {
        for pairs in [
            &[][..],
            &[
                ("OTEL_SERVICE_NAME", "library"),
                ("OTEL_TRACES_SAMPLER", "always_on"),
            ],
            &[HERE, ("OTEL_SDK_DISABLED", "true")],
            &[
                HERE,
                ("OTEL_SDK_DISABLED", "TRUE"),
                ("OTEL_TRACES_SAMPLER", "wrong"),
            ],
            &[HERE, ("OTEL_TRACES_EXPORTER", "none")],
        ] {
            let (settings, told) = read(pairs, Place::Machine);
            assert!(settings.is_none(), "{pairs:?}");
            assert_eq!(told, "", "{pairs:?}");
        }
        good(&[HERE, ("OTEL_SDK_DISABLED", "false")], Place::Machine);
        good(&[HERE, ("OTEL_TRACES_EXPORTER", "otlp")], Place::Machine);
    }

    #[test]
    fn traces_have_an_address_of_their_own_or_a_path_below_that_of_everything() {
        let own = (
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "https://traces.example/in?x=1",
        );
        for (pairs, expected) in [
            (&[HERE][..], "http://localhost:4318/v1/traces"),
            (
                &[("OTEL_EXPORTER_OTLP_ENDPOINT", "https://otlp.example/team/")],
                "https://otlp.example/team/v1/traces",
            ),
            (&[HERE, own], "https://traces.example/in?x=1"),
        ] {
            let settings = good(pairs, Place::Machine);
            assert_eq!(settings.collector.endpoint.to_string(), expected);
        }
    }

    #[test]
    fn headers_are_pairs_and_are_never_printed() {
        let settings = good(
            &[
                HERE,
                (
                    "OTEL_EXPORTER_OTLP_HEADERS",
                    "api-key=hush%20hush, x-team = library,",
                ),
            ],
            Place::Machine,
        );
        let headers = &settings.collector.headers;
        assert_eq!(headers.get("api-key").map(String::as_str), Some("hush hush"));
        assert_eq!(headers.get("x-team").map(String::as_str), Some("library"));
        assert!(!format!("{settings:?}").contains("hush"), "{settings:?}");
        let own = good(
            &[
                HERE,
                ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a"),
                ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "api-key=b"),
            ],
            Place::Machine,
        );
        assert_eq!(
            own.collector.headers.get("api-key").map(String::as_str),
            Some("b")
        );
    }

    #[test]
    fn an_export_has_less_time_on_lambda() {
        for (place, pairs, expected) in [
            (Place::Machine, &[HERE][..], 10_000),
            (Place::Lambda, &[HERE], 1_000),
            (Place::Lambda, &[HERE, ("OTEL_EXPORTER_OTLP_TIMEOUT", "250")], 250),
            (
                Place::Machine,
                &[
                    HERE,
                    ("OTEL_EXPORTER_OTLP_TIMEOUT", "250"),
                    ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "300"),
                ],
                300,
            ),
        ] {
            assert_eq!(
                good(pairs, place).collector.limit,
                Duration::from_millis(expected)
            );
        }
    }

    #[test]
    fn samplers_have_the_names_that_they_have_everywhere() {
        for (name, argument, expected) in [
            (None, None, "ParentBased(AlwaysOn)"),
            (Some("parentbased_always_on"), None, "ParentBased(AlwaysOn)"),
            (Some("parentbased_always_off"), None, "ParentBased(AlwaysOff)"),
            (
                Some("parentbased_traceidratio"),
                Some("0.25"),
                "ParentBased(TraceIdRatioBased(0.25))",
            ),
            (Some("always_on"), None, "AlwaysOn"),
            (Some("always_off"), None, "AlwaysOff"),
            (Some("traceidratio"), Some("0"), "TraceIdRatioBased(0.0)"),
            (Some("traceidratio"), None, "TraceIdRatioBased(1.0)"),
        ] {
            let named = [
                ("OTEL_TRACES_SAMPLER", name),
                ("OTEL_TRACES_SAMPLER_ARG", argument),
            ];
            let mut pairs = vec![HERE];
            pairs.extend(named.into_iter().filter_map(|(name, value)| Some((name, value?))));
            let sampler = good(&pairs, Place::Machine).sampler;
            assert_eq!(format!("{sampler:?}"), expected, "{name:?}");
        }
    }

    #[test]
    fn the_last_propagator_that_is_named_wins() {
        use Propagators::{None as Nobody, TraceContext, TraceContextThenXRay, XRay, XRayThenTraceContext};
        assert_eq!(good(&[HERE], Place::Machine).propagators, TraceContext);
        assert_eq!(good(&[HERE], Place::Lambda).propagators, TraceContextThenXRay);
        for (names, expected) in [
            ("none", Nobody),
            ("baggage", Nobody),
            ("tracecontext,baggage", TraceContext),
            ("xray", XRay),
            ("xray-lambda", XRay),
            ("tracecontext,baggage,xray-lambda", XRayThenTraceContext),
            ("xray, tracecontext", TraceContextThenXRay),
            ("xray,xray-lambda,tracecontext,tracecontext", TraceContextThenXRay),
        ] {
            let settings = good(&[HERE, ("OTEL_PROPAGATORS", names)], Place::Lambda);
            assert_eq!(settings.propagators, expected, "{names}");
        }
    }

    #[test]
    fn every_mistake_is_reported_at_once_and_nothing_secret_with_it() {
        let (settings, told) = read(
            &[
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4317"),
                ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
                ("OTEL_EXPORTER_OTLP_HEADERS", "hush-hush"),
                ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
                ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/no/such/file.pem"),
                ("OTEL_RESOURCE_ATTRIBUTES", "team"),
                ("OTEL_TRACES_EXPORTER", "zipkin"),
                ("OTEL_TRACES_SAMPLER", "xray"),
                ("OTEL_PROPAGATORS", "b3"),
            ],
            Place::Lambda,
        );
        assert!(settings.is_none());
        let names: Vec<&str> = told.lines().filter_map(|line| line.split(':').next()).collect();
        assert_eq!(
            names,
            [
                "OTEL_TRACES_EXPORTER",
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                "OTEL_EXPORTER_OTLP_PROTOCOL",
                "OTEL_EXPORTER_OTLP_HEADERS",
                "OTEL_EXPORTER_OTLP_TIMEOUT",
                "OTEL_EXPORTER_OTLP_CERTIFICATE",
                "OTEL_RESOURCE_ATTRIBUTES",
                "OTEL_TRACES_SAMPLER",
                "OTEL_PROPAGATORS",
            ]
        );
        assert!(!told.contains("hush"), "{told}");
    }
}
