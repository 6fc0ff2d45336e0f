//! Which Rust types a field can have: scalars, lists of them, and `Option`s of both.
//!
//! The scalars themselves are in `scalars`. A type outside this crate becomes one by [`ScalarValue`], most simply an enum
//! by its derive.

use super::FieldError;
use crate::field_type::{FieldType, ScalarType};
use crate::value::Value;

/// A Rust type that a field of a resource can have.
///
/// It is implemented for every [`ScalarValue`], `Vec<u8>` (bytes), a `Vec` of scalars (an array; of `Option`s where elements
/// may be NULL), and an `Option` of each of these.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of a resource",
    label = "no column type for this",
    note = "fields can be String, i32, i64, f64, Decimal, bool, Uuid, Date, Time, Timestamp, Json, Vec<u8>, chrono's NaiveDate, NaiveTime and DateTime<Utc>, serde_json::Value, an enum with #[derive(ResourceEnum)], a Vec of these, or an Option"
)]
pub trait FieldValue: Sized {
    /// The field's type.
    const TYPE: FieldType;
    /// Whether the field is NOT NULL.
    const REQUIRED: bool;
    /// The values of an enum; empty for other types.
    const VALUES: &'static [&'static str];

    /// Reads a value.
    ///
    /// # Errors
    /// Why this type cannot hold it.
    fn from_field(value: &Value) -> Result<Self, FieldError>;

    /// The value.
    ///
    /// # Errors
    /// Why PostgreSQL cannot hold it.
    fn into_field(self) -> Result<Value, FieldError>;
}

/// A Rust type for one value that is no array and not NULL; implement it for types of your own.
///
/// ```
/// use rowstamp_domain::field_type::ScalarType;
/// use rowstamp_domain::resource::{FieldError, ScalarValue};
/// use rowstamp_domain::value::Value;
///
/// struct Isbn(String);
///
/// impl ScalarValue for Isbn {
///     const TYPE: ScalarType = ScalarType::Text;
///
///     fn from_value(value: &Value) -> Result<Self, FieldError> {
///         String::from_value(value).map(Isbn)
///     }
///
///     fn into_value(self) -> Result<Value, FieldError> {
///         self.0.into_value()
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(message = "`{Self}` is no scalar type of a resource")]
pub trait ScalarValue: Sized {
    /// The type in a definition.
    const TYPE: ScalarType;
    /// The values of an enum, in order; empty for other types.
    const VALUES: &'static [&'static str] = &[];

    /// Reads a value.
    ///
    /// # Errors
    /// Why this type cannot hold it, NULL included.
    fn from_value(value: &Value) -> Result<Self, FieldError>;

    /// The value.
    ///
    /// # Errors
    /// Why PostgreSQL cannot hold it.
    fn into_value(self) -> Result<Value, FieldError>;
}

/// What a list can hold: scalars, `Vec<u8>`, and `Option`s of these.
#[diagnostic::on_unimplemented(message = "a `Vec` of `{Self}` cannot be a field of a resource")]
pub trait ArrayElement: Sized {
    /// The type of an element.
    const TYPE: ScalarType;
    /// The values of an enum; empty for other types.
    const VALUES: &'static [&'static str];

    /// Reads an element.
    ///
    /// # Errors
    /// Why this type cannot hold it.
    fn from_element(value: &Value) -> Result<Self, FieldError>;

    /// The element.
    ///
    /// # Errors
    /// Why PostgreSQL cannot hold it.
    fn into_element(self) -> Result<Value, FieldError>;
}

impl<T: ScalarValue> FieldValue for T {
    const TYPE: FieldType = FieldType::scalar(T::TYPE);
    const REQUIRED: bool = true;
    const VALUES: &'static [&'static str] = T::VALUES;

    fn from_field(value: &Value) -> Result<Self, FieldError> {
        T::from_value(value)
    }

    fn into_field(self) -> Result<Value, FieldError> {
        self.into_value()
    }
}

impl<T: ArrayElement> FieldValue for Vec<T> {
    const TYPE: FieldType = FieldType::array(T::TYPE);
    const REQUIRED: bool = true;
    const VALUES: &'static [&'static str] = T::VALUES;

    fn from_field(value: &Value) -> Result<Self, FieldError> {
        let Value::Array(elements) = value else {
            return Err(FieldError::wrong_field_type(FieldType::array(T::TYPE), value));
        };
        if elements.iter().any(|element| matches!(element, Value::Array(_))) {
            return Err(FieldError::SeveralDimensions);
        }
        in_order(elements.iter(), T::from_element)
    }

    fn into_field(self) -> Result<Value, FieldError> {
        in_order(self.into_iter(), T::into_element).map(Value::Array)
    }
}

fn in_order<A, B>(
    elements: impl Iterator<Item = A>,
    convert: impl Fn(A) -> Result<B, FieldError>,
) -> Result<Vec<B>, FieldError> {
    elements
        .enumerate()
        .map(|(position, element)| {
            convert(element).map_err(|reason| FieldError::Element {
                position,
                reason: Box::new(reason),
            })
        })
        .collect()
}

/// Bytes are no `ScalarValue`, since the compiler could then not tell them from other lists.
impl FieldValue for Vec<u8> {
    const TYPE: FieldType = FieldType::scalar(ScalarType::Bytes);
    const REQUIRED: bool = true;
    const VALUES: &'static [&'static str] = &[];

    fn from_field(value: &Value) -> Result<Self, FieldError> {
        match value {
            Value::Bytes(bytes) => Ok(bytes.clone()),
            other => Err(FieldError::wrong_type(ScalarType::Bytes, other)),
        }
    }

    fn into_field(self) -> Result<Value, FieldError> {
        Ok(Value::Bytes(self))
    }
}

impl<T: ScalarValue> ArrayElement for T {
    const TYPE: ScalarType = T::TYPE;
    const VALUES: &'static [&'static str] = T::VALUES;

    fn from_element(value: &Value) -> Result<Self, FieldError> {
        T::from_value(value)
    }

    fn into_element(self) -> Result<Value, FieldError> {
        self.into_value()
    }
}

impl ArrayElement for Vec<u8> {
    const TYPE: ScalarType = ScalarType::Bytes;
    const VALUES: &'static [&'static str] = &[];

    fn from_element(value: &Value) -> Result<Self, FieldError> {
        Self::from_field(value)
    }

    fn into_element(self) -> Result<Value, FieldError> {
        self.into_field()
    }
}

/// `Option`s, written out because a single impl for all would overlap with itself in the compiler's eyes.
macro_rules! optional_fields {
    ($([$($generics:tt)*] $inner:ty;)*) => {$(
        impl<$($generics)*> FieldValue for Option<$inner> {
            const TYPE: FieldType = <$inner as FieldValue>::TYPE;
            const REQUIRED: bool = false;
            const VALUES: &'static [&'static str] = <$inner as FieldValue>::VALUES;

            fn from_field(value: &Value) -> Result<Self, FieldError> {
                if value.is_null() { Ok(None) } else { <$inner>::from_field(value).map(Some) }
            }

            fn into_field(self) -> Result<Value, FieldError> {
                self.map_or(Ok(Value::Null), <$inner>::into_field)
            }
        }
    )*};
}

optional_fields! {
    [T: ScalarValue] T;
    [T: ArrayElement] Vec<T>;
    [] Vec<u8>;
}

macro_rules! optional_elements {
    ($([$($generics:tt)*] $inner:ty;)*) => {$(
        impl<$($generics)*> ArrayElement for Option<$inner> {
            const TYPE: ScalarType = <$inner as ArrayElement>::TYPE;
            const VALUES: &'static [&'static str] = <$inner as ArrayElement>::VALUES;

            fn from_element(value: &Value) -> Result<Self, FieldError> {
                if value.is_null() { Ok(None) } else { <$inner>::from_element(value).map(Some) }
            }

            fn into_element(self) -> Result<Value, FieldError> {
                self.map_or(Ok(Value::Null), <$inner>::into_element)
            }
        }
    )*};
}

optional_elements! {
    [T: ScalarValue] T;
    [] Vec<u8>;
}
