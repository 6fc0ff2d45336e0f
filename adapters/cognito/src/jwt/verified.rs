//! Tokens that were verified a moment ago, so that a caller's next request need not wait for the arithmetic again.
//!
//! It verifies nothing. It holds no token, only a digest, and what it holds is forgotten within a minute, so that a
//! key that is withdrawn, or a token that expires, does not count for longer.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use rowstamp_domain::caller::Caller;
use sha2::{Digest, Sha256};

/// How long a token counts as verified, in seconds.
const FORGOTTEN_AFTER_SECONDS: u64 = 60;
/// How many are remembered; more callers than that within a minute are verified each time.
const REMEMBERED_MAX: usize = 4096;

/// What stands for a token.
pub(super) type TokenDigest = [u8; 32];

/// The callers of tokens that were verified within the last minute.
#[derive(Debug, Default)]
pub(super) struct Verified(Mutex<HashMap<TokenDigest, (Caller, u64)>>);

pub(super) fn digest(token: &str) -> TokenDigest {
    Sha256::digest(token).into()
}

impl Verified {
    /// The caller of a token that counts as verified at `now`.
    pub(super) fn get(&self, token: &TokenDigest, now: u64) -> Option<Caller> {
        let remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        remembered
            .get(token)
            .filter(|(_, verified)| is_fresh(*verified, now))
            .map(|(caller, _)| caller.clone())
    }

    /// Remembers a caller whose token was found good at `now`.
    pub(super) fn remember(&self, token: TokenDigest, caller: &Caller, now: u64) {
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED_MAX {
            remembered.retain(|_, (_, verified)| is_fresh(*verified, now));
        }
        if remembered.len() < REMEMBERED_MAX {
            remembered.insert(token, (caller.clone(), now));
        }
    }
}

/// A clock that goes back makes nothing fresh.
fn is_fresh(verified: u64, now: u64) -> bool {
    now.checked_sub(verified)
        .is_some_and(|age| age < FORGOTTEN_AFTER_SECONDS)
}

#[cfg(test)]
mod tests {
    use rowstamp_domain::caller::Proof;

    use super::*;

    #[test]
    fn a_caller_is_remembered_for_a_minute_and_by_its_own_token_only() {
        let verified = Verified::default();
        let caller = Caller::new("ursula", Proof::Token);
        verified.remember(digest("a"), &caller, 1000);
        for (token, now, expected) in [
            ("a", 1000, true),
            ("a", 1059, true),
            ("a", 1060, false),
            ("a", 999, false),
            ("b", 1000, false),
        ] {
            assert_eq!(
                verified.get(&digest(token), now).is_some(),
                expected,
                "{token} at {now}"
            );
        }
    }

    #[test]
    fn memory_is_bounded_and_the_forgotten_make_room() {
        let verified = Verified::default();
        let caller = Caller::new("ursula", Proof::Token);
        for number in 0..=REMEMBERED_MAX {
            verified.remember(digest(&number.to_string()), &caller, 1000);
        }
        assert!(verified.get(&digest(&REMEMBERED_MAX.to_string()), 1000).is_none());
        verified.remember(digest("later"), &caller, 2000);
        assert!(verified.get(&digest("later"), 2000).is_some());
    }
}
