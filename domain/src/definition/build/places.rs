//! Where a resource is served and kept, and which places are taken already.

use std::collections::{HashMap, HashSet};

use super::{Mistakes, names};
use crate::definition::TableName;

/// What is taken by the resources built so far.
#[derive(Default)]
pub(super) struct Places {
    pub(super) names: HashSet<String>,
    paths: HashMap<String, String>,
    tables: HashMap<TableName, String>,
}

pub(super) fn resource_path(
    path: Option<String>,
    name: &str,
    is_named: bool,
    places: &mut Places,
    mistakes: &mut Mistakes,
) -> String {
    let (keys, path): (&[&str], String) = match path {
        Some(path) => (&["path"], path),
        // A wrong name has been told; its path would only repeat it.
        None if !is_named => return name.to_owned(),
        None => (&[], name.to_owned()),
    };
    if let Err(message) = names::check_path(&path) {
        mistakes.add(keys, message);
    } else if let Some(other) = places.paths.insert(path.clone(), name.to_owned())
        && other != name
    {
        mistakes.add(
            keys,
            format!("the path `{path}` is that of resource `{other}` already"),
        );
    }
    path
}

pub(super) fn table_name(
    declared: Option<&str>,
    name: &str,
    is_named: bool,
    places: &mut Places,
    mistakes: &mut Mistakes,
) -> TableName {
    let written = declared.unwrap_or(name);
    let keys: &[&str] = if declared.is_some() { &["table"] } else { &[] };
    let table = match written.split_once('.') {
        Some((schema, table)) => TableName {
            schema: Some(schema.to_owned()),
            table: table.to_owned(),
        },
        None => TableName {
            schema: None,
            table: written.to_owned(),
        },
    };
    if declared.is_none() && !is_named {
        return table;
    }
    if let Some(message) = written
        .splitn(2, '.')
        .find_map(|part| names::check_identifier(part).err())
    {
        mistakes.add(keys, format!("{message} (as `table` or `schema.table`)"));
    } else if let Some(other) = places.tables.insert(table.clone(), name.to_owned())
        && other != name
    {
        mistakes.add(
            keys,
            format!("the table `{written}` is that of resource `{other}` already"),
        );
    }
    table
}
