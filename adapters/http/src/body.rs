//! Reads a body up to its limit.
//!
//! It does not look at the content.

use std::pin::pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Body;
use rowstamp_ports::exchange::RequestErrorKind;

/// How much of a body that is too large is read and thrown away, so that the client reads the refusal instead of
/// finding its connection reset.
const DISCARD_LIMIT_BYTES: usize = 64 * 1024 * 1024;
const DISCARD_LIMIT: Duration = Duration::from_secs(5);

/// The whole body, without a copy where it came in one piece.
pub(crate) async fn read<B>(
    body: B,
    limit_bytes: usize,
    silence_limit: Duration,
) -> Result<Bytes, RequestErrorKind>
where
    B: Body<Data = Bytes>,
{
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let announced = body.size_hint().exact();
    let mut body = pin!(body);
    let too_large = RequestErrorKind::BodyTooLarge { limit_bytes };
    if announced.is_some_and(|bytes| bytes > limit_bytes as u64) {
        discard(body).await;
        return Err(too_large);
    }

    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    loop {
        let frame = tokio::time::timeout(silence_limit, body.frame()).await;
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

    /// Chunks, and after them the end or silence.
    struct Chunks {
        left: VecDeque<Bytes>,
        announced: Option<u64>,
        falls_silent: bool,
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
            8,
            Duration::from_secs(1),
        )
        .await
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
            read(body, 8, Duration::from_secs(1)).await,
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
            read(body, 8, Duration::from_secs(1))
                .await
                .map(|bytes| bytes.as_ptr()),
            Ok(piece.as_ptr())
        );
    }
}
