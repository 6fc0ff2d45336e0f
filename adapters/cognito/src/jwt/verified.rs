//! Tokens that were verified before, so that a caller's next request need not wait for the arithmetic again.
//!
//! It verifies nothing. It holds no token, only a digest. What it holds counts until the token expires, and only as long as its
//! issuer has the key that it was verified with, which whoever asks has to look up.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rowstamp_domain::caller::Caller;
use sha2::{Digest, Sha256};

use super::rules::counts_until;
use crate::jwks::PublicKey;

/// How many are remembered.
const REMEMBERED_MAX: usize = 4096;
/// How long the remembered tokens may be together, which stands for the memory that their callers take.
const REMEMBERED_MAX_BYTES: usize = 8 * 1024 * 1024;

/// What stands for a token.
pub(super) type TokenDigest = [u8; 32];

/// The key that a token was verified with, and under which name.
#[derive(Debug)]
pub(super) struct SignedBy {
    pub(super) issuer: String,
    pub(super) kid: String,
    pub(super) key: PublicKey,
}

/// The callers of tokens that were verified before.
#[derive(Debug, Default)]
pub(super) struct Verified(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    by_token: HashMap<TokenDigest, Entry>,
    /// Of all tokens together.
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    caller: Arc<Caller>,
    by: Arc<SignedBy>,
    verified: u64,
    until: u64,
    bytes: usize,
}

impl Entry {
    /// A clock that goes back makes nothing valid.
    const fn counts(&self, now: u64) -> bool {
        self.verified <= now && now < self.until
    }
}

pub(super) fn digest(token: &str) -> TokenDigest {
    Sha256::digest(token).into()
}

impl Verified {
    /// The caller of a token that was verified and counts at `now` if the key still does.
    pub(super) fn get(&self, token: &TokenDigest, now: u64) -> Option<(Arc<Caller>, Arc<SignedBy>)> {
        let remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = remembered.by_token.get(token)?;
        entry
            .counts(now)
            .then(|| (Arc::clone(&entry.caller), Arc::clone(&entry.by)))
    }

    /// Remembers a caller whose token of this length was found good at `now`.
    pub(super) fn remember(
        &self,
        token: TokenDigest,
        bytes: usize,
        caller: &Arc<Caller>,
        by: Arc<SignedBy>,
        now: u64,
    ) {
        let Some(until) = counts_until(caller.claim("exp")) else {
            return;
        };
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.is_full(bytes) {
            remembered.retain(|entry| entry.counts(now));
        }
        if remembered.is_full(bytes) {
            // Who is still calling is verified once more, and soon remembered again.
            *remembered = Remembered::default();
        }
        let entry = Entry {
            caller: Arc::clone(caller),
            by,
            verified: now,
            until,
            bytes,
        };
        remembered.bytes += bytes;
        if let Some(before) = remembered.by_token.insert(token, entry) {
            remembered.bytes -= before.bytes;
        }
    }

    /// Forgets a token.
    pub(super) fn forget(&self, token: &TokenDigest) {
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = remembered.by_token.remove(token) {
            remembered.bytes -= entry.bytes;
        }
    }
}

impl Remembered {
    fn is_full(&self, more_bytes: usize) -> bool {
        self.by_token.len() >= REMEMBERED_MAX || self.bytes + more_bytes > REMEMBERED_MAX_BYTES
    }

    fn retain(&mut self, keep: impl Fn(&Entry) -> bool) {
        self.by_token.retain(|_, entry| keep(entry));
        self.bytes = self.by_token.values().map(|entry| entry.bytes).sum();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jsonwebtoken::DecodingKey;
    use rowstamp_domain::caller::Proof;

    use super::*;

    const EXPIRES: u64 = 10_000;

    fn caller() -> Arc<Caller> {
        let claims = BTreeMap::from([("exp".to_owned(), EXPIRES.into())]);
        Caller::new("ursula", Proof::Token).with_claims(claims).into()
    }

    fn by() -> Arc<SignedBy> {
        Arc::new(SignedBy {
            issuer: "i".to_owned(),
            kid: "k".to_owned(),
            key: PublicKey::new(DecodingKey::from_secret(b""), ["n", "e"]),
        })
    }

    #[test]
    fn a_caller_is_remembered_until_its_token_expires_and_by_that_token_only() {
        let verified = Verified::default();
        verified.remember(digest("a"), 1, &caller(), by(), 1000);
        for (token, now, expected) in [
            ("a", 1000, true),
            ("a", EXPIRES + 59, true),
            ("a", EXPIRES + 60, false),
            ("a", 999, false),
            ("b", 1000, false),
        ] {
            assert_eq!(
                verified.get(&digest(token), now).is_some(),
                expected,
                "{token} at {now}"
            );
        }
        verified.forget(&digest("a"));
        assert!(verified.get(&digest("a"), 1000).is_none());
    }

    #[test]
    fn memory_is_bounded_in_number_and_in_bytes() {
        for (bytes, fits) in [(1, REMEMBERED_MAX), (REMEMBERED_MAX_BYTES / 16, 16)] {
            let verified = Verified::default();
            for number in 0..fits {
                verified.remember(digest(&number.to_string()), bytes, &caller(), by(), 1000);
            }
            assert!(verified.get(&digest("0"), 1000).is_some(), "{bytes}");
            verified.remember(digest("one more"), bytes, &caller(), by(), 1000);
            let remembered = verified.0.lock().unwrap_or_else(PoisonError::into_inner);
            assert!(remembered.by_token.len() <= REMEMBERED_MAX);
            assert!(remembered.bytes <= REMEMBERED_MAX_BYTES);
            assert!(remembered.by_token.contains_key(&digest("one more")));
        }
    }
}
