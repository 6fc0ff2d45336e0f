//! Rows as JSON Schema (draft 2020-12, as OpenAPI 3.1 has it): what is read, and what is sent to create, replace and change.
//!
//! Rules about callers and about stored values cannot be said in a schema and are said in words.

use rowstamp_domain::definition::{Default, Field, JsonEncoding, ResourceDefinition};
use rowstamp_domain::field_type::ScalarType;
use rowstamp_domain::value::Value;

use super::node::{Node, Object, list, raw};

/// What a schema of a resource is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Read,
    Create,
    Replace,
    Change,
}

impl Use {
    pub(super) const ALL: [Self; 4] = [Self::Read, Self::Create, Self::Replace, Self::Change];

    /// The name of the schema among the components. No resource's name has a dot, so nothing is named twice.
    pub(super) fn name(self, definition: &ResourceDefinition) -> String {
        let name = &definition.name;
        match self {
            Self::Read => name.clone(),
            Self::Create => format!("{name}.create"),
            Self::Replace => format!("{name}.replace"),
            Self::Change => format!("{name}.change"),
        }
    }

    /// Where the schema is referred to.
    pub(super) fn reference(self, definition: &ResourceDefinition) -> Node {
        super::node::reference(format!("#/components/schemas/{}", self.name(definition)))
    }

    fn has(self, field: &Field) -> bool {
        match self {
            Self::Read => !field.write_only,
            Self::Create => !field.read_only && !field.is_audit(),
            Self::Replace | Self::Change => true,
        }
    }

    fn requires(self, field: &Field) -> bool {
        let must_be_given = field.required
            && field.default == Default::None
            && !field.read_only
            && !field.is_audit()
            && field.write.is_none();
        match self {
            // A selection leaves out whatever was not selected.
            Self::Read | Self::Change => false,
            Self::Create => must_be_given,
            Self::Replace => must_be_given && !field.immutable && !field.write_only && field.read.is_none(),
        }
    }
}

/// The schema of a row.
pub(super) fn row(definition: &ResourceDefinition, purpose: Use) -> Node {
    let mut properties = Object::new();
    let mut required = Vec::new();
    for field in definition.fields.iter().filter(|field| purpose.has(field)) {
        if purpose.requires(field) {
            required.push(Node::from(field.name.clone()));
        }
        properties.put(field.name.clone(), property(field, purpose));
    }
    let mut schema = Object::new().with("type", "object");
    if purpose == Use::Read {
        schema = schema.maybe("description", definition.description.clone());
    }
    schema = schema.with("properties", properties);
    if !required.is_empty() {
        schema.put("required", Node::List(required));
    }
    schema.with("additionalProperties", false).into()
}

fn property(field: &Field, purpose: Use) -> Node {
    let mut schema = if field.ty.array {
        Object::new()
            .with("type", types("array", field))
            .with("items", element(field, true))
            .maybe("minItems", field.min_length)
            .maybe("maxItems", field.max_length)
    } else {
        element(field, !field.required)
    };
    if let Some(words) = words(field) {
        schema.put("description", words);
    }
    if field.read_only || field.is_audit() {
        schema.put("readOnly", true);
    }
    if field.write_only {
        schema.put("writeOnly", true);
    }
    if let (Default::Value(value), Use::Create | Use::Replace) = (&field.default, purpose) {
        schema.put("default", json(value, field));
    }
    if let Some(example) = &field.example {
        schema.put("examples", list([json(example, field)]));
    }
    schema.into()
}

fn types(name: &'static str, field: &Field) -> Node {
    nullable(name, !field.required)
}

fn nullable(name: &'static str, null: bool) -> Node {
    if null { list([name, "null"]) } else { name.into() }
}

/// The schema of a scalar, or of an array's elements.
fn element(field: &Field, null: bool) -> Object {
    let of = |name| Object::new().with("type", nullable(name, null));
    // Of an array, the lengths count elements.
    let (min_length, max_length) = if field.ty.array {
        (None, None)
    } else {
        (field.min_length, field.max_length)
    };
    let pattern = field.pattern.as_ref().map(|pattern| pattern.as_str().to_owned());
    let quoted = field.json == JsonEncoding::String;
    match field.ty.scalar {
        ScalarType::Text => of("string")
            .maybe("minLength", min_length)
            .maybe("maxLength", max_length)
            .maybe("pattern", pattern),
        ScalarType::Integer | ScalarType::BigInt | ScalarType::Decimal if quoted => {
            of("string").with("pattern", "^-?[0-9]+(\\.[0-9]+)?$")
        }
        ScalarType::Integer => bounded(
            of("integer").with("format", "int32"),
            field,
            "-2147483648",
            "2147483647",
        ),
        ScalarType::BigInt => bounded(
            of("integer").with("format", "int64"),
            field,
            "-9223372036854775808",
            "9223372036854775807",
        ),
        ScalarType::Float if quoted => of("string"),
        ScalarType::Float => {
            let number = Object::new().with("type", "number").with("format", "double");
            or_words(limits(number, field), &["NaN", "Infinity", "-Infinity"], null)
        }
        ScalarType::Decimal => {
            let number = limits(Object::new().with("type", "number"), field);
            match field.precision {
                None => or_words(number, &["NaN", "Infinity", "-Infinity"], null),
                Some(precision) => {
                    // The first number that has a digit too many before the point.
                    let digits = usize::from(precision.saturating_sub(field.scale.unwrap_or(0)));
                    let bound = format!("1{}", "0".repeat(digits));
                    let number = number
                        .with("exclusiveMinimum", raw(format!("-{bound}")))
                        .with("exclusiveMaximum", raw(bound));
                    or_words(number, &["NaN"], null)
                }
            }
        }
        ScalarType::Boolean => of("boolean"),
        ScalarType::Uuid => of("string").with("format", "uuid"),
        ScalarType::Date => of("string").with("format", "date"),
        ScalarType::Time => of("string").with("pattern", "^[0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,6})?)?"),
        ScalarType::Timestamp => of("string").with("format", "date-time"),
        // Any JSON at all.
        ScalarType::Json => Object::new(),
        ScalarType::Bytes => of("string").with("contentEncoding", "base64"),
        ScalarType::Enum => {
            let values = field.values.iter().map(|value| Node::from(value.clone()));
            let null = null.then(|| raw("null".to_owned()));
            of("string").with("enum", Node::List(values.chain(null).collect()))
        }
    }
}

/// A number, or one of the words that stand for what is none in JSON.
fn or_words(number: Object, words: &[&'static str], null: bool) -> Object {
    let words = Object::new()
        .with("type", "string")
        .with("enum", list(words.iter().copied()));
    let mut forms = vec![Node::from(number), Node::from(words)];
    if null {
        forms.push(Object::new().with("type", "null").into());
    }
    Object::new().with("anyOf", Node::List(forms))
}

fn limits(schema: Object, field: &Field) -> Object {
    let number = |value: &Option<Value>| value.as_ref().map(|value| raw(value.to_json()));
    schema
        .maybe("minimum", number(&field.min))
        .maybe("maximum", number(&field.max))
}

/// The limits of the definition, else those of the type.
fn bounded(schema: Object, field: &Field, min: &str, max: &str) -> Object {
    let number = |value: &Option<Value>, bound: &str| {
        raw(value.as_ref().map_or_else(|| bound.to_owned(), Value::to_json))
    };
    schema
        .with("minimum", number(&field.min, min))
        .with("maximum", number(&field.max, max))
}

/// What is said in words: the definition's own, and what a schema cannot say.
fn words(field: &Field) -> Option<String> {
    let mut words = field.description.clone().unwrap_or_default();
    let mut say = |sentence: String| {
        if !words.is_empty() {
            words.push_str("\n\n");
        }
        words.push_str(&sentence);
    };
    if let (ScalarType::Decimal, Some(_)) = (field.ty.scalar, field.precision) {
        say(format!(
            "At most {} digits after the decimal point; nothing is rounded.",
            field.scale.unwrap_or(0)
        ));
    }
    if let (ScalarType::Date | ScalarType::Time | ScalarType::Timestamp, true) =
        (field.ty.scalar, field.min.is_some() || field.max.is_some())
    {
        let bound = |value: &Option<Value>, word: &str| {
            value
                .as_ref()
                .map(|value| format!("{word} {}", value.to_json()))
                .unwrap_or_default()
        };
        say(
            format!("{} {}", bound(&field.min, "From"), bound(&field.max, "until"))
                .trim()
                .to_owned(),
        );
    }
    if let Some(reference) = &field.references {
        say(format!("The `uid` of a row of {}.", reference.resource));
    }
    if field.unique {
        say("No two rows have the same value.".to_owned());
    }
    if field.immutable {
        say("Only given at creation.".to_owned());
    }
    if field.read.is_some() {
        say("Not every caller sees it.".to_owned());
    }
    if field.write.is_some() {
        say("Not every caller may write it.".to_owned());
    }
    (!words.is_empty()).then_some(words)
}

fn json(value: &Value, field: &Field) -> Node {
    let mut out = Vec::new();
    match field.json {
        JsonEncoding::Native => value.write_json(&mut out),
        JsonEncoding::String => value.write_json_as_string(&mut out),
    }
    raw(String::from_utf8(out).unwrap_or_default())
}
