//! Values that the definitions name themselves, those of enums and defaults, and that their columns refuse.
//!
//! Each is cast to its column's type, and the column's CHECKs are asked about it, in the words that the database has for them. No row is
//! read or written.

use rowstamp_domain::definition::{ApiDefinition, Default, Field};
use rowstamp_domain::value::Value;
use tokio_postgres::Row;

use super::SchemaError;
use super::differing::Difference;
use super::found::{Found, FoundCheck, FoundColumn};
use super::missing::{column_type, plain_name};
use super::session::{Session, all, read};
use crate::sql::quote::quoted;

/// A value to be asked about, and where the answer belongs.
struct Question<'a> {
    resource: usize,
    column: String,
    /// In words.
    value: String,
    text: String,
    sql: String,
    checks: Vec<&'a FoundCheck>,
}

/// The columns that refuse a value of their field, with the reason; `told` are the resources that differ otherwise, whose columns may
/// not be what these questions take them for.
pub(super) async fn refused(
    session: &Session,
    api: &ApiDefinition,
    found: &Found,
    told: &[usize],
) -> Result<Vec<Difference>, SchemaError> {
    let questions: Vec<Question<'_>> = questions(api, found, told);
    let mut answers = Vec::with_capacity(questions.len());
    for question in &questions {
        answers.push(reason(session, question));
    }
    let reasons: Vec<Option<String>> = all(answers).await?;
    // A column with one reason for several values is told once.
    let mut list: Vec<(usize, &str, String, Vec<&str>)> = Vec::new();
    for (question, reason) in questions.iter().zip(reasons) {
        let Some(reason) = reason else { continue };
        let same = list.iter_mut().find(|(resource, column, other, _)| {
            *resource == question.resource && *column == question.column && *other == reason
        });
        match same {
            Some((.., values)) => values.push(&question.value),
            None => list.push((question.resource, &question.column, reason, vec![&question.value])),
        }
    }
    Ok(list
        .into_iter()
        .map(|(resource, column, reason, values)| Difference {
            resource: Some(resource),
            what: format!("column {column} refuses {} ({reason})", values.join(", ")),
        })
        .collect())
}

fn questions<'a>(api: &ApiDefinition, found: &'a Found, told: &[usize]) -> Vec<Question<'a>> {
    let mut questions = Vec::new();
    let tables = api.resources.iter().zip(&found.tables).enumerate();
    for (position, (resource, table)) in tables.filter(|(position, _)| !told.contains(position)) {
        let Some(table) = table.as_ref().filter(|table| table.is_table) else {
            continue;
        };
        for field in &resource.fields {
            let Some(column) = table.columns.get(&field.column) else {
                continue;
            };
            let checks: Vec<&FoundCheck> = table
                .checks
                .iter()
                .filter(|check| *check.columns == [field.column.as_str()])
                .collect();
            if checks.is_empty() && column.ty == column_type(field) && field.db_type.is_none() {
                continue;
            }
            questions.extend(values(field).into_iter().map(|(value, text)| Question {
                resource: position,
                column: format!("{}.{}", plain_name(resource), field.column),
                value,
                text,
                sql: question(field, column, &checks),
                checks: checks.clone(),
            }));
        }
    }
    questions
}

/// The values that a definition names for a field: in words, and as PostgreSQL reads them.
fn values(field: &Field) -> Vec<(String, String)> {
    let mut list: Vec<(String, String)> = field
        .values
        .iter()
        .map(|value| {
            let one = Value::Text(value.clone());
            let value = if field.ty.array {
                Value::Array(vec![one])
            } else {
                one
            };
            (format!("the value {}", text(&value)), text(&value))
        })
        .collect();
    if let Default::Value(value) = &field.default
        && list.iter().all(|(_, other)| *other != text(value))
    {
        list.push(("the default of its field".to_owned(), text(value)));
    }
    list
}

fn text(value: &Value) -> String {
    let mut text = String::new();
    value.write_text(&mut text);
    text
}

/// Asks of each CHECK whether it holds for `$1` in its column, or is unknown, which counts as if it did.
fn question(field: &Field, column: &FoundColumn, checks: &[&FoundCheck]) -> String {
    let conditions: Vec<String> = checks
        .iter()
        .map(|check| format!("({}) IS NOT FALSE", check.condition))
        .collect();
    let name = quoted(&field.column);
    format!(
        "SELECT ARRAY[{}]::boolean[], {name} IS NULL FROM (SELECT CAST($1::text AS {}) AS {name}) AS t",
        conditions.join(", "),
        column.ty,
    )
}

/// Why a column refuses a value; `None` where it does not.
async fn reason(session: &Session, question: &Question<'_>) -> Result<Option<String>, SchemaError> {
    let mut answer: Vec<Row> = Vec::new();
    let asked = async {
        answer = session.client().query(&question.sql, &[&question.text]).await?;
        Ok(())
    };
    if let Some(refusal) = session.attempt(asked).await? {
        // What else goes wrong is no word about the value, such as a privilege that is missing and told elsewhere.
        let about_value = ["22", "23"]
            .iter()
            .any(|class| refusal.sqlstate.starts_with(class));
        return Ok(about_value.then(|| "its type".to_owned()));
    }
    let Some(row) = answer.first() else {
        return Ok(None);
    };
    let holds: Vec<bool> = read(row, 0)?;
    let failing = question.checks.iter().zip(holds).find(|(_, holds)| !holds);
    Ok(failing.map(|(check, _)| check.name.clone()))
}
