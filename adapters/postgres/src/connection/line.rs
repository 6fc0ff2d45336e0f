//! The line of those who wait for an answer on one connection. Answers come in its order.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long nobody in a line may have an answer before those who can keep away from it.
const STUCK: Duration = Duration::from_secs(1);

/// How long a line may have stood before one that moves is better, however many stand there.
const SLOW: Duration = Duration::from_millis(10);

/// How long whoever joins others in a line may have to wait for its turn.
const QUICK: Duration = Duration::from_millis(1);

/// Who stands in the line, and how it moves.
#[derive(Debug)]
pub(super) struct Line {
    /// How often somebody began to stand here, and how often somebody ceased to.
    joined: AtomicU64,
    left: AtomicU64,
    /// The place behind the last one that had its answer: whoever stands there or before it has nobody before it.
    front: AtomicU64,
    began: Instant,
    /// The nanoseconds since `began` after which it last moved: somebody had an answer, or was the first to stand here.
    moved: AtomicU64,
    /// In how many nanoseconds it has moved by one place lately.
    pace: AtomicU64,
}

impl Line {
    pub(super) fn new() -> Self {
        Self {
            joined: AtomicU64::new(0),
            left: AtomicU64::new(0),
            front: AtomicU64::new(0),
            began: Instant::now(),
            moved: AtomicU64::new(0),
            pace: AtomicU64::new(nanoseconds(QUICK)),
        }
    }

    /// How many stand here at the moment.
    pub(super) fn users(&self) -> u64 {
        let left = self.left.load(Ordering::SeqCst);
        self.joined.load(Ordering::SeqCst) - left
    }

    /// Puts one more at the end, and tells its place.
    pub(super) fn join(&self, now: Instant) -> u64 {
        let place = self.joined.fetch_add(1, Ordering::SeqCst);
        if !self.stands_behind(place) {
            self.moves(now);
        }
        place
    }

    /// Notes that whoever stands at this place had an answer, and so everybody before it had one.
    pub(super) fn answered(&self, place: u64, now: Instant) {
        let took = self.moves(now);
        // Two who are answered at once may overwrite each other here; it is a mean.
        let pace = self.pace.load(Ordering::Relaxed);
        self.pace.store(pace - pace / 8 + took / 8, Ordering::Relaxed);
        self.front.fetch_max(place + 1, Ordering::SeqCst);
    }

    /// Notes that it moves, and tells how many nanoseconds it stood.
    pub(super) fn moves(&self, now: Instant) -> u64 {
        let now = self.age(now);
        now.saturating_sub(self.moved.fetch_max(now, Ordering::SeqCst))
    }

    /// Takes one out, answered or not. `true` says that it was the last.
    pub(super) fn leave(&self) -> bool {
        let left = self.left.fetch_add(1, Ordering::SeqCst) + 1;
        self.joined.load(Ordering::SeqCst) == left
    }

    /// Whether somebody before this place may have no answer yet.
    pub(super) fn stands_behind(&self, place: u64) -> bool {
        self.front.load(Ordering::SeqCst) < place
    }

    /// Whether somebody stands here, even a statement whose asker is gone, and nobody has had an answer for long.
    pub(super) fn is_stuck(&self, now: Instant) -> bool {
        self.has_stood_for(STUCK, now)
    }

    /// The same, for what is a long time only where there is another line.
    pub(super) fn is_slow(&self, now: Instant) -> bool {
        self.has_stood_for(SLOW, now)
    }

    fn has_stood_for(&self, long: Duration, now: Instant) -> bool {
        self.stands_behind(self.joined.load(Ordering::SeqCst)) && now >= self.last_moved() + long
    }

    /// When it counts as stuck, unless it moves before.
    pub(super) fn stuck_at(&self) -> Instant {
        self.last_moved() + STUCK
    }

    fn last_moved(&self) -> Instant {
        self.began + Duration::from_nanos(self.moved.load(Ordering::SeqCst))
    }

    /// Whether fewer than `most` stand here, and whoever joins them will soon have an answer, by how the line has moved.
    pub(super) fn takes_more(&self, now: Instant, most: u64) -> bool {
        let joined = self.joined.load(Ordering::SeqCst);
        let ahead = joined.saturating_sub(self.front.load(Ordering::SeqCst));
        if ahead == 0 {
            return true;
        }
        let expected = ahead.saturating_mul(self.pace.load(Ordering::Relaxed));
        let since = self.age(now).saturating_sub(self.moved.load(Ordering::SeqCst));
        ahead < most && expected.max(since) < nanoseconds(QUICK)
    }

    /// The nanoseconds since it began.
    fn age(&self, now: Instant) -> u64 {
        nanoseconds(now.saturating_duration_since(self.began))
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MICROSECOND: Duration = Duration::from_micros(1);

    /// A line in which so many have been answered, one after the other, each after so long.
    fn moving(count: u64, each: Duration) -> (Line, Instant) {
        let line = Line::new();
        let mut now = line.began;
        for _ in 0..count {
            let place = line.join(now);
            now += each;
            line.answered(place, now);
            line.leave();
        }
        (line, now)
    }

    /// Whether a line of so many, which has moved by one in so long, takes more of up to 16.
    fn takes_more(standing: u64, each: Duration) -> bool {
        let (line, now) = moving(100, each);
        for _ in 0..standing {
            line.join(now);
        }
        line.takes_more(now, 16)
    }

    #[test]
    fn those_who_are_soon_answered_are_joined_up_to_a_number() {
        let quick = 20 * MICROSECOND;
        let joined: Vec<u64> = (0..20).filter(|standing| takes_more(*standing, quick)).collect();
        assert_eq!(joined, (0..16).collect::<Vec<_>>());
    }

    #[test]
    fn nobody_joins_those_who_wait_for_long() {
        assert!(takes_more(2, 400 * MICROSECOND), "0.8 ms");
        assert!(!takes_more(3, 400 * MICROSECOND), "1.2 ms");
        assert!(!takes_more(2, 20_000 * MICROSECOND));
    }

    #[test]
    fn nobody_joins_a_line_of_which_nothing_is_known_yet() {
        let line = Line::new();
        assert!(line.takes_more(line.began, 16), "but an empty one");
        line.join(line.began);
        assert!(!line.takes_more(line.began, 16));
    }

    #[test]
    fn nobody_joins_a_line_that_has_stopped() {
        let (line, now) = moving(100, 20 * MICROSECOND);
        let first = line.join(now);
        line.join(now);
        line.join(now);
        assert!(line.takes_more(now + 900 * MICROSECOND, 16));
        assert!(!line.takes_more(now + 1_000 * MICROSECOND, 16));
        line.answered(first, now + 1_000 * MICROSECOND);
        assert!(line.takes_more(now + 1_000 * MICROSECOND, 16), "it has moved");
    }

    #[test]
    fn a_line_is_slow_and_then_stuck_after_it_moved_and_never_while_nobody_stands_there() {
        let (line, now) = moving(3, 20 * MICROSECOND);
        assert!(!line.is_stuck(now + 2 * STUCK) && !line.is_slow(now + 2 * STUCK));
        let (first, second) = (line.join(now), line.join(now));
        assert!(!line.is_slow(now + 9_999 * MICROSECOND));
        assert!(line.is_slow(now + SLOW));
        assert!(line.stands_behind(second) && !line.stands_behind(first));
        assert!(!line.is_stuck(now + 999_999 * MICROSECOND));
        assert!(line.is_stuck(now + STUCK));
        line.answered(first, now + STUCK);
        assert!(
            !line.is_stuck(now + STUCK) && !line.is_slow(now + STUCK),
            "it has moved"
        );
        assert!(!line.stands_behind(second));
        // Whoever goes away unanswered leaves the statement in the line.
        assert!(!line.leave());
        assert!(line.leave());
        assert!(line.is_stuck(now + 3 * STUCK));
    }
}
