//! Guesses what somebody meant by a name that does not exist.

/// Words that people bring from elsewhere, and what they are called here.
const FOREIGN_WORDS: &[(&str, &str)] = &[
    ("rename", "name"),
    ("doc", "description"),
    ("comment", "description"),
    ("regex", "pattern"),
    ("regexp", "pattern"),
    ("len", "max_length"),
    ("length", "max_length"),
    ("maximum", "max"),
    ("minimum", "min"),
    ("gte", "min"),
    ("lte", "max"),
    ("enum", "values"),
    ("foreign_key", "references"),
    ("belongs_to", "references"),
    ("ref", "references"),
    ("readonly", "read_only"),
    ("writeonly", "write_only"),
    ("schema", "table"),
    ("url", "path"),
    ("route", "path"),
    ("limit", "page"),
    ("permissions", "access"),
    ("id", "uid"),
    ("primary_key", "uid"),
    ("updated_at", "last_updated_at"),
    ("insert", "create"),
    ("write", "update"),
    ("list", "read"),
];

/// What the type of a field says already.
const SAID_BY_THE_TYPE: &[(&str, &str)] = &[
    ("type", ": a field's type is that of the Rust field"),
    (
        "nullable",
        ": an `Option` may be NULL, any other type is required",
    ),
    (
        "optional",
        ": an `Option` may be NULL, any other type is required",
    ),
    (
        "not_null",
        ": an `Option` may be NULL, any other type is required",
    ),
];

/// `, did you mean `x`?` for the nearest of `known`, else the list of all.
pub(crate) fn hint(unknown: &str, known: &[&str]) -> String {
    if known.contains(&"required")
        && let Some((_, reason)) = SAID_BY_THE_TYPE.iter().find(|(word, _)| *word == unknown)
    {
        return (*reason).to_owned();
    }
    if let Some(name) = nearest(unknown, known) {
        return format!(", did you mean `{name}`?");
    }
    let quoted: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
    let one_of = if quoted.len() > 1 { "one of " } else { "" };
    format!(", expected {one_of}{}", quoted.join(", "))
}

fn nearest<'a>(unknown: &str, known: &[&'a str]) -> Option<&'a str> {
    let folded = unknown.to_ascii_lowercase().replace('-', "_");
    let foreign = FOREIGN_WORDS
        .iter()
        .find(|(word, _)| *word == folded)
        .and_then(|(_, own)| known.iter().find(|name| *name == own));
    if let Some(name) = foreign {
        return Some(name);
    }
    known
        .iter()
        .map(|name| (distance(&folded, name), *name))
        .min()
        .filter(|(distance, name)| *distance <= 1 + name.len() / 4)
        .map(|(_, name)| name)
}

/// The Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let substitution = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = substitution.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised_and_nonsense_is_not() {
        let known = ["min", "max", "min_length", "max_length", "name", "references"];
        let cases = [
            ("min_lenght", ", did you mean `min_length`?"),
            ("maxLength", ", did you mean `max_length`?"),
            ("max-length", ", did you mean `max_length`?"),
            ("rename", ", did you mean `name`?"),
            ("refrences", ", did you mean `references`?"),
            (
                "banana",
                ", expected one of `min`, `max`, `min_length`, `max_length`, `name`, `references`",
            ),
        ];
        for (unknown, expected) in cases {
            assert_eq!(hint(unknown, &known), expected, "{unknown}");
        }
    }
}
