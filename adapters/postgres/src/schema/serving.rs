//! What the role that serves may not do: use a schema, draw from a sequence, see or write rows under the table's policies, or carry out
//! what requests ask for.
//!
//! The session has that role already. What a policy says of one row is not looked at.

use rowstamp_domain::access::Access;
use rowstamp_domain::definition::{ApiDefinition, Default, ResourceDefinition};
use tokio_postgres::Row;

use super::SchemaError;
use super::differing::Difference;
use super::found::{Found, FoundTable};
use super::inspect::position;
use super::missing::plain_name;
use super::rehearsal::{Refused, Verb, rehearse};
use super::rules::is_for_nobody;
use super::session::{Session, read};

/// The privileges on a table, in the order in which [`TABLES`] has them.
const PRIVILEGES: [&str; 4] = ["SELECT", "INSERT", "UPDATE", "DELETE"];

/// A policy counts for a role that it names, for those who have that role's privileges, or for everybody (0).
const TABLES: &str = "\
SELECT i.position, ARRAY[has_table_privilege(c.oid, 'SELECT'), has_table_privilege(c.oid, 'INSERT'), \
 has_table_privilege(c.oid, 'UPDATE'), has_table_privilege(c.oid, 'DELETE')], \
 ARRAY[has_any_column_privilege(c.oid, 'SELECT'), has_any_column_privilege(c.oid, 'INSERT'), \
 has_any_column_privilege(c.oid, 'UPDATE'), false], c.relrowsecurity, row_security_active(c.oid), \
 CASE WHEN u.rolsuper THEN 'a superuser' WHEN u.rolbypassrls THEN 'who has BYPASSRLS' ELSE 'its owner' END, \
 ARRAY(SELECT p.polcmd::text FROM pg_policy p WHERE p.polrelid = c.oid AND p.polpermissive \
  AND EXISTS (SELECT FROM unnest(p.polroles) AS r WHERE r = 0 OR pg_has_role(r, 'USAGE'))), \
 EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND strpos(concat(\
  pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)), 'request.jwt.claims') > 0) \
FROM unnest($1::oid[]) WITH ORDINALITY AS i(oid, position) JOIN pg_class c ON c.oid = i.oid \
 JOIN pg_roles u ON u.rolname = current_user";

const SEQUENCES: &str = "\
SELECT i.position, a.attname::text, s.oid::regclass::text \
FROM unnest($1::oid[]) WITH ORDINALITY AS i(oid, position) \
 JOIN pg_attrdef d ON d.adrelid = i.oid \
 JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum \
 JOIN pg_depend p ON p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid AND p.refclassid = 'pg_class'::regclass \
 JOIN pg_class s ON s.oid = p.refobjid \
WHERE CASE WHEN s.relkind = 'S' THEN NOT has_sequence_privilege(s.oid, 'USAGE, UPDATE') END ORDER BY i.position, a.attnum";

/// What there is to say of the role, where something is. Of a resource that differs otherwise (`told`) only missing privileges are
/// told, since everything else would be said twice.
pub(super) async fn refused(
    session: &Session,
    api: &ApiDefinition,
    found: &Found,
    switches: bool,
    told: &[usize],
) -> Result<Vec<Difference>, SchemaError> {
    let [row] = &session.ask("SELECT current_user::text", &[]).await?[..] else {
        return Ok(Vec::new());
    };
    let role: String = read(row, 0)?;
    let mut list = schemas(&role, found);
    let tables: Vec<(usize, &FoundTable)> = found
        .tables
        .iter()
        .enumerate()
        .filter_map(|(position, table)| Some((position, table.as_ref().filter(|table| table.reachable)?)))
        .collect();
    let oids: Vec<u32> = tables.iter().map(|(_, table)| table.oid).collect();
    let mut lacking = vec![Vec::new(); api.resources.len()];
    for row in session.ask(TABLES, &[&oids]).await? {
        let (resource, _) = tables[position(&row)?];
        lacking[resource] = lacking_privileges(read(&row, 1)?, read(&row, 2)?);
        list.extend(
            policies(&row, &api.resources[resource], &role, switches)?.map(|what| Difference {
                resource: Some(resource),
                what,
            }),
        );
    }
    for row in session.ask(SEQUENCES, &[&oids]).await? {
        let (resource, _) = tables[position(&row)?];
        let (column, sequence): (String, String) = (read(&row, 1)?, read(&row, 2)?);
        let definition = &api.resources[resource];
        if !is_for_nobody(&definition.access.create) && is_left_out(definition, &column) {
            list.push(Difference {
                resource: Some(resource),
                what: format!(
                    "{role} may not create rows of {}, since it lacks USAGE on the sequence {sequence}",
                    plain_name(definition)
                ),
            });
        }
    }
    let told: Vec<usize> = told
        .iter()
        .copied()
        .chain(list.iter().filter_map(|difference| difference.resource))
        .collect();
    let positions: Vec<usize> = tables.iter().map(|(position, _)| *position).collect();
    for refused in together(rehearse(session, api, &positions).await?) {
        if refused.is_of_privilege() || !told.contains(&refused.resource) {
            let table = plain_name(&api.resources[refused.resource]);
            list.push(Difference {
                resource: Some(refused.resource),
                what: refused.words(&table, &role, &lacking[refused.resource]),
            });
        }
    }
    Ok(list)
}

/// A privilege that a role does not have on a whole table.
#[derive(Debug, Clone, Copy)]
struct Lacking {
    privilege: &'static str,
    /// Whether it has it on some columns.
    in_part: bool,
}

fn lacking_privileges(whole: Vec<bool>, in_part: Vec<bool>) -> Vec<Lacking> {
    let all = PRIVILEGES.into_iter().zip(whole).zip(in_part);
    all.filter(|((_, whole), _)| !whole)
        .map(|((privilege, _), in_part)| Lacking { privilege, in_part })
        .collect()
}

/// The schemas of tables that are there, but out of reach.
fn schemas(role: &str, found: &Found) -> Vec<Difference> {
    let mut list: Vec<Difference> = Vec::new();
    for table in found.tables.iter().flatten().filter(|table| !table.reachable) {
        let what = format!(
            "{role} may not use the schema {}, since it lacks USAGE",
            table.schema
        );
        if list.iter().all(|difference| difference.what != what) {
            list.push(Difference { resource: None, what });
        }
    }
    list
}

/// What is the matter with a table's policies, if anything is. `switches` says that each request has a role and claims.
fn policies(
    row: &Row,
    resource: &ResourceDefinition,
    role: &str,
    switches: bool,
) -> Result<Option<String>, SchemaError> {
    let (has_policies, judged): (bool, bool) = (read(row, 3)?, read(row, 4)?);
    let table = plain_name(resource);
    if !has_policies {
        return Ok(None);
    }
    if !judged {
        let why: String = read(row, 5)?;
        return Ok(switches.then(|| format!("row-level security of {table} does not hold for {role}, {why}")));
    }
    let commands: Vec<String> = read(row, 6)?;
    let Access {
        read: reads,
        create,
        update,
        delete,
    } = &resource.access;
    let without: Vec<&str> = [
        (reads, "r", Verb::Read),
        (create, "a", Verb::Create),
        (update, "w", Verb::Change),
        (delete, "d", Verb::Delete),
    ]
    .into_iter()
    .filter(|(rule, command, _)| {
        !is_for_nobody(rule) && !commands.iter().any(|has| has == command || has == "*")
    })
    .map(|(_, _, verb)| verb.word())
    .collect();
    if !without.is_empty() {
        let verbs = without.join(", ");
        return Ok(Some(format!(
            "row-level security of {table} has no policy by which {role} may {verbs} rows"
        )));
    }
    let looks_at_claims: bool = read(row, 7)?;
    Ok((looks_at_claims && !switches).then(|| {
        format!("policies of {table} look at request.jwt.claims, which are there with ROWSTAMP_DB_ROLE only")
    }))
}

/// Whether a new row can come without a value for this column, so that its DEFAULT gives it one.
fn is_left_out(resource: &ResourceDefinition, column: &str) -> bool {
    let field = resource.fields.iter().find(|field| field.column == column);
    field.is_none_or(|field| !field.is_audit() && !matches!(field.default, Default::Value(_)))
}

/// Refusals of one resource for one reason.
struct Together {
    resource: usize,
    sqlstate: String,
    message: String,
    verbs: Vec<Verb>,
}

impl Together {
    /// Where a privilege is missing, `lacking` are those that `role` does not have; where it has all that is needed, somebody else
    /// lacks one, such as the owner of a view.
    fn words(&self, table: &str, role: &str, lacking: &[Lacking]) -> String {
        let verbs: Vec<&str> = self.verbs.iter().map(|verb| verb.word()).collect();
        let (verbs, message) = (verbs.join(", "), &self.message);
        let needed = |lacking: &&Lacking| {
            let mut privileges = self.verbs.iter().flat_map(|verb| verb.privileges());
            self.is_of_privilege() && privileges.any(|privilege| *privilege == lacking.privilege)
        };
        let (in_part, none): (Vec<&Lacking>, Vec<&Lacking>) =
            lacking.iter().filter(needed).partition(|lacking| lacking.in_part);
        // What it has on some columns may be enough, unless there is nothing else to blame.
        let (blamed, on_what) = if none.is_empty() {
            (in_part, " on every column")
        } else {
            (none, "")
        };
        if blamed.is_empty() {
            return format!("requests cannot {verbs} rows of {table}: {message}");
        }
        let blamed: Vec<&str> = blamed.iter().map(|lacking| lacking.privilege).collect();
        let blamed = blamed.join(", ");
        format!("{role} may not {verbs} rows of {table}, since it lacks {blamed}{on_what}: {message}")
    }

    fn is_of_privilege(&self) -> bool {
        self.sqlstate == "42501"
    }
}

fn together(all: Vec<Refused>) -> Vec<Together> {
    let mut list: Vec<Together> = Vec::new();
    for Refused {
        resource,
        verb,
        refusal,
    } in all
    {
        let same = list
            .iter_mut()
            .find(|other| other.resource == resource && other.message == refusal.message);
        match same {
            Some(other) if other.verbs.contains(&verb) => {}
            Some(other) => other.verbs.push(verb),
            None => list.push(Together {
                resource,
                sqlstate: refusal.sqlstate,
                message: refusal.message,
                verbs: vec![verb],
            }),
        }
    }
    list
}
