//! The scalar types: Rust's, this crate's, chrono's, uuid's and serde_json's.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use uuid::Uuid;

use super::{FieldError, ScalarValue};
use crate::field_type::ScalarType;
use crate::value::{Date, Decimal, Json, Time, Timestamp, Value, ValueError};

/// Types that a [`Value`] holds as they are.
macro_rules! held {
    ($($ty:ty: $variant:ident;)*) => {$(
        impl ScalarValue for $ty {
            const TYPE: ScalarType = ScalarType::$variant;

            fn from_value(value: &Value) -> Result<Self, FieldError> {
                match value {
                    Value::$variant(value) => Ok(value.clone()),
                    other => Err(FieldError::wrong_type(Self::TYPE, other)),
                }
            }

            fn into_value(self) -> Result<Value, FieldError> {
                Ok(Value::$variant(self))
            }
        }
    )*};
}

held! {
    bool: Boolean;
    i32: Integer;
    i64: BigInt;
    f64: Float;
    Decimal: Decimal;
    Uuid: Uuid;
    Date: Date;
    Time: Time;
    Timestamp: Timestamp;
}

/// Text, and the value of an `enum` field whose `values` the definition lists.
impl ScalarValue for String {
    const TYPE: ScalarType = ScalarType::Text;

    fn from_value(value: &Value) -> Result<Self, FieldError> {
        match value {
            Value::Text(text) => Ok(text.clone()),
            other => Err(FieldError::wrong_type(Self::TYPE, other)),
        }
    }

    fn into_value(self) -> Result<Value, FieldError> {
        if self.contains('\0') {
            Err(ValueError::Nul.into())
        } else {
            Ok(Value::Text(self))
        }
    }
}

/// chrono's types have a smaller range than PostgreSQL's, and no infinities.
macro_rules! converted {
    ($($ty:ty as $own:ident, $name:literal;)*) => {$(
        impl ScalarValue for $ty {
            const TYPE: ScalarType = ScalarType::$own;

            fn from_value(value: &Value) -> Result<Self, FieldError> {
                match value {
                    Value::$own(value) => Self::try_from(*value)
                        .map_err(|_| FieldError::DoesNotFit { value: value.to_string(), rust_type: $name }),
                    other => Err(FieldError::wrong_type(Self::TYPE, other)),
                }
            }

            fn into_value(self) -> Result<Value, FieldError> {
                Ok(Value::$own($own::try_from(self).map_err(ValueError::from)?))
            }
        }
    )*};
}

converted! {
    NaiveDate as Date, "NaiveDate";
    DateTime<Utc> as Timestamp, "DateTime<Utc>";
}

impl ScalarValue for NaiveTime {
    const TYPE: ScalarType = ScalarType::Time;

    fn from_value(value: &Value) -> Result<Self, FieldError> {
        match value {
            Value::Time(time) => Self::try_from(*time).map_err(|_| FieldError::DoesNotFit {
                value: time.to_string(),
                rust_type: "NaiveTime",
            }),
            other => Err(FieldError::wrong_type(Self::TYPE, other)),
        }
    }

    fn into_value(self) -> Result<Value, FieldError> {
        Ok(Value::Time(self.into()))
    }
}

/// JSON null is SQL NULL in a `json` field, so that it is none of its values.
impl ScalarValue for Json {
    const TYPE: ScalarType = ScalarType::Json;

    fn from_value(value: &Value) -> Result<Self, FieldError> {
        match value {
            Value::Json(json) => Ok(json.clone()),
            other => Err(FieldError::wrong_type(Self::TYPE, other)),
        }
    }

    fn into_value(self) -> Result<Value, FieldError> {
        Ok(if self.as_str() == "null" {
            Value::Null
        } else {
            Value::Json(self)
        })
    }
}

/// Numbers become 64-bit ones, as serde_json has them; [`Json`] keeps every digit.
impl ScalarValue for serde_json::Value {
    const TYPE: ScalarType = ScalarType::Json;

    fn from_value(value: &Value) -> Result<Self, FieldError> {
        match value {
            Value::Json(json) => json.to_serde().map_err(|_| FieldError::DoesNotFit {
                value: "a number beyond 64 bits, or more than 128 levels".to_owned(),
                rust_type: "serde_json::Value",
            }),
            other => Err(FieldError::wrong_type(Self::TYPE, other)),
        }
    }

    fn into_value(self) -> Result<Value, FieldError> {
        if self.is_null() {
            return Ok(Value::Null);
        }
        Json::try_from(&self)
            .map(Value::Json)
            .map_err(|error| ValueError::from(error).into())
    }
}
