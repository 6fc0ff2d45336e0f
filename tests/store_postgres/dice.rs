//! Random choices that can be made smaller: numbers, each of which decides one thing, and nothing but zeros after the last.

use proptest::prelude::*;
use rowstamp_tests::contract::Bench;
use serde_json::{Value as Json, json};

/// A choice that the number 0 decides for the simplest thing.
pub(crate) struct Dice<'a>(std::slice::Iter<'a, u16>);

impl<'a> Dice<'a> {
    pub(crate) fn new(numbers: &'a [u16]) -> Self {
        Self(numbers.iter())
    }

    /// One of `0..sides`.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        usize::from(self.0.next().copied().unwrap_or(0)) % sides.max(1)
    }

    /// Whether something happens that happens once in `times`.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.roll(times) == times - 1
    }

    pub(crate) fn pick<'p, T>(&mut self, from: &'p [T]) -> &'p T {
        &from[self.roll(from.len())]
    }
}

/// Any numbers, so many at most.
pub(crate) fn numbers(most: usize) -> impl Strategy<Value = Vec<u16>> {
    prop::collection::vec(any::<u16>(), 0..=most)
}

/// Any numbers, so many.
pub(crate) fn exactly(count: usize) -> impl Strategy<Value = Vec<u16>> {
    prop::collection::vec(any::<u16>(), count)
}

/// Values of a type, few enough that rows and conditions meet.
///
/// Values that are equal and look different are not among them: which of them stands for a group is nobody's promise. Neither are floats
/// whose sum depends on the order.
pub(crate) fn values_of(ty: &str) -> Vec<Json> {
    match ty {
        "text" => vec![
            json!("a"),
            json!(""),
            json!("A"),
            json!("b%"),
            json!("The quick brown fox"),
            json!("fox, quick"),
            json!("é"),
            json!("null"),
            json!("a,b\"c\nd\\"),
            json!("10"),
        ],
        "integer" => vec![
            json!(1),
            json!(0),
            json!(-1),
            json!(2),
            json!(10),
            json!(i32::MAX),
        ],
        "bigint" => vec![
            json!(1),
            json!(0),
            json!(-5),
            json!(9_007_199_254_740_993_i64),
            json!(i64::MAX),
        ],
        "float" => vec![
            json!(0.25),
            json!(0),
            json!(-1.5),
            json!(2.5),
            json!("NaN"),
            json!("Infinity"),
        ],
        "decimal" => vec![
            json!("1.5"),
            json!("0"),
            json!("-2.25"),
            json!("12345678901234567890.123"),
            json!("NaN"),
        ],
        "boolean" => vec![json!(true), json!(false)],
        "uuid" => (1..5)
            .map(|number| json!(rowstamp_tests::contract::uid(number)))
            .collect(),
        "date" => vec![
            json!("2026-01-31"),
            json!("1999-12-31"),
            json!("0044-03-15 BC"),
            json!("infinity"),
        ],
        "time" => vec![json!("12:00:00"), json!("00:00:00.5"), json!("23:59:59.999999")],
        "timestamp" => vec![
            json!("2026-01-31T12:00:00.5Z"),
            json!("2026-01-31T00:00:00Z"),
            json!("1999-12-31T23:59:59.999999Z"),
            json!("0044-03-15T12:00:00Z BC"),
            json!("infinity"),
            json!("-infinity"),
        ],
        "json" => vec![
            json!({"a": 1, "b": [1, "x", null]}),
            json!({}),
            json!([]),
            json!(1),
            json!("quick fox"),
            json!({"a": "x"}),
            json!({"a": null, "c": {"d": null}}),
            json!([1, [2, 3], {"a": 1}]),
            json!(true),
            json!({"a": {"b": "10"}}),
        ],
        "bytes" => vec![json!("aGk="), json!(""), json!("AAH/")],
        "enum" => vec![json!("a"), json!("ö")],
        _ => Vec::new(),
    }
}

/// A value of a field that is not null.
pub(crate) fn value(dice: &mut Dice<'_>, bench: &Bench, resource: &str, field: &str) -> Json {
    let id = bench.field(resource, field);
    let field = bench.resource(resource).field(id);
    if field.precision.is_some() {
        return if field.ty.array {
            json!(["1.5000"])
        } else {
            dice.pick(&[json!("1.5"), json!("0"), json!("-7")]).clone()
        };
    }
    if !field.values.is_empty() && !field.ty.array {
        return json!(dice.pick(&field.values));
    }
    let pool = values_of(field.ty.scalar.name());
    if !field.ty.array {
        return dice.pick(&pool).clone();
    }
    match dice.roll(6) {
        0 => json!([]),
        1 => json!([pool[0], null]),
        2 => json!([[pool[0]], [dice.pick(&pool)]]),
        _ => json!([dice.pick(&pool), dice.pick(&pool)]),
    }
}
