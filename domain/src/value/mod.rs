//! Placeholder until the real module lands (helper `values` replaces this whole file).
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timestamp(i64);
impl Timestamp {
    /// x
    pub fn from_micros_since_2000(m: i64) -> Self {
        Self(m)
    }
}
