//! From an outcome to an answer: status, header fields and body.
//!
//! What every answer carries (request id, CORS) is added at the end by [`finish`]; refusals are problems until then.

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue,
    LINK, LOCATION, VARY,
};
use http::{Method, StatusCode};
use rowstamp_domain::definition::ResourceDefinition;
use rowstamp_domain::operation::{Outcome, Rows};
use rowstamp_domain::query::{Query, Select};
use rowstamp_ports::exchange::{ApiResponse, Entrance};
use uuid::Uuid;

use crate::conditional::{ReadCondition, entity_tag};
use crate::cors::Cors;
use crate::encode;
use crate::negotiate::Media;
use crate::preferences::{Honoured, Resolution, Return};
use crate::problem::{Problem, codes};
use crate::resource_mapper::asked::{Asked, Show};
use crate::served::{Columns, Served};

const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What an envelope adds to a body: status, header fields, of which `Link` is the only long one and bounded, the words of JSON around
/// them.
const ENVELOPE_BYTES: usize = 8 * 1024;

/// As many header fields as most answers have.
const USUAL_HEADERS: usize = 6;

/// One row that was read.
pub(crate) fn item(
    outcome: Outcome,
    served: &Served,
    asked: &Asked,
    columns: &Columns,
    entrance: Entrance,
) -> Result<ApiResponse, Problem> {
    // What an after-read hook made of a row can differ for the same version.
    let tag = outcome
        .version
        .filter(|_| !served.points.after_read)
        .and_then(|version| entity_tag(version, columns.fingerprint(asked.media)?));
    let mut answer = empty(StatusCode::OK);
    match asked.conditions.of_read(tag.as_ref(), outcome.version) {
        ReadCondition::Failed => return Err(precondition_failed()),
        ReadCondition::NotModified => answer.status = StatusCode::NOT_MODIFIED,
        ReadCondition::Proceed => {
            fits(&outcome.rows, entrance)?;
            let body = encoded(
                outcome.rows,
                &columns.select,
                Show::Object,
                asked.media.is_stripped(),
            )
            .ok_or_else(|| Problem::new(codes::INTERNAL, "the request could not be completed"))?;
            carried(&body, asked.media, entrance)?;
            answer.headers.insert(CONTENT_TYPE, asked.media.content_type());
            answer.body = body;
        }
    }
    if let Some(tag) = tag {
        answer.headers.insert(ETAG, tag);
    }
    applied(&mut answer, asked, Honoured::default());
    Ok(answer)
}

/// A page that was read: what was asked for, and what comes after it.
pub(crate) struct Page<'a> {
    pub(crate) served: &'a Served,
    pub(crate) query: &'a Query,
    /// `Link`
    pub(crate) next: Option<HeaderValue>,
    /// Whether the total is no estimate.
    pub(crate) is_counted_exactly: bool,
}

/// A page as an answer.
pub(crate) fn list(
    outcome: Outcome,
    asked: &Asked,
    page: &Page<'_>,
    entrance: Entrance,
) -> Result<ApiResponse, Problem> {
    let Outcome {
        rows,
        returned,
        total,
        ..
    } = outcome;
    let offset = page.query.offset;
    if let Some(total) = total.filter(|total| page.is_counted_exactly && offset > *total) {
        return Err(
            Problem::new(codes::OUT_OF_BOUNDS, "Requested range not satisfiable")
                .details(format!(
                    "An offset of {offset} was requested, but there are only {total} rows."
                ))
                .header(CONTENT_RANGE, content_range(None, Some(total))),
        );
    }
    if asked.media.is_singular() && returned != 1 {
        return Err(not_singular(returned));
    }
    fits(&rows, entrance)?;
    let body = page_body(rows, asked.media, &page.query.select, &page.served.definition);
    let body = if asked.media.is_singular() {
        inside(&body)
    } else {
        body
    };
    carried(&body, asked.media, entrance)?;
    // Where a page that a cursor leads to stands among all rows, nobody has counted.
    let continues = page.query.after.is_some();
    let mut answer = empty(match total {
        Some(total) if returned < total && !continues => StatusCode::PARTIAL_CONTENT,
        _ => StatusCode::OK,
    });
    let range = (returned > 0 && !continues).then(|| (offset, offset.saturating_add(returned - 1)));
    answer.headers.insert(CONTENT_TYPE, asked.media.content_type());
    answer.headers.insert(CONTENT_RANGE, content_range(range, total));
    if let Some(next) = &page.next {
        answer.headers.insert(LINK, next.clone());
    }
    answer.body = body;
    applied(
        &mut answer,
        asked,
        Honoured {
            count: total.is_some(),
            ..Honoured::default()
        },
    );
    Ok(answer)
}

fn page_body(rows: Rows, media: Media, select: &Select, definition: &ResourceDefinition) -> Bytes {
    match rows {
        Rows::Json(json) => Bytes::from(json),
        Rows::Records(records) if media == Media::Csv => {
            Bytes::from(encode::csv(&records, select, definition))
        }
        Rows::Records(records) => Bytes::from(encode::array(&records, select, media.is_stripped())),
        Rows::None | Rows::TooLarge => Bytes::from_static(b"[]"),
    }
}

/// What a write is answered with.
pub(crate) struct Written<'a> {
    pub(crate) served: &'a Served,
    asked: &'a Asked,
    columns: &'a Columns,
    pub(crate) show: Show,
    entrance: Entrance,
    /// Whether it is a POST.
    creates: bool,
    /// Whether what was to be shown may not be.
    withheld: bool,
}

impl<'a> Written<'a> {
    pub(crate) const fn new(
        served: &'a Served,
        asked: &'a Asked,
        columns: &'a Columns,
        show: Show,
        entrance: Entrance,
    ) -> Self {
        Self {
            served,
            asked,
            columns,
            show,
            entrance,
            creates: false,
            withheld: false,
        }
    }

    /// The same for a POST, where other preferences have a meaning.
    pub(crate) const fn of_creation(mut self) -> Self {
        self.creates = true;
        self
    }

    /// Shows nothing of what was written, though it was asked for.
    pub(crate) fn withhold(&mut self) {
        self.show = Show::Nothing;
        self.withheld = true;
    }

    /// A row created by POST.
    pub(crate) fn created(&self, outcome: Outcome, base_path: &str) -> ApiResponse {
        let mut answer = self.tagged(&outcome);
        self.locate(&mut answer, &outcome, base_path);
        answer.headers.insert(CONTENT_RANGE, self.counted(None));
        self.show(answer, outcome, StatusCode::CREATED, StatusCode::CREATED)
    }

    /// A row created by PUT. Such an answer has no validator, since the row is not what was sent (RFC 9110, 9.3.4).
    pub(crate) fn put_created(&self, outcome: Outcome, base_path: &str) -> ApiResponse {
        let mut answer = empty(StatusCode::CREATED);
        self.locate(&mut answer, &outcome, base_path);
        self.show(answer, outcome, StatusCode::CREATED, StatusCode::CREATED)
    }

    /// A row replaced by PUT.
    pub(crate) fn replaced(&self, outcome: Outcome) -> ApiResponse {
        self.show(
            empty(StatusCode::OK),
            outcome,
            StatusCode::OK,
            StatusCode::NO_CONTENT,
        )
    }

    /// A row changed by PATCH.
    pub(crate) fn updated(&self, outcome: Outcome) -> ApiResponse {
        let mut answer = self.tagged(&outcome);
        answer.headers.insert(CONTENT_RANGE, self.counted(Some((0, 0))));
        self.show(answer, outcome, StatusCode::OK, StatusCode::NO_CONTENT)
    }

    /// A row deleted.
    pub(crate) fn deleted(&self, outcome: Outcome) -> ApiResponse {
        let mut answer = empty(StatusCode::OK);
        answer.headers.insert(CONTENT_RANGE, self.counted(None));
        self.show(answer, outcome, StatusCode::OK, StatusCode::NO_CONTENT)
    }

    /// A row in whose way another was, changed by POST.
    pub(crate) fn merged(&self, outcome: Outcome) -> ApiResponse {
        let mut answer = self.tagged(&outcome);
        answer.headers.insert(CONTENT_RANGE, self.counted(None));
        self.show(answer, outcome, StatusCode::OK, StatusCode::OK)
    }

    /// Rows created by POST, or changed where nothing had to be created.
    pub(crate) fn created_many(&self, outcome: Outcome) -> ApiResponse {
        let status = if self.merges() && outcome.created == 0 && outcome.affected > 0 {
            StatusCode::OK
        } else {
            StatusCode::CREATED
        };
        self.many(outcome, None, status, status)
    }

    /// Rows changed by PATCH.
    pub(crate) fn updated_many(&self, outcome: Outcome) -> ApiResponse {
        let range = outcome.affected.checked_sub(1).map(|last| (0, last));
        self.many(outcome, range, StatusCode::OK, StatusCode::NO_CONTENT)
    }

    /// Rows deleted by DELETE.
    pub(crate) fn deleted_many(&self, outcome: Outcome) -> ApiResponse {
        self.many(outcome, None, StatusCode::OK, StatusCode::NO_CONTENT)
    }

    fn many(
        &self,
        mut outcome: Outcome,
        range: Option<(u64, u64)>,
        with_body: StatusCode,
        without: StatusCode,
    ) -> ApiResponse {
        let mut answer = empty(without);
        let total = self.asked.preferences.count.map(|_| outcome.affected);
        answer.headers.insert(CONTENT_RANGE, content_range(range, total));
        if outcome.affected == 0 && outcome.rows == Rows::None {
            // No row is an answer as well; rows that may not be seen are none.
            outcome.rows = Rows::Records(Vec::new());
        }
        self.show(answer, outcome, with_body, without)
    }

    fn merges(&self) -> bool {
        self.asked.preferences.resolution == Some(Resolution::Merge)
    }

    fn tagged(&self, outcome: &Outcome) -> ApiResponse {
        let mut answer = empty(StatusCode::OK);
        if !self.served.points.after_read
            && let Some(version) = outcome.version
            && let Some(fingerprint) = self.columns.fingerprint(Media::Json)
            && let Some(tag) = entity_tag(version, fingerprint)
        {
            answer.headers.insert(ETAG, tag);
        }
        answer
    }

    fn locate(&self, answer: &mut ApiResponse, outcome: &Outcome, base_path: &str) {
        if let Some(uid) = outcome.uid
            && let Some(location) = location(base_path, &self.served.path, uid)
        {
            answer.headers.insert(LOCATION, location);
        }
    }

    fn counted(&self, range: Option<(u64, u64)>) -> HeaderValue {
        content_range(range, self.asked.preferences.count.map(|_| 1))
    }

    fn show(
        &self,
        mut answer: ApiResponse,
        outcome: Outcome,
        with_body: StatusCode,
        without: StatusCode,
    ) -> ApiResponse {
        let is_left_out = self.withheld || outcome.rows == Rows::TooLarge;
        let body = match self.show {
            Show::Nothing => None,
            Show::Array => match outcome.rows {
                Rows::None | Rows::TooLarge => None,
                rows => Some(page_body(
                    rows,
                    self.asked.media,
                    &self.columns.select,
                    &self.served.definition,
                )),
            },
            Show::Object => encoded(
                outcome.rows,
                &self.columns.select,
                Show::Object,
                self.asked.media.is_stripped(),
            ),
        };
        let asked = self.asked.preferences.representation;
        let (body, representation) = match body {
            // The write has happened; only its answer has to do with less.
            _ if is_left_out => (None, Some(Return::Minimal)),
            Some(body) if carried(&body, self.asked.media, self.entrance).is_err() => {
                (None, Some(Return::Minimal))
            }
            Some(body) => (Some(body), asked),
            None if asked == Some(Return::Representation) => (None, Some(Return::Minimal)),
            None => (None, asked),
        };
        match body {
            Some(body) => {
                answer.status = with_body;
                let media = match self.asked.media {
                    Media::Object | Media::StrippedObject if self.show == Show::Array => Media::Json,
                    media => media,
                };
                answer.headers.insert(CONTENT_TYPE, media.content_type());
                answer.body = body;
            }
            None => answer.status = without,
        }
        let count = self.asked.preferences.count.is_some();
        applied(
            &mut answer,
            self.asked,
            Honoured {
                representation,
                count,
                creation: self.creates,
                transaction: true,
                bound: true,
            },
        );
        answer
    }
}

/// That a row is not in the state a client demanded.
pub(crate) fn precondition_failed() -> Problem {
    Problem::new(
        codes::PRECONDITION_FAILED,
        "the row is not in the state that was demanded",
    )
    .hint("read it again and decide anew")
}

/// A problem as an answer.
pub(crate) fn problem(problem: &Problem, instance: Option<&str>) -> ApiResponse {
    let mut answer = empty(problem.status());
    answer
        .headers
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    for (name, value) in problem.headers() {
        answer.headers.insert(name.clone(), value.clone());
    }
    answer.body = problem.body(instance);
    answer
}

/// A JSON document that is no row.
pub(crate) fn document(body: Bytes, content_type: &'static str) -> ApiResponse {
    let mut answer = empty(StatusCode::OK);
    answer
        .headers
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer.body = body;
    answer
}

/// An answer with nothing in it yet.
pub(crate) fn empty(status: StatusCode) -> ApiResponse {
    ApiResponse {
        status,
        headers: HeaderMap::with_capacity(USUAL_HEADERS),
        body: Bytes::new(),
    }
}

/// Adds what every answer carries, and takes the body off an answer to HEAD.
pub(crate) fn finish(
    answer: &mut ApiResponse,
    request_id: &str,
    origin: Option<&HeaderValue>,
    cors: &Cors,
    method: Option<&Method>,
) {
    let headers = &mut answer.headers;
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(X_REQUEST_ID, id);
    }
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("private, no-cache"));
    headers.entry(VARY).or_insert(if cors.varies() {
        HeaderValue::from_static("Authorization, Accept, Prefer, Origin")
    } else {
        HeaderValue::from_static("Authorization, Accept, Prefer")
    });
    cors.allow(origin, headers);
    if method == Some(&Method::HEAD) {
        if answer.status != StatusCode::NOT_MODIFIED && answer.status != StatusCode::NO_CONTENT {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(answer.body.len()));
        }
        answer.body = Bytes::new();
    }
}

/// What stands between the brackets of a list.
fn inside(list: &Bytes) -> Bytes {
    let end = list.len().saturating_sub(1);
    list.slice(end.min(1)..end)
}

/// That an answer of exactly one row was asked for, where there are more or none.
pub(crate) fn not_singular(rows: u64) -> Problem {
    Problem::new(
        codes::NOT_SINGULAR,
        "Cannot coerce the result to a single JSON object",
    )
    .details(format!("The result contains {rows} rows"))
}

fn encoded(rows: Rows, select: &Select, show: Show, stripped: bool) -> Option<Bytes> {
    match rows {
        Rows::None | Rows::TooLarge => None,
        Rows::Json(json) => Some(Bytes::from(json)),
        Rows::Records(records) => match show {
            Show::Nothing => None,
            Show::Array => Some(Bytes::from(encode::array(&records, select, stripped))),
            Show::Object => records.first().map(|record| {
                let mut out = Vec::new();
                encode::object(record, select, stripped, &mut out);
                Bytes::from(out)
            }),
        },
    }
}

/// The largest body that the entrance can carry, in bytes, where it has a limit.
pub(crate) fn room(entrance: Entrance) -> Option<usize> {
    Some(entrance.answer_limit_bytes()? - ENVELOPE_BYTES)
}

/// Checks that the store found room for the rows.
fn fits(rows: &Rows, entrance: Entrance) -> Result<(), Problem> {
    if *rows != Rows::TooLarge {
        return Ok(());
    }
    // Where there is no limit none was named, and a store that says so has a defect.
    let limit = entrance.answer_limit_bytes();
    Err(limit.map_or_else(
        || Problem::new(codes::INTERNAL, "the request could not be completed"),
        too_large,
    ))
}

/// Checks that the entrance can carry an answer with this body. An event's answer is JSON itself, in which a byte of the body can take
/// several.
pub(crate) fn carried(body: &[u8], media: Media, entrance: Entrance) -> Result<(), Problem> {
    let Some(limit) = entrance.answer_limit_bytes() else {
        return Ok(());
    };
    let room = limit - ENVELOPE_BYTES;
    // Most bodies fit whatever is in them, and need not be counted. JSON holds no control characters but white space.
    let most = if media == Media::Csv { 6 } else { 2 };
    if body.len() <= room / most || body.len() <= room && escaped(body) <= room {
        return Ok(());
    }
    Err(too_large(limit))
}

fn too_large(limit: usize) -> Problem {
    Problem::new(
        codes::RESPONSE_TOO_LARGE,
        format!("the answer is larger than {limit} bytes"),
    )
    .hint("ask for fewer rows with `limit`, or for fewer columns with `select`")
}

/// How many bytes a text takes inside a JSON string: two where there is a short escape, six for other control characters.
fn escaped(text: &[u8]) -> usize {
    text.iter()
        .map(|byte| match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
            0..0x20 => 6,
            _ => 1,
        })
        .sum()
}

fn applied(answer: &mut ApiResponse, asked: &Asked, honoured: Honoured) {
    if let Some(value) = asked.preferences.applied(honoured) {
        answer.headers.insert(PREFERENCE_APPLIED, value);
    }
}

/// `0-24/573`, with `*` for what is not there or was not counted.
fn content_range(range: Option<(u64, u64)>, total: Option<u64>) -> HeaderValue {
    let value = match (range, total) {
        (None, None) => return HeaderValue::from_static("*/*"),
        (Some((0, 0)), None) => return HeaderValue::from_static("0-0/*"),
        (None, Some(total)) => format!("*/{total}"),
        (Some((first, last)), None) => format!("{first}-{last}/*"),
        (Some((first, last)), Some(total)) => format!("{first}-{last}/{total}"),
    };
    // Digits, dashes and stars are always a header's value.
    HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("*/*"))
}

fn location(base_path: &str, path: &str, uid: Uuid) -> Option<HeaderValue> {
    let mut buffer = Uuid::encode_buffer();
    let uid = uid.hyphenated().encode_lower(&mut buffer);
    HeaderValue::from_maybe_shared(Bytes::from([base_path, path, "/", uid].concat())).ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn what_a_text_takes_in_an_envelope_is_what_serde_json_makes_of_it() {
        for byte in 0..0x80_u8 {
            let text = format!("é{}x", char::from(byte));
            let written = serde_json::to_string(&text).unwrap();
            assert_eq!(escaped(text.as_bytes()), written.len() - 2, "{text:?}");
        }
    }
}
