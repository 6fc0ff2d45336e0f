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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};
    use std::time::Instant;

    use super::*;

    /// Counts how often somebody is woken.
    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A connection that counts how often it may work.
    struct Connection(Arc<AtomicUsize>);

    impl Future for Connection {
        type Output = ();

        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Poll::Pending
        }
    }

    /// How often the connection has worked after each of four polls, and how often the driver has woken itself.
    fn driven(standing: usize) -> ([usize; 4], usize) {
        let (line, worked, woken) = (Arc::new(Line::new()), Arc::default(), Arc::<Woken>::default());
        for _ in 0..standing {
            line.join(Instant::now());
        }
        let mut driver = Driver::new(Connection(Arc::clone(&worked)), line);
        let waker = Waker::from(Arc::clone(&woken));
        let after = [(); 4].map(|()| {
            let polled = Pin::new(&mut driver).poll(&mut Context::from_waker(&waker));
            assert!(polled.is_pending());
            worked.load(Ordering::Relaxed)
        });
        (after, woken.0.load(Ordering::Relaxed))
    }

    #[test]
    fn whoever_stands_alone_is_served_at_once() {
        for standing in [0, 1] {
            assert_eq!(driven(standing), ([1, 2, 3, 4], 0), "{standing}");
        }
    }

    #[test]
    fn where_several_stand_the_others_come_first_once_each_time() {
        assert_eq!(driven(2), ([0, 1, 1, 2], 2));
    }
}
