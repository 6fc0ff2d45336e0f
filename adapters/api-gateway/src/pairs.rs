//! Reading the maps of an event, whose values are a string, an array of strings or null.
//!
//! Each pair is handed on as it is read; no map is built on the way.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::event::Text;

/// Calls `each` with every name and value of `map`, an array giving one call for each of its values.
///
/// # Errors
/// What `each` refused, or what was wrong with the map, in words.
pub(crate) fn for_each_pair(
    map: &RawValue,
    each: &mut dyn FnMut(&str, &str) -> Result<(), String>,
) -> Result<(), String> {
    let mut deserializer = serde_json::Deserializer::from_str(map.get());
    deserializer
        .deserialize_map(Pairs { each })
        .map_err(|error| without_position(&error.to_string()))
}

/// The position is one inside a part of the event, which nobody who reads the message has before them.
fn without_position(message: &str) -> String {
    message
        .rsplit_once(" at line ")
        .map_or(message, |(before, _)| before)
        .to_owned()
}

struct Pairs<'f> {
    each: &'f mut dyn FnMut(&str, &str) -> Result<(), String>,
}

impl<'de> Visitor<'de> for Pairs<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(name)) = map.next_key::<Text<'de>>()? {
            map.next_value_seed(Values {
                name: &name,
                each: &mut *self.each,
            })?;
        }
        Ok(())
    }
}

struct Values<'n, 'f> {
    name: &'n Cow<'n, str>,
    each: &'f mut dyn FnMut(&str, &str) -> Result<(), String>,
}

impl<'de> DeserializeSeed<'de> for Values<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Values<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, an array of strings or null")
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        (self.each)(self.name, value).map_err(E::custom)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        while let Some(Text(value)) = values.next_element::<Text<'de>>()? {
            (self.each)(self.name, &value).map_err(serde::de::Error::custom)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    use super::*;

    fn read(json: &str) -> Result<Vec<(String, String)>, String> {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        let mut pairs = Vec::new();
        for_each_pair(raw, &mut |name, value| {
            if value == "refused" {
                return Err(format!("{name} was refused"));
            }
            pairs.push((name.to_owned(), value.to_owned()));
            Ok(())
        })?;
        Ok(pairs)
    }

    #[test]
    fn every_shape_of_value_is_read_in_order() {
        let pairs = read(r#"{"a":"1","b":["2","3\n"],"c":null,"d":[],"\u00e9":"4"}"#).unwrap();
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(pairs, [("a", "1"), ("b", "2"), ("b", "3\n"), ("é", "4")]);
    }

    #[test]
    fn other_shapes_and_refusals_are_told_without_a_position() {
        for (json, expected) in [
            (
                r#"{"a":1}"#,
                "invalid type: integer `1`, expected a string, an array of strings or null",
            ),
            (r#"{"a":[1]}"#, "invalid type: integer `1`, expected a string"),
            (r"[]", "invalid type: sequence, expected an object"),
            (r#"{"a":"refused"}"#, "a was refused"),
        ] {
            assert_eq!(read(json), Err(expected.to_owned()), "{json}");
        }
    }
}
