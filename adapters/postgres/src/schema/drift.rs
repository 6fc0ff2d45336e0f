//! Everything in which a database departs from the definitions, in the order in which it is told.
//!
//! Nothing is changed: the session may only read.

use rowstamp_domain::definition::ApiDefinition;

use super::differing::differing;
use super::missing::missing;
use super::session::Session;
use super::{Drift, SchemaError, inspect, values};

/// Looks at the database.
pub(super) async fn drift(session: &Session, api: &ApiDefinition) -> Result<Drift, SchemaError> {
    session.run("SET default_transaction_read_only = on").await?;
    let found = inspect::inspect(session, api).await?;
    let missing = missing(api, &found);
    let mut list = differing(api, &found);
    // Where requests fail anyhow, there is no need to say it again.
    let failing = missing.iter().filter_map(|missing| missing.needed_by);
    let told: Vec<usize> = failing
        .chain(list.iter().filter_map(|difference| difference.resource))
        .collect();
    list.extend(values::refused(session, api, &found, &told).await?);
    Ok(Drift {
        missing: missing.into_iter().map(|missing| missing.what).collect(),
        differing: list.into_iter().map(|difference| difference.what).collect(),
    })
}
