//! Property tests: what goes in as a parameter comes out of the fast encoder as the plain writer has it, and out of the decoder
//! as it was; and no buffer makes any of them panic.

use bytes::BytesMut;
use proptest::collection::vec;
use proptest::prelude::*;
use rowstamp_domain::field_type::{FieldType, ScalarType};
use rowstamp_domain::json_text::Buffer;
use rowstamp_domain::value::{Date, Decimal, DecimalSign, Json, Time, Timestamp, Value};
use tokio_postgres::types::{IsNull, ToSql as _};
use uuid::Uuid;

use crate::decode::decode;
use crate::encode::{self, Encoding};
use crate::params::Param;
use crate::sql::writer::param_type;

fn decimal() -> impl Strategy<Value = Decimal> {
    let sign = prop_oneof![
        8 => Just(DecimalSign::Positive),
        8 => Just(DecimalSign::Negative),
        1 => Just(DecimalSign::NaN),
        1 => Just(DecimalSign::Infinity),
        1 => Just(DecimalSign::NegInfinity),
    ];
    (sign, -4_i16..6, 0_u16..40, vec(0_u16..10_000, 0..8))
        .prop_filter_map("digits beyond the scale", |(sign, weight, scale, digits)| {
            Decimal::from_binary_parts(sign, weight, scale, &digits)
        })
}

fn scalar(ty: ScalarType) -> BoxedStrategy<Value> {
    match ty {
        ScalarType::Text | ScalarType::Enum => any::<String>()
            .prop_map(|text| Value::Text(text.replace('\0', "")))
            .boxed(),
        ScalarType::Integer => any::<i32>().prop_map(Value::Integer).boxed(),
        ScalarType::BigInt => any::<i64>().prop_map(Value::BigInt).boxed(),
        ScalarType::Float => prop_oneof![
            any::<u64>().prop_map(|bits| Value::Float(f64::from_bits(bits))),
            any::<i32>().prop_map(|number| Value::Float(f64::from(number) / 1_000.0)),
        ]
        .boxed(),
        ScalarType::Decimal => decimal().prop_map(Value::Decimal).boxed(),
        ScalarType::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
        ScalarType::Uuid => any::<u128>()
            .prop_map(|uuid| Value::Uuid(Uuid::from_u128(uuid)))
            .boxed(),
        ScalarType::Date => any::<i32>()
            .prop_filter_map("out of range", |days| {
                Date::from_days_since_2000(days).ok().map(Value::Date)
            })
            .boxed(),
        ScalarType::Time => (0..=86_400_000_000_i64)
            .prop_filter_map("out of range", |micros| {
                Time::from_micros_since_midnight(micros).ok().map(Value::Time)
            })
            .boxed(),
        ScalarType::Timestamp => prop_oneof![
            Timestamp::MIN.micros_since_2000()..Timestamp::MAX.micros_since_2000(),
            Just(i64::MAX),
            Just(i64::MIN),
            -1_000_000_000_000_000..1_000_000_000_000_000_i64,
        ]
        .prop_filter_map("out of range", |micros| {
            Timestamp::from_micros_since_2000(micros)
                .ok()
                .map(Value::Timestamp)
        })
        .boxed(),
        ScalarType::Json => any::<String>()
            .prop_map(|text| Value::Json(Json::from_jsonb_text(serde_json::Value::from(text).to_string())))
            .boxed(),
        ScalarType::Bytes => vec(any::<u8>(), 0..40).prop_map(Value::Bytes).boxed(),
    }
}

/// A value of a field of this type; arrays have up to three dimensions, and NULLs.
fn value(ty: FieldType) -> BoxedStrategy<Value> {
    if !ty.array {
        return scalar(ty.scalar);
    }
    let element = prop_oneof![4 => scalar(ty.scalar), 1 => Just(Value::Null)].boxed();
    (1_usize..4, vec(1_usize..4, 2))
        .prop_flat_map(move |(dimensions, inner)| {
            let mut strategy = element.clone();
            for length in inner.into_iter().take(dimensions - 1) {
                strategy = vec(strategy, length).prop_map(Value::Array).boxed();
            }
            vec(strategy, 0..4).prop_map(Value::Array)
        })
        .boxed()
}

fn field_type() -> impl Strategy<Value = FieldType> {
    (proptest::sample::select(&ScalarType::ALL[..]), any::<bool>())
        .prop_map(|(scalar, array)| FieldType { scalar, array })
}

fn encoding(ty: FieldType, quoted: bool) -> Encoding {
    Encoding::of(ty, quoted, &param_type(ty)).expect("a parameter's type can hold its field")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_goes_in_comes_out_as_the_plain_writer_has_it(
        (ty, value) in field_type().prop_flat_map(|ty| (Just(ty), value(ty))),
        quoted: bool,
    ) {
        let mut raw = BytesMut::new();
        let null = Param::Value(&value).to_sql(&param_type(ty), &mut raw).expect("it is of its type");
        prop_assert!(matches!(null, IsNull::No));
        let mut fast = Buffer::new();
        encode::write(encoding(ty, quoted), Some(&raw), &mut fast).expect("it is well formed");
        let mut plain = Vec::new();
        if quoted { value.write_json_as_string(&mut plain) } else { value.write_json(&mut plain) }
        prop_assert_eq!(String::from_utf8(fast.into_vec()), String::from_utf8(plain));
        let decoded = decode(encoding(ty, quoted), ty.scalar, Some(&raw)).expect("it is well formed");
        prop_assert_eq!(decoded.to_json(), value.to_json());
    }

    #[test]
    fn no_buffer_makes_them_panic(ty in field_type(), raw in vec(any::<u8>(), 0..64), quoted: bool) {
        let mut out = Buffer::new();
        if encode::write(encoding(ty, quoted), Some(&raw), &mut out).is_ok() {
            prop_assert!(String::from_utf8(out.into_vec()).is_ok());
        }
        let _ = decode(encoding(ty, quoted), ty.scalar, Some(&raw));
    }

    #[test]
    fn no_change_to_a_good_buffer_makes_them_panic(
        (ty, value) in field_type().prop_flat_map(|ty| (Just(ty), value(ty))),
        place: proptest::sample::Index,
        byte: u8,
    ) {
        let mut raw = BytesMut::new();
        Param::Value(&value).to_sql(&param_type(ty), &mut raw).expect("it is of its type");
        if !raw.is_empty() {
            let place = place.index(raw.len());
            raw[place] = byte;
        }
        let _ = encode::write(encoding(ty, false), Some(&raw), &mut Buffer::new());
        let _ = decode(encoding(ty, false), ty.scalar, Some(&raw));
    }
}
