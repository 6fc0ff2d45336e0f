//! From a path and a method to what is asked for. Bodies, queries and callers are not looked at.

use std::borrow::Cow;

use http::Method;
use http::header::{ALLOW, HeaderValue};
use memchr::memchr;
use percent_encoding::percent_decode_str;
use uuid::Uuid;

use crate::problem::{Problem, codes};
use crate::served::{Resources, Served};

/// What a path leads to.
#[derive(Clone, Copy)]
pub(crate) enum Target<'a> {
    /// The OpenAPI document.
    Document,
    /// The health check.
    Health,
    /// A resource.
    Collection(&'a Served),
    /// Queries on a resource that travel in a body.
    Query(&'a Served),
    /// One row. A uid that is none is an error of the request, but not before the caller was judged.
    Item(&'a Served, Option<Uuid>),
}

/// What is asked for.
#[derive(Clone, Copy)]
pub(crate) enum Route<'a> {
    Document,
    Health,
    List(&'a Served),
    Query(&'a Served),
    Create(&'a Served),
    UpdateMany(&'a Served),
    DeleteMany(&'a Served),
    Item(ItemAction, &'a Served, Option<Uuid>),
}

impl<'a> Route<'a> {
    /// A word for it, for logs and measurements.
    pub(crate) const fn operation(&self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Health => "health",
            Self::List(_) | Self::Query(_) => "list",
            Self::Create(_) => "create",
            Self::UpdateMany(_) => "update_many",
            Self::DeleteMany(_) => "delete_many",
            Self::Item(ItemAction::Read, ..) => "read",
            Self::Item(ItemAction::Replace, ..) => "replace",
            Self::Item(ItemAction::Update, ..) => "update",
            Self::Item(ItemAction::Delete, ..) => "delete",
        }
    }

    /// The resource that it is about.
    pub(crate) const fn served(&self) -> Option<&'a Served> {
        match self {
            Self::Document | Self::Health => None,
            Self::List(served)
            | Self::Query(served)
            | Self::Create(served)
            | Self::UpdateMany(served)
            | Self::DeleteMany(served)
            | Self::Item(_, served, _) => Some(served),
        }
    }
}

/// What is to be done with one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ItemAction {
    Read,
    Replace,
    Update,
    Delete,
}

const READ_ONLY: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");
const OF_COLLECTION: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PATCH, DELETE, OPTIONS");
const OF_QUERY: HeaderValue = HeaderValue::from_static("POST, OPTIONS");
const OF_ITEM: HeaderValue = HeaderValue::from_static("GET, HEAD, PUT, PATCH, DELETE, OPTIONS");

impl Target<'_> {
    /// `Allow`.
    pub(crate) const fn allow(&self) -> HeaderValue {
        match self {
            Self::Document | Self::Health => READ_ONLY,
            Self::Collection(_) => OF_COLLECTION,
            Self::Query(_) => OF_QUERY,
            Self::Item(..) => OF_ITEM,
        }
    }
}

/// Where `path` leads. It is split at slashes first and percent-decoded after, once; one trailing slash is ignored.
///
/// # Errors
/// 404; what PostgREST or a later version serves there is refused by name.
pub(crate) fn target<'a>(resources: &'a Resources, path: &str) -> Result<Target<'a>, Problem> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    let (first, rest) = segment(path);
    let (second, rest) = rest.map_or((None, None), |rest| {
        let (second, rest) = segment(rest);
        (Some(second), rest)
    });
    let first = decode(first)?;
    let second = second.map(decode).transpose()?;
    match (first.as_ref(), second.as_deref(), rest) {
        ("" | "openapi.json", None, _) => Ok(Target::Document),
        ("health", None, _) => Ok(Target::Health),
        ("rpc", ..) => Err(Problem::new(
            codes::NO_SUCH_FUNCTION,
            "database functions are not served",
        )),
        (name, second, None) => {
            let served = resources.at(name).ok_or_else(|| {
                Problem::new(codes::NO_SUCH_RESOURCE, "no resource is served under this path")
            })?;
            match second {
                None => Ok(Target::Collection(served)),
                Some("query") => Ok(Target::Query(served)),
                Some(text) => Ok(Target::Item(served, uid(text))),
            }
        }
        _ => Err(Problem::new(
            codes::NO_SUCH_PATH,
            "Invalid path specified in request URL",
        )),
    }
}

/// What `method` asks of `target`.
///
/// # Errors
/// 405 with `Allow`.
pub(crate) fn route<'a>(target: Target<'a>, method: &Method) -> Result<Route<'a>, Problem> {
    use Target::{Collection, Document, Health, Item, Query};
    let reads = method == Method::GET || method == Method::HEAD;
    match target {
        Document if reads => Ok(Route::Document),
        Health if reads => Ok(Route::Health),
        Collection(served) if reads => Ok(Route::List(served)),
        Query(served) if method == Method::POST => Ok(Route::Query(served)),
        Collection(served) if method == Method::POST => Ok(Route::Create(served)),
        Collection(served) if method == Method::PATCH => Ok(Route::UpdateMany(served)),
        Collection(served) if method == Method::DELETE => Ok(Route::DeleteMany(served)),
        Item(served, uid) if reads => Ok(Route::Item(ItemAction::Read, served, uid)),
        Item(served, uid) if method == Method::PUT => Ok(Route::Item(ItemAction::Replace, served, uid)),
        Item(served, uid) if method == Method::PATCH => Ok(Route::Item(ItemAction::Update, served, uid)),
        Item(served, uid) if method == Method::DELETE => Ok(Route::Item(ItemAction::Delete, served, uid)),
        _ => Err(not_allowed(&target, method)),
    }
}

fn not_allowed(target: &Target<'_>, method: &Method) -> Problem {
    let problem = Problem::new(
        codes::METHOD_NOT_ALLOWED,
        format!("Unsupported HTTP method: {method}"),
    );
    problem.header(ALLOW, target.allow())
}

/// The first segment of a path, and what comes after its slash.
fn segment(path: &str) -> (&str, Option<&str>) {
    match memchr(b'/', path.as_bytes()) {
        Some(slash) => (&path[..slash], Some(&path[slash + 1..])),
        None => (path, None),
    }
}

fn decode(segment: &str) -> Result<Cow<'_, str>, Problem> {
    if memchr(b'%', segment.as_bytes()).is_none() {
        return Ok(Cow::Borrowed(segment));
    }
    percent_decode_str(segment)
        .decode_utf8()
        .map_err(|_| Problem::new(codes::NO_SUCH_PATH, "Invalid path specified in request URL"))
}

/// A UUID in its usual form; braces, `urn:uuid:` and bare digits name the same row twice and are not taken.
fn uid(text: &str) -> Option<Uuid> {
    if text.len() == 36 {
        Uuid::try_parse(text).ok()
    } else {
        None
    }
}
