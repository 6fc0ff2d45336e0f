//! How many rows the planner expects, and what that says of a list.

use std::pin::pin;

use futures_util::TryStreamExt as _;
use rowstamp_domain::operation::{Count, Operation};
use tokio_postgres::RowStream;

use crate::encode::Malformed;
use crate::rows::{Ended, RowsError, raw};

/// Reads the one row of `EXPLAIN (FORMAT JSON)`: the rows that its topmost node expects.
pub(crate) async fn read(stream: RowStream) -> Result<u64, RowsError> {
    let mut stream = pin!(stream);
    let mut found = None;
    while let Some(row) = stream.try_next().await? {
        found = raw(&row, 0)?.and_then(plan_rows).or(found);
    }
    found.ok_or(RowsError::Malformed(Malformed("plan")))
}

/// The rows of the topmost node.
fn plan_rows(json: &[u8]) -> Option<u64> {
    let plans: serde_json::Value = serde_json::from_slice(json).ok()?;
    let rows = plans.get(0)?.get("Plan")?.get("Plan Rows")?;
    // A join without end can be expected to have more rows than there are numbers.
    rows.as_u64()
        .or_else(|| rows.is_number().then_some(u64::MAX >> 1))
}

/// Tells the estimate as the total, or as what it is once exact counting has come to its end.
pub(crate) fn tell(mut ended: Ended, estimate: u64, operation: &Operation) -> Ended {
    if let (Ended::Outcome(outcome), Operation::List(list)) = (&mut ended, operation) {
        outcome.total = match list.count {
            Count::Estimated { exact_up_to } => Some(match outcome.total {
                Some(exact) if exact <= exact_up_to => exact,
                _ => estimate.max(exact_up_to.saturating_add(1)),
            }),
            Count::Planned => Some(estimate),
            Count::None | Count::Exact => outcome.total,
        };
    }
    ended
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_topmost_node_tells() {
        let plan =
            br#"[{"Plan": {"Alias": "\"Plan Rows\": 9", "Plan Rows": 12, "Plans": [{"Plan Rows": 3}]}}]"#;
        assert_eq!(plan_rows(plan), Some(12));
        assert_eq!(plan_rows(b"[]"), None);
        assert_eq!(plan_rows(b"no"), None);
    }
}
