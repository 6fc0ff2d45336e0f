//! The limit of the wire: hyper and tokio-postgres doing nothing but these three reads and one insert, rows written from the
//! driver's binary buffers straight to JSON, statements pipelined on four shared connections. It serves one table that it
//! knows by heart, so whatever a general engine costs shows as the distance from it.

use std::convert::Infallible;
use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context as _;
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio_postgres::types::{FromSql, Type};
use tokio_postgres::{Client, NoTls, Row, Statement};
use uuid::Uuid;

const COLUMNS: &str = "uid, title, isbn, pages, price, published_on, status, created_at, last_updated_at, creator_uid, last_updater_uid";
const KEYS: [&str; 11] = [
    "{\"uid\":",
    ",\"title\":",
    ",\"isbn\":",
    ",\"pages\":",
    ",\"price\":",
    ",\"published_on\":",
    ",\"status\":",
    ",\"created_at\":",
    ",\"last_updated_at\":",
    ",\"creator_uid\":",
    ",\"last_updater_uid\":",
];

struct Connection {
    client: Client,
    one: Statement,
    list: Statement,
}

struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn number(raw: &[u8]) -> i64 {
    raw.iter().fold(0, |sum, byte| (sum << 8) | i64::from(*byte))
}

fn signed(raw: &[u8]) -> i64 {
    match raw.len() {
        2 => i64::from(i16::from_be_bytes([raw[0], raw[1]])),
        4 => i64::from(i32::from_be_bytes([raw[0], raw[1], raw[2], raw[3]])),
        _ => number(raw),
    }
}

fn digits(out: &mut Vec<u8>, value: i64, width: usize) {
    let mut buffer = itoa::Buffer::new();
    let text = buffer.format(value);
    out.resize(out.len() + width.saturating_sub(text.len()), b'0');
    out.extend_from_slice(text.as_bytes());
}

fn text(out: &mut Vec<u8>, raw: &[u8]) {
    out.push(b'"');
    for &byte in raw {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

fn date(out: &mut Vec<u8>, days_since_2000: i64) {
    let days = days_since_2000 + 730_425;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    digits(out, year_of_era + era * 400 + i64::from(month <= 2), 4);
    out.push(b'-');
    digits(out, month, 2);
    out.push(b'-');
    digits(out, day, 2);
}

/// Days from 0000-03-01, the origin of the arithmetic above, are 730,425 on 2000-01-01.
fn timestamp(out: &mut Vec<u8>, micros: i64) {
    date(out, micros.div_euclid(86_400_000_000));
    let rest = micros.rem_euclid(86_400_000_000);
    out.push(b'T');
    digits(out, rest / 3_600_000_000, 2);
    out.push(b':');
    digits(out, rest / 60_000_000 % 60, 2);
    out.push(b':');
    digits(out, rest / 1_000_000 % 60, 2);
    out.push(b'.');
    digits(out, rest % 1_000_000, 6);
    out.extend_from_slice(b"+00:00");
}

fn numeric(out: &mut Vec<u8>, raw: &[u8]) {
    let groups = signed(&raw[0..2]);
    let weight = signed(&raw[2..4]);
    let scale = usize::try_from(number(&raw[6..8])).unwrap_or(0);
    let group = |at: i64| {
        let start = usize::try_from(8 + at * 2).unwrap_or(0);
        if (0..groups).contains(&at) {
            number(&raw[start..start + 2])
        } else {
            0
        }
    };
    if number(&raw[4..6]) == 0x4000 {
        out.push(b'-');
    }
    digits(out, group(0) * i64::from(weight >= 0), 1);
    for at in 1..=weight {
        digits(out, group(at), 4);
    }
    if scale > 0 {
        out.push(b'.');
        let end = out.len() + scale;
        let mut at = weight + 1;
        while out.len() < end {
            digits(out, group(at), 4);
            at += 1;
        }
        out.truncate(end);
    }
}

fn write_row(out: &mut Vec<u8>, row: &Row) {
    for (column, key) in KEYS.into_iter().enumerate() {
        out.extend_from_slice(key.as_bytes());
        let Some(Raw(raw)) = row.get::<_, Option<Raw<'_>>>(column) else {
            out.extend_from_slice(b"null");
            continue;
        };
        match column {
            0 => {
                out.push(b'"');
                let mut buffer = Uuid::encode_buffer();
                let uid = Uuid::from_slice(raw).unwrap_or_default();
                out.extend_from_slice(uid.as_hyphenated().encode_lower(&mut buffer).as_bytes());
                out.push(b'"');
            }
            3 => digits(out, signed(raw), 1),
            4 => numeric(out, raw),
            5 => {
                out.push(b'"');
                date(out, signed(raw));
                out.push(b'"');
            }
            7 | 8 => {
                out.push(b'"');
                timestamp(out, signed(raw));
                out.push(b'"');
            }
            _ => text(out, raw),
        }
    }
    out.push(b'}');
}

async fn answer(connection: &Connection, request: Request<Incoming>) -> anyhow::Result<Vec<u8>> {
    let path = request.uri().path();
    if let Some(uid) = path.strip_prefix("/books/") {
        let uid: Uuid = uid.parse()?;
        let rows = connection.client.query_raw(&connection.one, [&uid]).await?;
        futures_util::pin_mut!(rows);
        let mut out = Vec::with_capacity(512);
        while let Some(row) = rows.try_next().await? {
            write_row(&mut out, &row);
        }
        return Ok(out);
    }
    let limit: i64 = request
        .uri()
        .query()
        .and_then(|query| query.strip_prefix("limit="))
        .context("limit")?
        .parse()?;
    let rows = connection.client.query_raw(&connection.list, [&limit]).await?;
    futures_util::pin_mut!(rows);
    let mut out = Vec::with_capacity(8192);
    out.push(b'[');
    while let Some(row) = rows.try_next().await? {
        if out.len() > 1 {
            out.push(b',');
        }
        write_row(&mut out, &row);
    }
    out.push(b']');
    Ok(out)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = env::var("DATABASE_URL").context("DATABASE_URL")?;
    let listen = env::var("ROWSTAMP_LISTEN").context("ROWSTAMP_LISTEN")?;
    let mut connections = Vec::new();
    for _ in 0..4 {
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
        tokio::spawn(connection);
        let one = client
            .prepare(&format!("SELECT {COLUMNS} FROM books WHERE uid = $1"))
            .await?;
        let list = client
            .prepare(&format!("SELECT {COLUMNS} FROM books ORDER BY uid LIMIT $1"))
            .await?;
        connections.push(Arc::new(Connection { client, one, list }));
    }
    let next = AtomicUsize::new(0);
    let listener = tokio::net::TcpListener::bind(listen).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let connection = Arc::clone(&connections[next.fetch_add(1, Ordering::Relaxed) % connections.len()]);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let connection = Arc::clone(&connection);
                async move {
                    let body = match answer(&connection, request).await {
                        Ok(body) => body,
                        Err(error) => format!("{error:#}").into_bytes(),
                    };
                    let mut response = Response::new(Full::new(Bytes::from(body)));
                    response
                        .headers_mut()
                        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                    Ok::<_, Infallible>(response)
                }
            });
            let served = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
            drop(served);
        });
    }
}
