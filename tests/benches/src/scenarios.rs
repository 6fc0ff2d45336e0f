//! What the servers are asked, each in its own dialect.

use anyhow::Context as _;
use tokio_postgres::Client;

use crate::contestants::{Contestant, Dialect};
use crate::load::{self, Requests};
use crate::tables;

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// One row by its uid.
    One,
    /// A page of 25 rows.
    List25,
    /// A page of 1,000 rows.
    List1000,
    /// A page of 25 rows, filtered by two columns and ordered by a third.
    Filtered,
    /// A page of 25 rows, each with the row that it refers to.
    Embedded,
    /// A page of 25 rows after a position.
    Keyset,
    /// A row created.
    Insert,
    /// 1,000 rows created at once.
    Bulk1000,
    /// 10,000 rows created at once.
    Bulk10000,
    /// Two columns of a row changed.
    Update,
    /// A row deleted.
    Delete,
}

impl Scenario {
    /// All of them, in the order in which they run.
    pub const ALL: [Self; 11] = [
        Self::One,
        Self::List25,
        Self::List1000,
        Self::Filtered,
        Self::Embedded,
        Self::Keyset,
        Self::Insert,
        Self::Bulk1000,
        Self::Bulk10000,
        Self::Update,
        Self::Delete,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::List25 => "list-25",
            Self::List1000 => "list-1000",
            Self::Filtered => "filtered",
            Self::Embedded => "embedded",
            Self::Keyset => "keyset",
            Self::Insert => "insert",
            Self::Bulk1000 => "bulk-1000",
            Self::Bulk10000 => "bulk-10000",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    /// Whether it leaves rows behind, which would make the next round's table another one.
    pub const fn creates(self) -> bool {
        matches!(self, Self::Insert | Self::Bulk1000 | Self::Bulk10000)
    }

    /// The requests for one server; `None` where it does not answer such.
    ///
    /// # Errors
    /// What the database or the server says.
    pub async fn requests(self, of: &Contestant, client: &Client) -> anyhow::Result<Option<Requests>> {
        let dialect = of.dialect;
        if of.name == "bare" && !matches!(self, Self::One | Self::List25 | Self::List1000) {
            return Ok(None);
        }
        let requests = match (self, dialect) {
            (Self::One, Dialect::Rowstamp | Dialect::Handmade) => {
                let uids = tables::some_uids(client, 5_000).await?;
                Requests::repeated(200, uids.iter().map(|uid| get(&format!("/books/{uid}"))))
            }
            (Self::One, Dialect::Postgrest) => {
                let uids = tables::some_uids(client, 5_000).await?;
                let accept = "Accept: application/vnd.pgrst.object+json\r\n";
                Requests::repeated(
                    200,
                    uids.iter()
                        .map(|uid| bodiless("GET", &format!("/books?uid=eq.{uid}"), accept)),
                )
            }
            (Self::List25, _) => pages("/books?limit=25"),
            (Self::List1000, _) => pages("/books?limit=1000"),
            (Self::Filtered, Dialect::Handmade) => {
                pages("/books/search?more_pages_than=300&status=published&limit=25")
            }
            (Self::Filtered, _) => {
                pages("/books?pages=gt.300&status=eq.published&order=title.desc,uid&limit=25")
            }
            (Self::Embedded, Dialect::Handmade) => pages("/editions?limit=25"),
            (Self::Embedded, _) => {
                pages("/editions?select=uid,title,printed_on,publisher:publishers(uid,name)&limit=25")
            }
            (Self::Keyset, Dialect::Handmade) => {
                let uids = tables::some_uids(client, 100).await?;
                Requests::repeated(
                    200,
                    uids.iter()
                        .map(|uid| get(&format!("/books?after={uid}&limit=25"))),
                )
            }
            (Self::Keyset, Dialect::Rowstamp) => Requests::repeated(200, positions(of).await?),
            (Self::Keyset, Dialect::Postgrest) => return Ok(None),
            (Self::Insert, Dialect::Postgrest) => Requests::repeated(
                201,
                [sent(
                    "POST",
                    "/books",
                    tables::NEW,
                    "Prefer: return=representation\r\n",
                )],
            ),
            (Self::Insert, _) => Requests::repeated(201, [sent("POST", "/books", tables::NEW, "")]),
            (Self::Bulk1000, _) => {
                Requests::repeated(201, [sent("POST", bulk(dialect), &tables::many(1_000), "")])
            }
            (Self::Bulk10000, _) => {
                Requests::repeated(201, [sent("POST", bulk(dialect), &tables::many(10_000), "")])
            }
            (Self::Update, _) => {
                let uids = tables::some_uids(client, 5_000).await?;
                let (path, more) = row(dialect);
                Requests::repeated(
                    200,
                    uids.iter()
                        .map(|uid| sent("PATCH", &format!("{path}{uid}"), tables::CHANGE, more)),
                )
            }
            (Self::Delete, _) => {
                let uids = tables::add_to_delete(client, 60_000).await?;
                let (path, _) = row(dialect);
                Requests::once(
                    204,
                    uids.iter()
                        .map(|uid| bodiless("DELETE", &format!("{path}{uid}"), "")),
                )
            }
        };
        Ok(Some(requests))
    }
}

/// Where a row is, and what must be said to have it back when it was changed.
const fn row(dialect: Dialect) -> (&'static str, &'static str) {
    match dialect {
        Dialect::Rowstamp | Dialect::Handmade => ("/books/", ""),
        Dialect::Postgrest => ("/books?uid=eq.", "Prefer: return=representation\r\n"),
    }
}

const fn bulk(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Rowstamp | Dialect::Postgrest => "/books",
        Dialect::Handmade => "/books/bulk",
    }
}

fn pages(target: &str) -> Requests {
    Requests::repeated(200, [get(target)])
}

/// A GET of nobody.
pub(crate) fn get(target: &str) -> Vec<u8> {
    bodiless("GET", target, "")
}

/// A GET of whoever has this token.
pub(crate) fn get_as(target: &str, token: &str) -> Vec<u8> {
    bodiless(
        "GET",
        target,
        &format!(
            "Authorization: Bearer {token}
"
        ),
    )
}

fn bodiless(method: &str, target: &str, more: &str) -> Vec<u8> {
    format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n").into_bytes()
}

fn sent(method: &str, target: &str, body: &str, more: &str) -> Vec<u8> {
    format!(
        "{method} {target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{more}\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Pages after positions all over the table, as the server's own links lead there.
async fn positions(of: &Contestant) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut requests = Vec::new();
    for place in 1..=100_u32 {
        let offset = place * 50;
        let page = get(&format!("/books?limit=25&offset={offset}"));
        let head = load::head(of.address, &page).await?;
        let link = head
            .lines()
            .find_map(|line| line.strip_prefix("link: <"))
            .and_then(|rest| rest.split_once('>'))
            .with_context(|| format!("no link to the next page: {head}"))?
            .0;
        requests.push(get(&format!("/books{link}")));
    }
    Ok(requests)
}

/// The scenario of this name.
///
/// # Errors
/// When there is none.
pub fn named(name: &str) -> anyhow::Result<Scenario> {
    let found = Scenario::ALL.into_iter().find(|scenario| scenario.name() == name);
    found.with_context(|| {
        let names = Scenario::ALL.map(Scenario::name).join(", ");
        format!("there is no scenario {name}, but {names}")
    })
}
