//! The trace that a request belongs to: what a caller says in `traceparent`, and what Lambda says in X-Ray's words.
//!
//! It starts no span. Anybody can send a `traceparent`; it decides about nothing but the trace and whether that is sampled.

use http::HeaderMap;
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::propagation::TraceContextPropagator;

/// Whose word about the trace counts; `traceparent`'s before X-Ray's or the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Propagators {
    None,
    TraceContext,
    XRay,
    /// A caller's `traceparent`, and X-Ray's word where there is none.
    TraceContextThenXRay,
    XRayThenTraceContext,
}

impl Propagators {
    /// The trace to go on with; an empty context where nobody names one.
    pub(crate) fn extract(self, headers: Option<&HeaderMap>, xray: Option<&str>) -> Context {
        let from_caller = || headers.and_then(trace_context);
        let from_lambda = || xray.and_then(xray_context);
        match self {
            Self::None => None,
            Self::TraceContext => from_caller(),
            Self::XRay => from_lambda(),
            Self::TraceContextThenXRay => from_caller().or_else(from_lambda),
            Self::XRayThenTraceContext => from_lambda().or_else(from_caller),
        }
        .unwrap_or_default()
    }
}

/// W3C Trace Context. Only `traceparent` counts: `tracestate` is for those whom a trace is passed on to, and would put whatever text a caller
/// sends into each span.
fn trace_context(headers: &HeaderMap) -> Option<Context> {
    // Two of them are nobody's word.
    let mut given = headers.get_all("traceparent").iter();
    if given.next().is_none() || given.next().is_some() {
        return None;
    }
    let context =
        TraceContextPropagator::new().extract_with_context(&Context::new(), &HeaderExtractor(headers));
    let span = context.span();
    let named = span.span_context();
    let parent = SpanContext::new(
        named.trace_id(),
        named.span_id(),
        named.trace_flags(),
        true,
        TraceState::default(),
    );
    parent
        .is_valid()
        .then(|| Context::new().with_remote_span_context(parent))
}

/// X-Ray's tracing header, `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`, whatever else stands in it.
///
/// The root is a time of eight digits and 96 bits of chance; together they are a trace's id. Lambda always names a parent, and always says
/// whether the trace is sampled; a header that does not is none.
fn xray_context(header: &str) -> Option<Context> {
    let (mut root, mut parent, mut sampled) = (None, None, None);
    for part in header.split(';') {
        match part.trim().split_once('=') {
            Some(("Root", value)) => root = Some(value),
            Some(("Parent", value)) => parent = Some(value),
            Some(("Sampled", value)) => sampled = Some(value),
            _ => {}
        }
    }
    let (time, chance) = root?.strip_prefix("1-")?.split_once('-')?;
    let is_hex =
        |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hex(time, 8) || !is_hex(chance, 24) || !is_hex(parent?, 16) {
        return None;
    }
    let flags = match sampled? {
        "1" => TraceFlags::SAMPLED,
        "0" => TraceFlags::default(),
        _ => return None,
    };
    let context = SpanContext::new(
        TraceId::from_hex(&[time, chance].concat()).ok()?,
        SpanId::from_hex(parent?).ok()?,
        flags,
        true,
        TraceState::default(),
    );
    context
        .is_valid()
        .then(|| Context::new().with_remote_span_context(context))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    use http::{HeaderName, HeaderValue};

    use super::*;

    const ROOT: &str = "5759e988bd862e3fe1be46a994272793";
    const XRAY: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";

    /// Trace, parent and whether it is sampled, as the propagators find it.
    fn found(
        propagators: Propagators,
        traceparent: &[&str],
        xray: Option<&str>,
    ) -> Option<(String, String, bool)> {
        let mut headers = HeaderMap::new();
        for value in traceparent {
            headers.append("traceparent", value.parse().unwrap());
        }
        let context = propagators.extract(Some(&headers), xray);
        let span = context.span();
        let found = span.span_context();
        found.is_valid().then(|| {
            assert!(found.is_remote());
            (
                found.trace_id().to_string(),
                found.span_id().to_string(),
                found.is_sampled(),
            )
        })
    }

    fn xray(header: &str) -> Option<(String, String, bool)> {
        found(Propagators::XRay, &[], Some(header))
    }

    #[test]
    fn the_root_of_xray_is_the_trace_and_its_parent_the_parent() {
        let expected = |sampled| Some((ROOT.to_owned(), "53995c3f42cd8ad8".to_owned(), sampled));
        assert_eq!(xray(XRAY), expected(true));
        for (header, sampled) in [
            (
                "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0",
                false,
            ),
            (
                "Sampled=1; Parent=53995c3f42cd8ad8 ;Root=1-5759e988-bd862e3fe1be46a994272793",
                true,
            ),
            (
                "Self=1-6;Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=1:a:0",
                true,
            ),
            (
                "Root=1-5759E988-BD862E3FE1BE46A994272793;Parent=53995C3F42CD8AD8;Sampled=1",
                true,
            ),
        ] {
            assert_eq!(xray(header), expected(sampled), "{header}");
        }
    }

    #[test]
    fn a_header_that_is_not_xrays_is_no_parent() {
        for header in [
            "",
            ";;==;",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=?",
            "Parent=53995c3f42cd8ad8;Sampled=1",
            "Root=2-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
            "Root=1-5759e98-bd862e3fe1be46a9942727930;Parent=53995c3f42cd8ad8;Sampled=1",
            "Root=1-5759e988-bd862e3fe1be46a99427279;Parent=53995c3f42cd8ad8;Sampled=1",
            "Root=1-5759e988-bd862e3fe1be46a99427279x;Parent=53995c3f42cd8ad8;Sampled=1",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad;Sampled=1",
            "Root=1-5759e988-+d862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
            "Root=1-00000000-000000000000000000000000;Parent=53995c3f42cd8ad8;Sampled=1",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=0000000000000000;Sampled=1",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=ääääääää;Sampled=1",
        ] {
            assert_eq!(xray(header), None, "{header}");
        }
    }

    #[test]
    fn what_a_caller_says_of_other_vendors_goes_into_no_span() {
        let headers = [
            (
                "traceparent",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            ),
            ("tracestate", "vendor=whatever"),
        ];
        let headers: HeaderMap = headers
            .into_iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let context = Propagators::TraceContext.extract(Some(&headers), None);
        let span = context.span();
        assert!(span.span_context().is_valid() && span.span_context().is_remote());
        assert_eq!(span.span_context().trace_state(), &TraceState::default());
    }

    #[test]
    fn a_traceparent_is_read_as_w3c_says() {
        let one = |value| found(Propagators::TraceContext, &[value], None);
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(
            one(good),
            Some((
                "4bf92f3577b34da6a3ce929d0e0e4736".to_owned(),
                "00f067aa0ba902b7".to_owned(),
                true
            ))
        );
        assert!(
            !one("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")
                .unwrap()
                .2
        );
        for value in [
            "",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "4bf92f3577b34da6a3ce929d0e0e4736",
        ] {
            assert_eq!(one(value), None, "{value}");
        }
        assert_eq!(
            found(Propagators::TraceContext, &[good, good], None),
            None,
            "given twice"
        );
    }

    #[test]
    fn a_traceparent_comes_before_xray_unless_the_settings_say_otherwise() {
        use Propagators::{None as Nobody, TraceContext, TraceContextThenXRay, XRay, XRayThenTraceContext};
        const CALLERS: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
        let traceparent = format!("00-{CALLERS}-00f067aa0ba902b7-01");
        for (propagators, both, only_caller, only_lambda) in [
            (Nobody, None, None, None),
            (TraceContext, Some(CALLERS), Some(CALLERS), None),
            (XRay, Some(ROOT), None, Some(ROOT)),
            (TraceContextThenXRay, Some(CALLERS), Some(CALLERS), Some(ROOT)),
            (XRayThenTraceContext, Some(ROOT), Some(CALLERS), Some(ROOT)),
        ] {
            let trace =
                |traceparent: &[&str], xray| found(propagators, traceparent, xray).map(|(trace, _, _)| trace);
            assert_eq!(
                trace(&[&traceparent], Some(XRAY)).as_deref(),
                both,
                "{propagators:?}"
            );
            assert_eq!(
                trace(&[&traceparent], None).as_deref(),
                only_caller,
                "{propagators:?}"
            );
            assert_eq!(trace(&[], Some(XRAY)).as_deref(), only_lambda, "{propagators:?}");
            assert_eq!(
                trace(&["nonsense"], Some(XRAY)).as_deref(),
                only_lambda,
                "{propagators:?}"
            );
        }
    }
}
