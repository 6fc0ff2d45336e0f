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
                self.next_id.fetch_add(2, Ordering::Relaxed),
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

#[cfg(test)]
mod tests {
    use rowstamp_domain::definition::toml;
    use rowstamp_domain::operation::{Read, Representation};
    use rowstamp_domain::query::{Condition, IsTest, Operand, Predicate, Select, Test};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn shapes_that_callers_make_up_do_not_pile_up() {
        let text = "[api]\ntitle = \"T\"\nversion = \"1.0.0\"\n[resources.a.fields]\nb = { type = \"text\" }";
        let api = toml::parse("a.toml", text).expect("the definition is right");
        let resource = Arc::clone(&api.resources[0]);
        let uid = resource.audit.uid;
        let test = || {
            let predicate = Predicate::Is(IsTest::NotNull);
            Condition::Test(Test {
                operand: Operand::Field(uid),
                predicate,
            })
        };
        let read = |length: usize| {
            Operation::Read(Read {
                resource: Arc::clone(&resource),
                uid: Uuid::nil(),
                visible: Condition::All(
                    (0..length % 50)
                        .map(|_| Condition::Any(vec![test(); length / 50]))
                        .collect(),
                ),
                select: Select([].into()),
                representation: Representation::Nothing,
            })
        };
        let plans = Plans::default();
        let first = plans.find(&read(0));
        for length in 0..3 * MAX_PLANS {
            plans.find(&read(length));
            // What is in use is kept.
            assert!(Arc::ptr_eq(&plans.find(&read(0)), &first));
        }
        assert!(plans.by_shape.read().expect("no test panics with the lock").len() <= MAX_PLANS);
    }
}
