//! How long a client may take over its answer: one that takes no bytes, or takes them too slowly, holds a connection and the answer for
//! nothing.
//!
//! As long as the socket takes what is written no clock is looked at.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// A stream whose writes fail when the other side takes them too slowly.
pub(crate) struct Patient<S> {
    stream: S,
    limits: Limits,
    stalled: Option<Stalled>,
}

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Until it takes the next bytes.
    pub(crate) silence: Duration,
    /// Until it has taken the whole answer, from the moment when it first had to be waited for.
    pub(crate) whole: Duration,
}

/// An answer that had to wait for its client.
struct Stalled {
    since: Instant,
    silence: Pin<Box<Sleep>>,
}

impl<S> Patient<S> {
    pub(crate) const fn new(stream: S, limits: Limits) -> Self {
        Self {
            stream,
            limits,
            stalled: None,
        }
    }

    /// What became of a write, or that the client's time is over.
    fn judged(
        &mut self,
        written: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let limits = self.limits;
        if written.is_ready() {
            if let Some(stalled) = &mut self.stalled {
                if stalled.since.elapsed() > limits.whole {
                    return Poll::Ready(Err(too_slow()));
                }
                stalled.silence.as_mut().reset(Instant::now() + limits.silence);
            }
            return written;
        }
        let stalled = self.stalled.get_or_insert_with(|| Stalled {
            since: Instant::now(),
            silence: Box::pin(tokio::time::sleep(limits.silence)),
        });
        ready!(stalled.silence.as_mut().poll(context));
        Poll::Ready(Err(too_slow()))
    }
}

fn too_slow() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the client takes its answer too slowly")
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judged(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.judged(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Called when all of an answer was written.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stalled = None;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}
