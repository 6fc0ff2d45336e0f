//! Pieces of the way of a request, each done as often as it is told, for whoever counts what one takes.
//!
//! `pieces PIECE/REQUEST COUNT`; the bench runs it under valgrind twice, with different counts, and takes the difference. It measures
//! nothing itself. The pieces named `request` need `DATABASE_URL`.

use std::hint::black_box;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use rowstamp_benches::asked::Asked;
use rowstamp_benches::pieces::{Answering, Mapping, Row};
use rowstamp_benches::tables;
use rowstamp_postgres::bench::{Answer, Statements};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(name), Some(count), None) = (arguments.next(), arguments.next(), arguments.next()) else {
        bail!("usage: pieces PIECE/REQUEST COUNT");
    };
    let count: u64 = count.parse().context("COUNT")?;
    let (piece, request) = name.split_once('/').unwrap_or((&name, "one"));
    let asked = Asked::named(request)?;
    let event = asked.event();
    let definitions = Path::new(tables::DEFINITION_FILE);
    match piece {
        "event-to-operation" => {
            let mapping = Mapping::new(definitions)?;
            for _ in 0..count {
                black_box(mapping.operation(black_box(&event))?);
            }
        }
        "operation-to-sql" => {
            let operation = Mapping::new(definitions)?.operation(&event)?;
            let statements = Statements::default();
            let mut sent = bytes::BytesMut::new();
            for _ in 0..count {
                sent.clear();
                black_box(statements.map(black_box(&operation), &mut sent));
            }
        }
        "row-to-json" => {
            let row = Row::new(definitions)?;
            let mut out = Answer::default();
            for _ in 0..count {
                out.clear();
                row.write(&mut out);
                black_box(out.as_slice());
            }
        }
        "request" => {
            let answering = Answering::new(definitions).await?;
            let begins = format!("{{\"statusCode\":{},", asked.status);
            for _ in 0..count {
                let answer = answering.answer(black_box(&event)).await?;
                ensure!(
                    answer.starts_with(begins.as_bytes()),
                    "{}",
                    String::from_utf8_lossy(&answer)
                );
            }
        }
        _ => bail!("there is no piece {piece}"),
    }
    Ok(())
}
