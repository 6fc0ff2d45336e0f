//! JSON whose members keep their order, so that the document reads like the definitions. Only written, never read.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::value::RawValue;

/// A JSON value.
#[derive(Debug, Clone)]
pub(super) enum Node {
    True,
    False,
    Text(Cow<'static, str>),
    /// A value that is JSON already, with every digit it has.
    Raw(Box<RawValue>),
    List(Vec<Node>),
    Object(Object),
}

/// Members in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Object(Vec<(Cow<'static, str>, Node)>);

impl Object {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    /// The same object with one more member.
    pub(super) fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Node>) -> Self {
        self.put(name, value);
        self
    }

    /// The same object with one more member, where there is something.
    pub(super) fn maybe(self, name: &'static str, value: Option<impl Into<Node>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    pub(super) fn put(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Node>) {
        self.0.push((name.into(), value.into()));
    }
}

/// A value that is JSON already.
pub(super) fn raw(json: String) -> Node {
    // What the domain writes is JSON; were it not, a null would stand here and a test would say so.
    RawValue::from_string(json).map_or_else(|_| Node::Raw(RawValue::NULL.to_owned()), Node::Raw)
}

/// A reference to another part of the document.
pub(super) fn reference(path: impl Into<Cow<'static, str>>) -> Node {
    Object::new().with("$ref", path.into()).into()
}

/// A list of these.
pub(super) fn list<T: Into<Node>>(items: impl IntoIterator<Item = T>) -> Node {
    Node::List(items.into_iter().map(Into::into).collect())
}

impl From<&'static str> for Node {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Node {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<Cow<'static, str>> for Node {
    fn from(text: Cow<'static, str>) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Node {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

impl From<u32> for Node {
    fn from(number: u32) -> Self {
        raw(number.to_string())
    }
}

impl From<Object> for Node {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::True => serializer.serialize_bool(true),
            Self::False => serializer.serialize_bool(false),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Raw(raw) => raw.serialize(serializer),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Self::Object(object) => {
                let mut map = serializer.serialize_map(Some(object.0.len()))?;
                for (name, value) in &object.0 {
                    map.serialize_entry(name.as_ref(), value)?;
                }
                map.end()
            }
        }
    }
}
