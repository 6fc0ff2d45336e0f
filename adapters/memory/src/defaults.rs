//! What stands in for a column's own DEFAULT, since there is no database here.

use std::collections::HashMap;
use std::fmt;

use rowstamp_domain::definition::{Default as FieldDefault, Field, ResourceDefinition};
use rowstamp_domain::value::Value;

/// Makes a value, as a column's DEFAULT does.
pub(crate) type MakeValue = Box<dyn Fn() -> Value + Send + Sync>;

/// Functions by the names of resource and field.
#[derive(Default)]
pub(crate) struct Defaults(HashMap<(String, String), MakeValue>);

impl Defaults {
    pub(crate) fn set(&mut self, resource: &str, field: &str, make: MakeValue) {
        self.0.insert((resource.to_owned(), field.to_owned()), make);
    }

    /// The value of a column that an INSERT does not name.
    pub(crate) fn value(&self, resource: &ResourceDefinition, field: &Field) -> Value {
        match field.default {
            FieldDefault::Database => self
                .0
                .get(&(resource.name.clone(), field.name.clone()))
                .map_or(Value::Null, |make| make()),
            // The definition's defaults were filled in before; the column itself has none.
            FieldDefault::None | FieldDefault::Value(_) => Value::Null,
        }
    }
}

impl fmt::Debug for Defaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
