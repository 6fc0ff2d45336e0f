//! The plans that were built, found by shape.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use foldhash::fast::RandomState;
use rowstamp_domain::operation::Operation;

use super::{Plan, shape};

/// Plans kept; beyond it the longest unused ones are forgotten, since shapes come from callers.
const MAX_PLANS: usize = 2_000;

thread_local! {
    /// The shape that is being looked up; a buffer of this thread's, so that none is made.
    static KEY: RefCell<Vec<u8>> = RefCell::new(Vec::with_capacity(256));
}

/// Every plan of a store.
#[derive(Debug, Default)]
pub(crate) struct Plans {
    by_shape: RwLock<HashMap<Box<[u8]>, Entry, RandomState>>,
    next_id: AtomicU64,
    clock: AtomicU64,
}

#[derive(Debug)]
struct Entry {
    plan: Arc<Plan>,
    last_used: AtomicU64,
}

impl Plans {
    /// The plan for an operation, built now where there is none of its shape.
    pub(crate) fn find(&self, operation: &Operation) -> Arc<Plan> {
        KEY.with_borrow_mut(|key| {
            shape::write(operation, key);
            let now = self.clock.fetch_add(1, Ordering::Relaxed);
            if let Some(entry) = self
                .by_shape
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .get(&**key)
            {
                entry.last_used.store(now, Ordering::Relaxed);
                return Arc::clone(&entry.plan);
            }
            let plan = Arc::new(Plan::build(
                self.next_id.fetch_add(1, Ordering::Relaxed),
                operation,
            ));
            self.keep(key, Arc::clone(&plan), now);
            plan
        })
    }

    fn keep(&self, key: &[u8], plan: Arc<Plan>, now: u64) {
        let mut plans = self.by_shape.write().unwrap_or_else(PoisonError::into_inner);
        if plans.len() >= MAX_PLANS {
            let mut ages: Vec<u64> = plans
                .values()
                .map(|entry| entry.last_used.load(Ordering::Relaxed))
                .collect();
            let (_, limit, _) = ages.select_nth_unstable(MAX_PLANS / 4);
            let limit = *limit;
            plans.retain(|_, entry| entry.last_used.load(Ordering::Relaxed) > limit);
        }
        plans.insert(
            key.into(),
            Entry {
                plan,
                last_used: AtomicU64::new(now),
            },
        );
    }
}
