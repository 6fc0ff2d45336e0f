//! The bytes of an answer in the making, with room ahead of them.
//!
//! It knows no format. What makes it quick is that everything ahead of its end may be written over: a value goes there in blocks whose size
//! the compiler knows, which become a few wide moves, and the end is moved by what the value really takes.

/// Bytes, and room ahead of them.
#[derive(Debug, Default)]
pub struct Buffer {
    /// Longer than what was written: the rest is room.
    bytes: Vec<u8>,
    end: usize,
}

/// A text that is written often, and copied as a block where it is short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// As many bytes of a block.
    Block([u8; Word::BLOCK], usize),
    /// One that no block holds.
    Long(Box<[u8]>),
}

impl Word {
    const BLOCK: usize = 32;

    /// The text as a word.
    pub fn new(text: &[u8]) -> Self {
        let mut block = [0; Self::BLOCK];
        match block.get_mut(..text.len()) {
            Some(start) => {
                start.copy_from_slice(text);
                Self(Kind::Block(block, text.len()))
            }
            None => Self(Kind::Long(text.into())),
        }
    }

    /// How many bytes it has.
    #[expect(clippy::len_without_is_empty, reason = "nobody asks")]
    pub const fn len(&self) -> usize {
        match &self.0 {
            Kind::Block(_, length) => *length,
            Kind::Long(text) => text.len(),
        }
    }
}

impl Buffer {
    /// The least that it grows by.
    const STEP: usize = 256;

    /// Nothing yet.
    pub const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            end: 0,
        }
    }

    /// How many bytes were written.
    #[expect(clippy::len_without_is_empty, reason = "nobody asks")]
    pub const fn len(&self) -> usize {
        self.end
    }

    /// What was written.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.end]
    }

    /// What was written, by itself.
    pub fn into_vec(mut self) -> Vec<u8> {
        self.bytes.truncate(self.end);
        self.bytes
    }

    /// Forgets what was written behind this length.
    pub fn truncate(&mut self, length: usize) {
        self.end = self.end.min(length);
    }

    /// Makes room for this many bytes at least.
    #[inline]
    pub fn reserve(&mut self, count: usize) {
        if self.bytes.len() - self.end < count {
            self.grow(count);
        }
    }

    #[cold]
    fn grow(&mut self, count: usize) {
        let wanted = (self.end + count).max(self.bytes.len() * 2).max(Self::STEP);
        self.bytes.resize(wanted, 0);
    }

    /// The next bytes, at least this many; what is written there counts once [`advance`](Self::advance) says so.
    #[inline]
    pub fn ahead(&mut self, count: usize) -> &mut [u8] {
        self.reserve(count);
        &mut self.bytes[self.end..]
    }

    /// The next `N` bytes, as [`ahead`](Self::ahead).
    #[inline]
    pub fn block<const N: usize>(&mut self) -> &mut [u8; N] {
        self.ahead(N).first_chunk_mut().expect("so many are ahead")
    }

    /// Counts the next bytes, which were written.
    #[inline]
    pub fn advance(&mut self, count: usize) {
        self.end += count;
        debug_assert!(
            self.end <= self.bytes.len(),
            "more counted than there is room for"
        );
    }

    /// Appends a byte.
    #[inline]
    pub fn push(&mut self, byte: u8) {
        self.ahead(1)[0] = byte;
        self.end += 1;
    }

    /// Appends bytes.
    #[inline]
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.ahead(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        self.end += bytes.len();
    }

    /// Appends a text whose length the compiler knows.
    #[inline]
    pub fn extend_from_array<const N: usize>(&mut self, bytes: &[u8; N]) {
        *self.block() = *bytes;
        self.end += N;
    }

    /// Appends a word.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "copying a block takes fewer instructions than a call"
    )]
    pub fn extend_from_word(&mut self, word: &Word) {
        match &word.0 {
            Kind::Block(block, length) => {
                *self.block() = *block;
                self.end += length;
            }
            Kind::Long(text) => self.extend_from_slice(text),
        }
    }
}

impl From<&[u8]> for Buffer {
    fn from(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.to_vec(),
            end: bytes.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_in_blocks_counts_as_far_as_it_was_counted() {
        let mut buffer = Buffer::new();
        buffer.push(b'[');
        for text in [
            "",
            "short",
            "exactly thirty-two bytes of text",
            "more than thirty-two bytes of text",
        ] {
            buffer.extend_from_word(&Word::new(text.as_bytes()));
            buffer.extend_from_array(b"--");
        }
        *buffer.block() = *b"12345678";
        buffer.advance(3);
        buffer.extend_from_slice(b"]");
        let expected = "[--short--exactly thirty-two bytes of text--more than thirty-two bytes of text--123]";
        assert_eq!(buffer.len(), expected.len());
        assert_eq!(String::from_utf8_lossy(buffer.as_slice()), expected);
        assert_eq!(buffer.into_vec(), expected.as_bytes());
    }

    #[test]
    fn it_grows_and_shrinks_without_losing_anything() {
        let mut buffer = Buffer::from(&b"start"[..]);
        let long = vec![b'x'; 10 * Buffer::STEP];
        buffer.extend_from_slice(&long);
        assert_eq!(buffer.len(), 5 + long.len());
        buffer.truncate(6);
        buffer.truncate(100);
        buffer.push(b'y');
        assert_eq!(buffer.as_slice(), b"startxy");
        assert_eq!(Buffer::new().into_vec(), b"");
    }
}
