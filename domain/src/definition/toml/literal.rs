//! TOML values as the JSON text of a [`Literal`], with every digit kept.
//!
//! What type a literal has to be is not known here.

use serde_json::Value as Json;
use toml_edit::{Item, Value};

use crate::definition::spec::Literal;

/// The literal that `item` writes, `None` for something that is no value.
pub(super) fn literal(item: &Item, source: &str) -> Option<Literal> {
    let mut json = String::new();
    write_item(item, source, &mut json)?;
    Some(Literal(json))
}

fn write_item(item: &Item, source: &str, json: &mut String) -> Option<()> {
    match item {
        Item::None => None,
        Item::Value(value) => write_value(value, source, json),
        Item::Table(table) => write_object(table.iter(), source, json),
        Item::ArrayOfTables(tables) => {
            json.push('[');
            for (position, table) in tables.iter().enumerate() {
                if position > 0 {
                    json.push(',');
                }
                write_object(table.iter(), source, json)?;
            }
            json.push(']');
            Some(())
        }
    }
}

fn write_value(value: &Value, source: &str, json: &mut String) -> Option<()> {
    match value {
        Value::String(text) => push_text(text.value(), json),
        Value::Boolean(boolean) => json.push_str(if *boolean.value() { "true" } else { "false" }),
        Value::Integer(integer) => {
            let written = written(value, source);
            // Hexadecimal, octal and binary numbers have no JSON form of their own.
            if written.is_empty()
                || written.starts_with("0x")
                || written.starts_with("0o")
                || written.starts_with("0b")
            {
                json.push_str(&integer.value().to_string());
            } else {
                json.push_str(&written);
            }
        }
        Value::Float(float) => {
            let number = *float.value();
            if number.is_nan() {
                push_text("NaN", json);
            } else if number.is_infinite() {
                push_text(if number > 0.0 { "Infinity" } else { "-Infinity" }, json);
            } else {
                json.push_str(&written(value, source));
            }
        }
        Value::Datetime(datetime) => push_text(&datetime.value().to_string(), json),
        Value::Array(array) => {
            json.push('[');
            for (position, element) in array.iter().enumerate() {
                if position > 0 {
                    json.push(',');
                }
                write_value(element, source, json)?;
            }
            json.push(']');
        }
        Value::InlineTable(table) => {
            json.push('{');
            for (position, (key, inner)) in table.iter().enumerate() {
                if position > 0 {
                    json.push(',');
                }
                push_text(key, json);
                json.push(':');
                write_value(inner, source, json)?;
            }
            json.push('}');
        }
    }
    Some(())
}

fn write_object<'a>(
    entries: impl Iterator<Item = (&'a str, &'a Item)>,
    source: &str,
    json: &mut String,
) -> Option<()> {
    json.push('{');
    for (position, (key, inner)) in entries.enumerate() {
        if position > 0 {
            json.push(',');
        }
        push_text(key, json);
        json.push(':');
        write_item(inner, source, json)?;
    }
    json.push('}');
    Some(())
}

fn push_text(text: &str, json: &mut String) {
    json.push_str(&Json::from(text).to_string());
}

/// A number as the source has it, without the signs that JSON does not know.
fn written(value: &Value, source: &str) -> String {
    value
        .span()
        .and_then(|span| source.get(span))
        .map(|text| text.trim_start_matches('+').replace('_', ""))
        .unwrap_or_default()
}
