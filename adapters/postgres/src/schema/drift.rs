//! Everything in which a database departs from the definitions, in the order in which it is told.
//!
//! Nothing is changed: the session may only read.

use rowstamp_domain::definition::ApiDefinition;

use super::differing::{Difference, differing};
use super::missing::missing;
use super::session::{Session, read};
use super::{Drift, SchemaError, inspect, serving, values};

/// Looks at the database as the role that serves: `role` where requests switch to one, else whoever logs in.
pub(super) async fn drift(
    session: &Session,
    api: &ApiDefinition,
    role: Option<&str>,
) -> Result<Drift, SchemaError> {
    session.run("SET default_transaction_read_only = on").await?;
    let stays = match role {
        Some(role) => switch(session, role).await?,
        None => None,
    };
    let found = inspect::inspect(session, api).await?;
    let missing = missing(api, &found);
    let mut list = differing(api, &found);
    // Where requests fail anyhow, there is no need to say it again.
    let failing = missing.iter().filter_map(|missing| missing.needed_by);
    let mut told: Vec<usize> = failing
        .chain(list.iter().filter_map(|difference| difference.resource))
        .collect();
    let refused = values::refused(session, api, &found, &told).await?;
    told.extend(refused.iter().filter_map(|difference| difference.resource));
    list.extend(refused);
    if let Some(what) = stays {
        list.push(Difference { resource: None, what });
    } else {
        list.extend(serving::refused(session, api, &found, role.is_some(), &told).await?);
    }
    Ok(Drift {
        missing: missing.into_iter().map(|missing| missing.what).collect(),
        differing: list.into_iter().map(|difference| difference.what).collect(),
    })
}

/// Switches to the role, as each request will; says why not where that is refused.
async fn switch(session: &Session, role: &str) -> Result<Option<String>, SchemaError> {
    const SWITCH: &str =
        "SELECT set_config('role', $1, false), set_config('request.jwt.claims', '{}', false)";
    let refused = session.attempt(session.client().query(SWITCH, &[&role])).await?;
    let Some(refusal) = refused else {
        return Ok(None);
    };
    let [row] = &session.ask("SELECT current_user::text", &[]).await?[..] else {
        return Ok(None);
    };
    let login: String = read(row, 0)?;
    Ok(Some(format!(
        "{login} cannot switch to the role {role} of ROWSTAMP_DB_ROLE: {}",
        refusal.message
    )))
}
