//! Reads a body up to its limit.
//!
//! It does not look at the content.

use std::pin::pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::EXPECT;
use http_body_util::BodyExt;
use hyper::body::Body;
use rowstamp_ports::exchange::RequestErrorKind;
use tokio::time::Instant;

/// How much of a body that is too large is read and thrown away, so that the client reads the refusal instead of
/// finding its connection reset.
const DISCARD_LIMIT_BYTES: usize = 64 * 1024 * 1024;
const DISCARD_LIMIT: Duration = Duration::from_secs(5);

/// What a body may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) bytes: usize,
    /// How long its sender may be silent.
    pub(crate) silence: Duration,
    /// How long it may take in all.
    pub(crate) whole: Duration,
}

/// When a client sends its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sending {
    /// Right after the head.
    Unasked,
    /// Once it was told to: the first look at the body sends `100 Continue` (RFC 9110, 10.1.1).
    WhenToldTo,
}

impl Sending {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        match headers.get(EXPECT) {
            Some(value) if value.as_bytes().eq_ignore_ascii_case(b"100-continue") => Self::WhenToldTo,
            _ => Self::Unasked,
        }
    }
}

/// The whole body, without a copy where it came in one piece.
pub(crate) async fn read<B>(
    body: B,
    sending: impl FnOnce() -> Sending,
    limits: Limits,
) -> Result<Bytes, RequestErrorKind>
where
    B: Body<Data = Bytes>,
{
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let announced = body.size_hint().exact();
    let mut body = pin!(body);
    let limit_bytes = limits.bytes;
    let too_large = RequestErrorKind::BodyTooLarge { limit_bytes };
    if announced.is_some_and(|bytes| bytes > limit_bytes as u64) {
        // Who waits for a word has sent nothing that would have to be read first.
        if sending() == Sending::Unasked {
            discard(body).await;
        }
        return Err(too_large);
    }
    let end = Instant::now() + limits.whole;

    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    loop {
        let latest = end.min(Instant::now() + limits.silence);
        let frame = tokio::time::timeout_at(latest, body.frame()).await;
        let data = match frame.map_err(|_| RequestErrorKind::BodyIncomplete)? {
            None => break,
            Some(Err(_)) => return Err(RequestErrorKind::BodyIncomplete),
            // Trailers mean nothing to us.
            Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
        };
        let so_far = first.len() + whole.len();
        if so_far + data.len() > limit_bytes {
            discard(body).await;
            return Err(too_large);
        }
        if so_far == 0 {
            first = data;
            continue;
        }
        if whole.is_empty() {
            // What a client announces is only believed up to a point: memory follows the bytes that come.
            let announced = announced
                .and_then(|bytes| usize::try_from(bytes).ok())
                .unwrap_or(0);
            whole.reserve(announced.min(so_far.saturating_mul(16)).max(so_far + data.len()));
            whole.extend_from_slice(&std::mem::take(&mut first));
        }
        whole.extend_from_slice(&data);
    }
    Ok(if whole.is_empty() { first } else { whole.freeze() })
}

async fn discard<B: Body<Data = Bytes>>(mut body: std::pin::Pin<&mut B>) {
    let reading = async {
        let mut read = 0;
        while read < DISCARD_LIMIT_BYTES {
            match body.frame().await {
                Some(Ok(frame)) => read += frame.data_ref().map_or(0, Bytes::len),
                _ => return,
            }
        }
    };
    let _ = tokio::time::timeout(DISCARD_LIMIT, reading).await;
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use hyper::body::{Frame, SizeHint};

    use super::*;

    const LIMITS: Limits = Limits {
        bytes: 8,
        silence: Duration::from_secs(1),
        whole: Duration::from_secs(10),
    };

    /// Chunks, and after them the end or silence.
    struct Chunks {
        left: VecDeque<Bytes>,
        announced: Option<u64>,
        falls_silent: bool,
    }

    /// A byte every 900 milliseconds, without end.
    struct Trickle(Pin<Box<tokio::time::Sleep>>);

    impl Trickle {
        const PAUSE: Duration = Duration::from_millis(900);
    }

    impl Body for Trickle {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            std::task::ready!(self.0.as_mut().poll(context));
            self.0.as_mut().reset(Instant::now() + Self::PAUSE);
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"x")))))
        }
    }

    /// A body that nobody may look at.
    struct Untouched;

    impl Body for Untouched {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            panic!("it was looked at")
        }

        fn size_hint(&self) -> SizeHint {
            SizeHint::with_exact(9)
        }
    }

    impl Body for Chunks {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            match self.left.pop_front() {
                Some(chunk) => Poll::Ready(Some(Ok(Frame::data(chunk)))),
                None if self.falls_silent => Poll::Pending,
                None => Poll::Ready(None),
            }
        }

        fn size_hint(&self) -> SizeHint {
            self.announced
                .map_or_else(SizeHint::default, SizeHint::with_exact)
        }
    }

    async fn read_chunks(chunks: &[&'static str], announced: Option<u64>) -> Result<Bytes, RequestErrorKind> {
        let left = chunks
            .iter()
            .map(|chunk| Bytes::from_static(chunk.as_bytes()))
            .collect();
        read(
            Chunks {
                left,
                announced,
                falls_silent: false,
            },
            || Sending::Unasked,
            LIMITS,
        )
        .await
    }

    #[tokio::test]
    async fn a_client_that_waits_with_a_body_over_the_limit_is_not_told_to_send_it() {
        assert_eq!(
            read(Untouched, || Sending::WhenToldTo, LIMITS).await,
            Err(RequestErrorKind::BodyTooLarge { limit_bytes: 8 })
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_trickles_in_is_given_up() {
        let body = Trickle(Box::pin(tokio::time::sleep(Trickle::PAUSE)));
        let limits = Limits {
            bytes: 1000,
            ..LIMITS
        };
        let begin = Instant::now();
        assert_eq!(
            read(body, || Sending::Unasked, limits).await,
            Err(RequestErrorKind::BodyIncomplete)
        );
        assert_eq!(begin.elapsed().as_secs(), 10);
    }

    #[tokio::test]
    async fn chunks_become_one_body_up_to_the_limit() {
        let too_large = || Err(RequestErrorKind::BodyTooLarge { limit_bytes: 8 });
        for (chunks, announced, expected) in [
            (&[][..], Some(0), Ok("")),
            (&["abc"], Some(3), Ok("abc")),
            (&["abc", "de", "fgh"], None, Ok("abcdefgh")),
            (&["abc", "de"], Some(5), Ok("abcde")),
            (&["abc", "de", "fghi"], None, too_large()),
            (&["x"], Some(9), too_large()),
            (&["x"], Some(u64::MAX), too_large()),
        ] {
            assert_eq!(
                read_chunks(chunks, announced).await,
                expected.map(Bytes::from),
                "{chunks:?}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_falls_silent_is_given_up() {
        let left = [Bytes::from_static(b"abc")].into();
        let body = Chunks {
            left,
            announced: Some(5),
            falls_silent: true,
        };
        assert_eq!(
            read(body, || Sending::Unasked, LIMITS).await,
            Err(RequestErrorKind::BodyIncomplete)
        );
    }

    #[tokio::test]
    async fn one_piece_is_not_copied() {
        let piece = Bytes::from(vec![7; 8]);
        let body = Chunks {
            left: [piece.clone()].into(),
            announced: Some(8),
            falls_silent: false,
        };
        assert_eq!(
            read(body, || Sending::Unasked, LIMITS)
                .await
                .map(|bytes| bytes.as_ptr()),
            Ok(piece.as_ptr())
        );
    }
}
