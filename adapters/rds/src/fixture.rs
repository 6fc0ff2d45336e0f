//! What the tests of this crate share: a login that is right, and a clock that is set by hand.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_types::sdk_config::TimeSource;
use rowstamp_ports::{Problems, Vars};

use crate::IamLogin;

/// A clock that is set by hand.
#[derive(Debug, Clone)]
pub(crate) struct Hands(pub(crate) Arc<AtomicU64>);

impl TimeSource for Hands {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.0.load(Ordering::Relaxed))
    }
}

/// 2026-11-22T17:23:45Z
pub(crate) const NOW: u64 = 1_795_368_225;

impl Hands {
    pub(crate) fn at(seconds: u64) -> Self {
        Self(Arc::new(AtomicU64::new(seconds)))
    }
}

pub(crate) fn vars(pairs: &[(&str, &str)]) -> Vars {
    Vars::new(
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    )
}

pub(crate) const KEYS: [(&str, &str); 2] = [
    ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
    (
        "AWS_SECRET_ACCESS_KEY",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    ),
];

pub(crate) fn login(host: &str, user: &str, more: &[(&str, &str)]) -> IamLogin {
    let mut problems = Problems::new();
    let vars = vars(&[&KEYS[..], more].concat());
    let login = IamLogin::read(host, 5432, user, &vars, &mut problems);
    assert_eq!(problems.to_string(), "");
    login.unwrap()
}
