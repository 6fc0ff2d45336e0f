//! Which names may be given to resources, fields, columns and tables.

/// PostgreSQL truncates longer identifiers with no more than a notice, so that two could become one.
const MAX_BYTES: usize = 63;

/// Words that mean something else in a query string.
const RESERVED: [&str; 10] = [
    "select",
    "order",
    "limit",
    "offset",
    "cursor",
    "columns",
    "on_conflict",
    "and",
    "or",
    "not",
];

/// The stamps, whether or not the table has them: in JSON their names stay.
pub(super) const AUDIT_NAMES: [&str; 5] = [
    "uid",
    "created_at",
    "last_updated_at",
    "creator_uid",
    "last_updater_uid",
];

/// Paths that are served already, or refused by name.
const RESERVED_PATHS: [&str; 3] = ["health", "openapi.json", "rpc"];

/// Whether `name` can be an identifier everywhere it has to be one.
pub(super) fn check_identifier(name: &str) -> Result<(), String> {
    let mut characters = name.chars();
    let begins_well = characters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    if !begins_well || !characters.all(|character| character.is_ascii_alphanumeric() || character == '_') {
        return Err(format!(
            "`{}` is no name: expected letters, digits and `_`, not beginning with a digit",
            name.escape_debug()
        ));
    }
    if name.len() > MAX_BYTES {
        return Err(format!(
            "a name may have {MAX_BYTES} characters, this one has {}",
            name.len()
        ));
    }
    Ok(())
}

/// Whether `name` can be a field's.
pub(super) fn check_field(name: &str) -> Result<(), String> {
    check_identifier(name)?;
    if RESERVED.contains(&name) {
        return Err(format!(
            "`{name}` means something else in a query string; give the field another name and map it with column = \"{name}\""
        ));
    }
    if AUDIT_NAMES.contains(&name) {
        return Err(format!(
            "`{name}` is stamped by the server; `audit` says where it is kept"
        ));
    }
    Ok(())
}

/// Whether `path` can be a resource's path segment, in which nothing is ever escaped.
pub(super) fn check_path(path: &str) -> Result<(), String> {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-._~".contains(character);
    if path.is_empty() || !path.chars().all(plain) || path == "." || path == ".." {
        return Err(format!(
            "`{}` is no path: expected one segment of letters, digits and `-._~`, such as \"books\"",
            path.escape_debug()
        ));
    }
    if RESERVED_PATHS.contains(&path) {
        return Err(format!(
            "`/{path}` is served already or kept free, expected another path"
        ));
    }
    Ok(())
}
