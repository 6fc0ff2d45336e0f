//! The hand-written server Rowstamp is measured against: axum, deadpool, tokio-postgres, typed structs and cached statements.
//! It does what a good engineer would write for this one table, and nothing more: no rules, no hooks, no grammar.

use std::env;

use anyhow::Context as _;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
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
struct Page {
    limit: Option<i64>,
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
    let statement = client
        .prepare_cached(&format!("SELECT {COLUMNS} FROM books ORDER BY uid LIMIT $1"))
        .await?;
    let rows = client.query(&statement, &[&page.limit.unwrap_or(1000)]).await?;
    Ok(Json(rows.iter().map(book).collect()))
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
        .route("/books/{uid}", get(read))
        .with_state(pool);
    let listener = tokio::net::TcpListener::bind(listen).await?;
    axum::serve(
        axum::serve::ListenerExt::tap_io(listener, |stream| drop(stream.set_nodelay(true))),
        app,
    )
    .await?;
    Ok(())
}
