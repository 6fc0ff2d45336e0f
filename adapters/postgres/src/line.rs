//! Waiting for an answer on a shared connection, where statements stand in a line.
//!
//! A read that stands behind somebody who gets no answer is read on another connection instead. A write stays: it was sent, and nobody can
//! take that back.

use std::pin::Pin;
use std::time::Instant;

use futures_util::future::{Either, select};

use crate::connection::{Pool, Shared};
use crate::store::within;

/// How waiting ended.
pub(crate) enum Waited<'p, T> {
    Answered(T),
    /// The deadline came first.
    Late,
    /// The line did not move, and here is a place in another.
    Elsewhere(Shared<'p>),
}

impl<T> Waited<'_, T> {
    fn of(answer: Option<T>) -> Self {
        answer.map_or(Self::Late, Self::Answered)
    }
}

/// Waits for `work`, wherever it stands.
pub(crate) async fn stay<'p, T>(
    deadline: Option<Instant>,
    work: Pin<&mut impl Future<Output = T>>,
) -> Waited<'p, T> {
    Waited::of(within(deadline, work).await)
}

/// Waits for `work`, which was sent on `shared`, until its line has not moved for long and there is a place elsewhere.
///
/// As long as somebody stands before it, one timer runs to the sooner of the deadline and the moment at which the line counts as stuck.
pub(crate) async fn stay_while_it_moves<'p, T>(
    pool: &'p Pool,
    shared: &Shared<'p>,
    deadline: Option<Instant>,
    mut work: Pin<&mut impl Future<Output = T>>,
) -> Waited<'p, T> {
    while let Some(stuck_at) = shared.stuck_at() {
        if deadline.is_some_and(|deadline| deadline <= stuck_at) {
            break;
        }
        if let Some(answer) = within(Some(stuck_at), work.as_mut()).await {
            return Waited::Answered(answer);
        }
        let now = Instant::now();
        if shared.stuck_at().is_none_or(|stuck_at| now < stuck_at) {
            continue;
        }
        // Boxed, since it hardly ever happens, and every request would carry its size.
        let elsewhere = Box::pin(pool.past_the_stuck(now));
        match within(deadline, select(work.as_mut(), elsewhere)).await {
            None => return Waited::Late,
            Some(Either::Left((answer, _))) => return Waited::Answered(answer),
            Some(Either::Right((Some(shared), _))) => return Waited::Elsewhere(shared),
            Some(Either::Right((None, _))) => break,
        }
    }
    stay(deadline, work).await
}
