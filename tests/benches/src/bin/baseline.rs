//! The hand-written server Rowstamp is measured against: axum, deadpool, tokio-postgres, typed structs and cached statements.
//! It does what a good engineer would write for this one table, and nothing more: no rules, no hooks, no grammar.

use std::env;

use anyhow::Context as _;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::{DateTime, NaiveDate, Utc};
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use tokio_postgres::{NoTls, Row};
use uuid::Uuid;

const COLUMNS: &str = "uid, title, isbn, pages, price, published_on, status, created_at, last_updated_at, creator_uid, last_updater_uid";

#[derive(Serialize)]
struct Book {
    uid: Uuid,
    title: String,
    isbn: Option<String>,
    pages: Option<i32>,
    price: Decimal,
    published_on: Option<NaiveDate>,
    status: String,
    created_at: DateTime<Utc>,
    last_updated_at: DateTime<Utc>,
    creator_uid: Option<String>,
    last_updater_uid: Option<String>,
}

#[derive(Deserialize)]
struct NewBook {
    title: String,
    isbn: Option<String>,
    pages: Option<i32>,
    price: Decimal,
    published_on: Option<NaiveDate>,
    status: String,
}

#[derive(Deserialize)]
struct Change {
    pages: Option<i32>,
    status: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    limit: Option<i64>,
    after: Option<Uuid>,
}

#[derive(Deserialize)]
struct Search {
    more_pages_than: i32,
    status: String,
    limit: Option<i64>,
}

#[derive(Serialize)]
struct Edition {
    uid: Uuid,
    title: String,
    printed_on: Option<NaiveDate>,
    publisher: Publisher,
}

#[derive(Serialize)]
struct Publisher {
    uid: Uuid,
    name: String,
}

struct Failure(anyhow::Error);

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        eprintln!("{:#}", self.0);
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

fn book(row: &Row) -> Book {
    Book {
        uid: row.get(0),
        title: row.get(1),
        isbn: row.get(2),
        pages: row.get(3),
        price: row.get(4),
        published_on: row.get(5),
        status: row.get(6),
        created_at: row.get(7),
        last_updated_at: row.get(8),
        creator_uid: row.get(9),
        last_updater_uid: row.get(10),
    }
}

async fn read(State(pool): State<Pool>, Path(uid): Path<Uuid>) -> Result<Response, Failure> {
    let client = pool.get().await?;
    let statement = client
        .prepare_cached(&format!("SELECT {COLUMNS} FROM books WHERE uid = $1"))
        .await?;
    Ok(match client.query_opt(&statement, &[&uid]).await? {
        Some(row) => Json(book(&row)).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    })
}

async fn list(State(pool): State<Pool>, Query(page): Query<Page>) -> Result<Json<Vec<Book>>, Failure> {
    let client = pool.get().await?;
    let limit = page.limit.unwrap_or(1000);
    let rows = match page.after {
        None => {
            let statement = client
                .prepare_cached(&format!("SELECT {COLUMNS} FROM books ORDER BY uid LIMIT $1"))
                .await?;
            client.query(&statement, &[&limit]).await?
        }
        Some(after) => {
            let statement = client
                .prepare_cached(&format!(
                    "SELECT {COLUMNS} FROM books WHERE uid > $1 ORDER BY uid LIMIT $2"
                ))
                .await?;
            client.query(&statement, &[&after, &limit]).await?
        }
    };
    Ok(Json(rows.iter().map(book).collect()))
}

async fn search(State(pool): State<Pool>, Query(search): Query<Search>) -> Result<Json<Vec<Book>>, Failure> {
    let client = pool.get().await?;
    let statement = client
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM books WHERE pages > $1 AND status = $2 ORDER BY title DESC, uid LIMIT $3"
        ))
        .await?;
    let limit = search.limit.unwrap_or(1000);
    let rows = client
        .query(&statement, &[&search.more_pages_than, &search.status, &limit])
        .await?;
    Ok(Json(rows.iter().map(book).collect()))
}

async fn editions(State(pool): State<Pool>, Query(page): Query<Page>) -> Result<Json<Vec<Edition>>, Failure> {
    let client = pool.get().await?;
    let statement = client
        .prepare_cached(
            "SELECT e.uid, e.title, e.printed_on, p.uid, p.name \
             FROM editions AS e JOIN publishers AS p ON p.uid = e.publisher_uid ORDER BY e.uid LIMIT $1",
        )
        .await?;
    let rows = client.query(&statement, &[&page.limit.unwrap_or(1000)]).await?;
    let edition = |row: &Row| Edition {
        uid: row.get(0),
        title: row.get(1),
        printed_on: row.get(2),
        publisher: Publisher {
            uid: row.get(3),
            name: row.get(4),
        },
    };
    Ok(Json(rows.iter().map(edition).collect()))
}

async fn create_many(State(pool): State<Pool>, Json(new): Json<Vec<NewBook>>) -> Result<StatusCode, Failure> {
    let client = pool.get().await?;
    let statement = client
        .prepare_cached(
            "INSERT INTO books (uid, title, isbn, pages, price, published_on, status, created_at, last_updated_at) \
             SELECT *, $8::timestamptz, $8::timestamptz \
             FROM unnest($1::uuid[], $2::text[], $3::text[], $4::integer[], $5::numeric[], $6::date[], $7::text[])",
        )
        .await?;
    let uids: Vec<Uuid> = new.iter().map(|_| Uuid::now_v7()).collect();
    let titles: Vec<&str> = new.iter().map(|book| book.title.as_str()).collect();
    let isbns: Vec<Option<&str>> = new.iter().map(|book| book.isbn.as_deref()).collect();
    let pages: Vec<Option<i32>> = new.iter().map(|book| book.pages).collect();
    let prices: Vec<Decimal> = new.iter().map(|book| book.price).collect();
    let days: Vec<Option<NaiveDate>> = new.iter().map(|book| book.published_on).collect();
    let statuses: Vec<&str> = new.iter().map(|book| book.status.as_str()).collect();
    client
        .execute(
            &statement,
            &[
                &uids,
                &titles,
                &isbns,
                &pages,
                &prices,
                &days,
                &statuses,
                &Utc::now(),
            ],
        )
        .await?;
    Ok(StatusCode::CREATED)
}

async fn change(
    State(pool): State<Pool>,
    Path(uid): Path<Uuid>,
    Json(change): Json<Change>,
) -> Result<Response, Failure> {
    let client = pool.get().await?;
    let statement = client
        .prepare_cached(&format!(
            "UPDATE books SET pages = coalesce($2, pages), status = coalesce($3, status), last_updated_at = $4 \
             WHERE uid = $1 RETURNING {COLUMNS}"
        ))
        .await?;
    let row = client
        .query_opt(&statement, &[&uid, &change.pages, &change.status, &Utc::now()])
        .await?;
    Ok(match row {
        Some(row) => Json(book(&row)).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    })
}

async fn delete(State(pool): State<Pool>, Path(uid): Path<Uuid>) -> Result<StatusCode, Failure> {
    let client = pool.get().await?;
    let statement = client.prepare_cached("DELETE FROM books WHERE uid = $1").await?;
    Ok(match client.execute(&statement, &[&uid]).await? {
        0 => StatusCode::NOT_FOUND,
        _ => StatusCode::NO_CONTENT,
    })
}

async fn create(
    State(pool): State<Pool>,
    Json(new): Json<NewBook>,
) -> Result<(StatusCode, Json<Book>), Failure> {
    let client = pool.get().await?;
    let statement = client
        .prepare_cached(&format!(
            "INSERT INTO books (uid, title, isbn, pages, price, published_on, status, created_at, last_updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) RETURNING {COLUMNS}"
        ))
        .await?;
    let row = client
        .query_one(
            &statement,
            &[
                &Uuid::now_v7(),
                &new.title,
                &new.isbn,
                &new.pages,
                &new.price,
                &new.published_on,
                &new.status,
                &Utc::now(),
            ],
        )
        .await?;
    Ok((StatusCode::CREATED, Json(book(&row))))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = env::var("DATABASE_URL").context("DATABASE_URL")?;
    let listen = env::var("ROWSTAMP_LISTEN").context("ROWSTAMP_LISTEN")?;
    let manager = Manager::from_config(
        url.parse()?,
        NoTls,
        ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        },
    );
    let pool = Pool::builder(manager).max_size(16).build()?;
    let app = Router::new()
        .route("/books", get(list).post(create))
        .route("/books/search", get(search))
        .route("/books/bulk", post(create_many))
        .route("/books/{uid}", get(read).patch(change).delete(delete))
        .route("/editions", get(editions))
        // A bulk insert of 10,000 books is larger than axum's limit of 2 MB leaves room for.
        .layer(DefaultBodyLimit::max(6_000_000))
        .with_state(pool);
    let listener = tokio::net::TcpListener::bind(listen).await?;
    axum::serve(
        axum::serve::ListenerExt::tap_io(listener, |stream| drop(stream.set_nodelay(true))),
        app,
    )
    .await?;
    Ok(())
}
