//! Names: the resource's, its fields', and what they may be.

use std::collections::HashSet;

use syn::DeriveInput;

use crate::field::Field;
use crate::options::{Errors, Opt};

/// The fields that the server stamps.
pub(crate) const STAMPS: [&str; 5] = [
    "uid",
    "created_at",
    "last_updated_at",
    "creator_uid",
    "last_updater_uid",
];

/// Whether the fields' names can be names, and are all different.
pub(crate) fn check_fields(fields: &[Field], errors: &mut Errors) {
    let mut seen = HashSet::new();
    for field in fields {
        if STAMPS.contains(&field.name.as_str()) {
            errors.push(syn::Error::new(
                field.name_span,
                format!(
                    "`{}` is stamped by the server and needs no field; `audit` says where it is kept",
                    field.name
                ),
            ));
        } else if !is_name(&field.name) {
            errors.push(syn::Error::new(
                field.name_span,
                format!(
                    "`{}` is no name: expected letters, digits and `_`, not beginning with a digit",
                    field.name
                ),
            ));
        }
        if !seen.insert(&field.name) {
            errors.push(syn::Error::new(
                field.name_span,
                format!("a field called `{}` is there already", field.name),
            ));
        }
    }
}

fn is_name(name: &str) -> bool {
    name.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit())
}

/// The name comes from `name`, else from `path`. It is never made from the struct's: renaming a type must not move a
/// table or a URL.
pub(crate) fn of_resource(input: &DeriveInput, options: &[Opt], errors: &mut Errors) -> String {
    let text = |name: &str| {
        let option = options.iter().find(|option| option.name == name)?;
        // What is wrong with its kind is told where it is set.
        option.string().ok()
    };
    let Some(given) = text("name").or_else(|| text("path")) else {
        if !options
            .iter()
            .any(|option| option.name == "name" || option.name == "path")
        {
            let guess = snake_case(&input.ident.to_string());
            errors.push(syn::Error::new_spanned(
                &input.ident,
                format!("a resource needs a path, as in `#[resource(path = \"{guess}s\")]`"),
            ));
        }
        return String::new();
    };
    let name = given.value();
    if !is_name(&name) {
        errors.push(syn::Error::new(
            given.span(),
            format!("`{name}` is no name: expected letters, digits and `_`; a path of other characters needs a `name` beside it"),
        ));
    }
    name
}

/// `BookLoan` is `book_loan`.
pub(crate) fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    let mut before = '_';
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        let ends_acronym = before.is_uppercase() && characters.peek().is_some_and(|next| next.is_lowercase());
        if character.is_uppercase() && before != '_' && (!before.is_uppercase() || ends_acronym) {
            snake.push('_');
        }
        snake.extend(character.to_lowercase());
        before = character;
    }
    snake
}
