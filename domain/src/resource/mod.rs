//! A resource declared as a Rust struct, which is also a typed view of its rows.
//!
//! The struct is a way in and a convenience for hooks and tests: nothing on the way of a request needs it.

mod error;
mod field_value;
mod scalars;

use std::sync::Arc;

pub use error::{FieldError, RecordError};
pub use field_value::{ArrayElement, FieldValue, ScalarValue};
pub use rowstamp_derive::{Resource, ResourceEnum};

use crate::definition::ResourceDefinition;
use crate::definition::spec::ResourceSpec;
use crate::record::Record;
use crate::value::Value;

/// A struct that declares a resource; derive it.
///
/// The struct's fields are the declared fields, in the order of JSON answers. The stamps are not among them.
///
/// ```
/// use rowstamp_domain::definition::ApiDefinition;
/// use rowstamp_domain::definition::spec::ApiSpec;
/// use rowstamp_domain::resource::{Resource, ResourceEnum};
/// use rowstamp_domain::value::Decimal;
/// use uuid::Uuid;
///
/// /// Somebody who writes
/// #[derive(Resource)]
/// #[resource(path = "authors", access(read = "anyone"))]
/// struct Author {
///     #[field(min_length = 1, max_length = 200)]
///     name: String, // not an Option: required
/// }
///
/// #[derive(ResourceEnum)]
/// enum Status {
///     Draft,
///     Published,
/// }
///
/// /// A book on the shelves
/// #[derive(Resource)]
/// #[resource(path = "books", page(max = 500), access(read = "anyone", delete = ["owner", "group:librarians"]))]
/// struct Book {
///     title: String,
///     #[field(precision = 10, scale = 2, min = 0, default = 0)]
///     price: Decimal,
///     #[field(default = "draft")]
///     status: Status,
///     #[field(references = Author, on_delete = "set_null")]
///     author_uid: Option<Uuid>,
/// }
///
/// let api = ApiDefinition::build(ApiSpec {
///     title: "Library".to_owned(),
///     version: "1.0.0".to_owned(),
///     resources: vec![Author::spec(), Book::spec()],
///     ..ApiSpec::default()
/// })
/// .expect("the definitions are right");
///
/// let books = api.resource(Book::NAME).expect("it was declared");
/// let book = Book { title: "Emma".to_owned(), price: 12.into(), status: Status::Published, author_uid: None };
/// let mut record = book.into_record(books)?;
/// let mut book = Book::from_record(&record)?;
/// book.title.push('!');
/// book.write_to(&mut record)?;
/// # Ok::<(), rowstamp_domain::resource::RecordError>(())
/// ```
pub trait Resource: Sized {
    /// Its name, such as `books`.
    const NAME: &'static str;
    /// The JSON names of the struct's fields, in order.
    const FIELDS: &'static [&'static str];

    /// What was declared, as yet unchecked.
    fn spec() -> ResourceSpec;

    /// Reads a row. A field that the record does not give is `None` where it is an `Option`.
    ///
    /// # Errors
    /// The first field that the struct cannot hold: a column may be absent, NULL in rows older than the definition,
    /// `infinity` in a [`chrono::NaiveDate`], an array of two dimensions.
    fn from_record(record: &Record) -> Result<Self, RecordError>;

    /// Writes every field into a record. A `None` leaves a field absent that the record does not give, so that what
    /// [`from_record`](Self::from_record) read from a partial change can be written back.
    ///
    /// # Errors
    /// The first field that the record's resource does not have, or that PostgreSQL could not hold.
    fn write_to(self, record: &mut Record) -> Result<(), RecordError>;

    /// Makes a record that gives every field; `None` is NULL.
    ///
    /// # Errors
    /// As [`write_to`](Self::write_to).
    fn into_record(self, definition: &Arc<ResourceDefinition>) -> Result<Record, RecordError> {
        let mut record = Record::new(Arc::clone(definition));
        for name in Self::FIELDS {
            if let Some(id) = definition.field_id(name) {
                record.put(id, Value::Null);
            }
        }
        self.write_to(&mut record)?;
        Ok(record)
    }
}

/// Reads one field of a struct; the derive macro calls it.
#[doc(hidden)]
pub fn read_field<T: FieldValue>(record: &Record, name: &str) -> Result<T, RecordError> {
    let read = || {
        let definition = record.definition();
        let id = definition.field_id(name).ok_or(FieldError::NoSuchField)?;
        match record.value(id) {
            Some(value) => T::from_field(value),
            None if T::REQUIRED => Err(FieldError::Absent),
            None => T::from_field(&Value::Null),
        }
    };
    read().map_err(|reason| RecordError::new(record, name, reason))
}

/// Writes one field of a struct; the derive macro calls it.
#[doc(hidden)]
pub fn write_field<T: FieldValue>(record: &mut Record, name: &str, value: T) -> Result<(), RecordError> {
    let id = record.definition().field_id(name).ok_or(FieldError::NoSuchField);
    match id.and_then(|id| Ok((id, value.into_field()?))) {
        Ok((id, Value::Null)) if record.value(id).is_none() => Ok(()),
        Ok((id, value)) => {
            record.put(id, value);
            Ok(())
        }
        Err(reason) => Err(RecordError::new(record, name, reason)),
    }
}

/// The text of an enum's value; the derive macro calls it.
#[doc(hidden)]
pub fn enum_text(value: &Value) -> Result<&str, FieldError> {
    match value {
        Value::Text(text) => Ok(text),
        other => Err(FieldError::wrong_type(crate::field_type::ScalarType::Enum, other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_derive_works_inside_this_crate_too() {
        #[derive(Resource)]
        #[resource(path = "shelves")]
        struct Shelf {
            place: Option<String>,
        }
        assert_eq!(Shelf::FIELDS, ["place"]);
        assert_eq!(Shelf { place: None }.place.into_field(), Ok(Value::Null));
    }
}
