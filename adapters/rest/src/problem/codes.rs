//! Every code a problem body can carry: one table, from which the reference for readers is written too.
//!
//! A code is PostgREST's where PostgREST has one for the same thing, the SQLSTATE for what PostgreSQL's constraints find,
//! else one of our own that begins with `RS_`.

use http::StatusCode;

/// A kind of problem.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// The word in the body's `code`.
    pub code: &'static str,
    /// The status it is answered with.
    pub status: StatusCode,
    /// The same words for every problem of this kind: the body's `title`.
    pub title: &'static str,
    /// What it means and what to do about it, for the reference.
    pub meaning: &'static str,
}

macro_rules! codes {
    ($( $name:ident = $code:literal $status:ident $title:literal, $meaning:literal; )*) => {
        $(
            #[doc = $title]
            pub const $name: &Code = &Code {
                code: $code,
                status: StatusCode::$status,
                title: $title,
                meaning: $meaning,
            };
        )*

        /// Every code, ordered by status.
        pub const ALL: &[&Code] = &[$( $name, )*];
    };
}

codes! {
    AMBIGUOUS_RELATIONSHIP = "PGRST201" MULTIPLE_CHOICES "Ambiguous relationship",
        "Several references lead to the embedded resource. `details` lists them, and `hint` says how to name each.";
    MALFORMED_REQUEST = "RS_MALFORMED_REQUEST" BAD_REQUEST "Malformed request",
        "The request is not one that HTTP allows, its body is not the base64 it claims to be, or it did not arrive whole.";
    UNKNOWN_EVENT = "RS_UNKNOWN_EVENT" BAD_REQUEST "Unknown event",
        "The function was invoked with a payload that is no API Gateway, Function URL or load balancer request.";
    INVALID_HEADER = "RS_INVALID_HEADER" BAD_REQUEST "Invalid header",
        "A header field that the answer depends on cannot be read, or two of them contradict each other.";
    INVALID_UID = "RS_INVALID_UID" BAD_REQUEST "Invalid uid",
        "The last segment of the path must be a UUID in its usual form of 36 characters.";
    INVALID_CURSOR = "RS_INVALID_CURSOR" BAD_REQUEST "Invalid cursor",
        "`cursor` is not one that came from this list in this order, or was changed on the way.";
    INVALID_QUERY = "PGRST100" BAD_REQUEST "Invalid query",
        "A parameter of the query string cannot be read, names an unknown field, or does not belong on this route.";
    UNKNOWN_FIELD = "42703" BAD_REQUEST "Unknown field",
        "A parameter of the query string names a field that the resource does not have.";
    INVALID_VALUE = "22P02" BAD_REQUEST "Invalid value",
        "A value in the query string does not fit its field, or one of a row cannot be cast to the type that was asked for.";
    INVALID_OPERATOR = "42883" BAD_REQUEST "Invalid operator",
        "An operator in the query string cannot be used on fields of this type.";
    INVALID_PATTERN = "2201B" BAD_REQUEST "Invalid regular expression",
        "A pattern of `match` or `imatch` is no regular expression of PostgreSQL's.";
    INVALID_SEARCH = "42601" BAD_REQUEST "Invalid search",
        "The words of `fts` do not follow the syntax of PostgreSQL's `to_tsquery`. `plfts` and `wfts` take any text.";
    UNKNOWN_TYPE = "42704" BAD_REQUEST "Unknown type",
        "A cast names a type that there is none of.";
    INVALID_CAST = "42846" BAD_REQUEST "Impossible cast",
        "Values of the column's type cannot be cast to the type asked for.";
    AGGREGATES_NOT_ALLOWED = "PGRST123" BAD_REQUEST "Aggregates not allowed",
        "The resource does not declare `aggregates = true`.";
    NOT_EMBEDDED = "PGRST108" BAD_REQUEST "Not embedded",
        "A parameter is about an embedded resource that `select` does not name.";
    RELATED_ORDER = "PGRST118" BAD_REQUEST "Impossible order",
        "Rows can be ordered only by an embedded resource of which each has one row at most.";
    EMBED_FILTER = "PGRST120" BAD_REQUEST "Impossible filter of an embedded resource",
        "An embedded resource itself can only be asked whether it is there, with `is.null` and `not.is.null`.";
    NO_RELATIONSHIP = "PGRST200" BAD_REQUEST "No relationship",
        "No declared reference leads to the resource that is to be embedded, or none that the hint names.";
    UNKNOWN_COLUMN = "PGRST204" BAD_REQUEST "Unknown column",
        "`columns` names a field that the resource does not have.";
    NOT_UNIQUE = "42P10" BAD_REQUEST "Not a unique set",
        "`on_conflict` must name `uid` or the fields of a declared unique set; `hint` lists them.";
    INVALID_JSON = "PGRST102" BAD_REQUEST "Invalid body",
        "The body is empty, is not JSON, or is not the kind of JSON that the route takes.";
    INVALID_PREFERENCES = "PGRST122" BAD_REQUEST "Invalid preferences",
        "With `Prefer: handling=strict`, a preference that is unknown or not honoured here is refused.";
    NOT_SERVED = "PGRST127" BAD_REQUEST "Not implemented",
        "The request asks by name for something that this version does not do. Nothing was done.";
    RESPONSE_TOO_LARGE = "RS_RESPONSE_TOO_LARGE" BAD_REQUEST "Response too large",
        "The answer is larger than the entrance can carry. Ask for fewer rows (`limit`) or columns (`select`).";
    TOO_MANY_AFFECTED = "PGRST124" BAD_REQUEST "Too many rows",
        "The write would affect more rows than `Prefer: max-affected` allows. Nothing was written.";
    NO_FILTER = "21000" BAD_REQUEST "No filter",
        "A PATCH or DELETE on a collection needs a filter that chooses its rows.";
    TOKEN_INVALID = "PGRST301" UNAUTHORIZED "Invalid credentials",
        "The token or the claims that came with the request prove nothing.";
    ANONYMOUS = "PGRST302" UNAUTHORIZED "Credentials required",
        "Anonymous callers may not do this. Send `Authorization: Bearer …`.";
    FORBIDDEN = "42501" FORBIDDEN "Forbidden",
        "The caller is known and may not do this, or not with this row or field.";
    NO_SUCH_ROW = "RS_NO_SUCH_ROW" NOT_FOUND "No such row",
        "There is no row with this uid, or none that the caller may see.";
    NO_SUCH_PATH = "PGRST125" NOT_FOUND "No such path",
        "Nothing is served under this path.";
    NO_SUCH_FUNCTION = "PGRST202" NOT_FOUND "No such function",
        "Database functions are not served.";
    NO_SUCH_RESOURCE = "PGRST205" NOT_FOUND "No such resource",
        "No resource is served under the first segment of the path.";
    METHOD_NOT_ALLOWED = "PGRST117" METHOD_NOT_ALLOWED "Method not allowed",
        "The path is served, but not with this method; `Allow` names those that are.";
    UNACCEPTABLE_PROFILE = "PGRST106" NOT_ACCEPTABLE "Unacceptable schema profile",
        "`Accept-Profile` and `Content-Profile` can name no schema but `public`.";
    NOT_ACCEPTABLE = "PGRST107" NOT_ACCEPTABLE "Not acceptable",
        "None of the media types in `Accept` is available here.";
    NOT_SINGULAR = "PGRST116" NOT_ACCEPTABLE "Not exactly one row",
        "`Accept: application/vnd.pgrst.object+json` asks for exactly one row, and the result has another number of them.";
    UNIQUE = "23505" CONFLICT "Value already taken",
        "Another row already has this value, or this combination of values.";
    FOREIGN_KEY = "23503" CONFLICT "Reference conflict",
        "The row that is referred to does not exist, or other rows still refer to this one.";
    EXCLUSION = "23P01" CONFLICT "Exclusion conflict",
        "Another row stands in the way of these values.";
    PRECONDITION_FAILED = "RS_PRECONDITION_FAILED" PRECONDITION_FAILED "Precondition failed",
        "The row is not in the state that `If-Match` or `If-None-Match` demands. Read it again and decide anew.";
    BODY_TOO_LARGE = "RS_BODY_TOO_LARGE" PAYLOAD_TOO_LARGE "Body too large",
        "The body is larger than the entrance takes.";
    UNSUPPORTED_MEDIA_TYPE = "RS_UNSUPPORTED_MEDIA_TYPE" UNSUPPORTED_MEDIA_TYPE "Unsupported media type",
        "Bodies are JSON: send `Content-Type: application/json`.";
    OUT_OF_BOUNDS = "PGRST103" RANGE_NOT_SATISFIABLE "Range not satisfiable",
        "The offset is beyond the last of the rows that were counted.";
    INVALID_BODY = "RS_INVALID_BODY" UNPROCESSABLE_ENTITY "Body breaks the definition",
        "The body is JSON, but breaks the definition of the resource; `errors` names every place.";
    NULL_REFUSED = "23502" UNPROCESSABLE_ENTITY "Value required",
        "The database found NULL where a value is needed.";
    CHECK_REFUSED = "23514" UNPROCESSABLE_ENTITY "Check failed",
        "A check of the database does not hold for these values.";
    VALUE_REFUSED = "22000" UNPROCESSABLE_ENTITY "Value does not fit",
        "A value does not fit the column that keeps it.";
    TRIGGER_REFUSED = "P0001" UNPROCESSABLE_ENTITY "Refused by the database",
        "A trigger or a function of the database raised an exception over these values. Its words are not passed on.";
    PRECONDITION_REQUIRED = "RS_PRECONDITION_REQUIRED" PRECONDITION_REQUIRED "Precondition required",
        "Writes to a row of this resource must carry `If-Match` with the ETag that was read.";
    INTERNAL = "RS_INTERNAL" INTERNAL_SERVER_ERROR "Internal error",
        "Something failed that should not. The log has more under the request's id.";
    DRIFT = "RS_DRIFT" INTERNAL_SERVER_ERROR "Database and definition disagree",
        "A table, column or type is not what the definition says, or a privilege is missing. `rowstamp check`\ntells [which](migrations.md#see-what-is-missing).";
    UNAVAILABLE = "PGRST000" SERVICE_UNAVAILABLE "Database unavailable",
        "The database cannot be reached or is too busy. Nothing was written; try again after `Retry-After` seconds.";
    IDENTITY_UNAVAILABLE = "RS_IDENTITY_UNAVAILABLE" SERVICE_UNAVAILABLE "Identity cannot be verified",
        "The keys that tokens are verified with cannot be had at the moment. Nothing was written; try again.";
    DEADLINE_EXCEEDED = "RS_DEADLINE_EXCEEDED" GATEWAY_TIMEOUT "Deadline exceeded",
        "The answer was not there in time. Nothing was written.";
    OUTCOME_UNKNOWN = "RS_OUTCOME_UNKNOWN" GATEWAY_TIMEOUT "Outcome unknown",
        "The connection or the time ran out while a write was under way; it may or may not have happened. Read before trying again.";
}

/// The reference of all codes, in Markdown: a heading for each, since a problem's `type` leads to it.
pub fn reference() -> String {
    let sections = ALL.iter().map(|code| {
        let status = code.status.as_u16();
        format!(
            "### {}\n\n**{status} {}.** {}\n",
            code.code, code.title, code.meaning
        )
    });
    sections.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_is_there_twice() {
        for (index, code) in ALL.iter().enumerate() {
            assert!(
                ALL[index + 1..].iter().all(|other| other.code != code.code),
                "{} twice",
                code.code
            );
        }
    }

    #[test]
    fn the_reference_names_every_code() {
        let reference = reference();
        for code in ALL {
            assert!(reference.contains(&format!("### {}\n\n**{} ", code.code, code.status.as_u16())));
        }
    }
}
