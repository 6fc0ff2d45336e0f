//! From the keys that lead to a mistake to its place in the text.
//!
//! It knows positions only, not what the keys mean.

use std::ops::Range;

use toml_edit::{Document, Item, Value};

/// The offset of the most specific part of `path` that is in the document.
pub(super) fn locate(document: &Document<&str>, path: &[String]) -> usize {
    let mut node = Node::Item(document.as_item());
    let mut offset = 0;
    for key in path {
        let Some((span, inner)) = node.step(key) else {
            break;
        };
        node = inner;
        offset = span.map_or(offset, |span| span.start);
    }
    offset
}

#[derive(Clone, Copy)]
enum Node<'a> {
    Item(&'a Item),
    /// An element of an array.
    Element(&'a Value),
}

impl Node<'_> {
    /// What stands under `key` (a position, in an array), and where the key or the element is written.
    fn step(self, key: &str) -> Option<(Option<Range<usize>>, Self)> {
        let array = match self {
            Self::Item(item) => item.as_array(),
            Self::Element(value) => value.as_array(),
        };
        if let Some(array) = array {
            let element = array.get(key.parse().ok()?)?;
            return Some((element.span(), Self::Element(element)));
        }
        let (name, item) = match self {
            Self::Item(item) => item.as_table_like()?.get_key_value(key)?,
            Self::Element(value) => value.as_inline_table()?.get_key_value(key)?,
        };
        Some((name.span().or_else(|| item.span()), Self::Item(item)))
    }
}

/// Where the lines of a text begin.
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let breaks = text.match_indices('\n').map(|(offset, _)| offset + 1);
        Self {
            text,
            starts: std::iter::once(0).chain(breaks).collect(),
        }
    }

    /// Line and column in characters, both from 1, of a byte offset.
    pub(super) fn position(&self, offset: usize) -> (usize, usize) {
        let offset = self.text.floor_char_boundary(offset);
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts[line - 1];
        (line, self.text[start..offset].chars().count() + 1)
    }
}
