//! What moves the bytes of one connection.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::line::Line;

/// Drives a connection, and sends what several ask for together.
///
/// The runtime runs a task that was just woken before those that were ready earlier. So a connection would send each statement by itself, and
/// wake the server for each, while others that are about to ask wait for their turn. Where several stand in its line, the driver
/// lets them have it first.
#[derive(Debug)]
pub(super) struct Driver<C> {
    connection: C,
    line: Arc<Line>,
    /// Whether it has let the others go first.
    has_waited: bool,
}

impl<C> Driver<C> {
    pub(super) const fn new(connection: C, line: Arc<Line>) -> Self {
        Self {
            connection,
            line,
            has_waited: false,
        }
    }
}

impl<C: Future + Unpin> Future for Driver<C> {
    type Output = C::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<C::Output> {
        let waits = !self.has_waited && self.line.users() > 1;
        self.has_waited = waits;
        if waits {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Pin::new(&mut self.connection).poll(context)
    }
}
