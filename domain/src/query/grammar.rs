//! The text of conditions, orders and column lists, read and printed.
