//! Which load balancers count, and where their keys are, from variables.
//!
//! Without variables none does: the header that a load balancer writes is one that anybody can send.

use std::collections::HashMap;
use std::sync::Arc;

use rowstamp_ports::{Problems, Vars};

use super::LoadBalancerVerifier;
use crate::AuthorizerKeys;
use crate::fetch::{Fetch, HttpsFetch, KeyUrl};

const SIGNERS: &str = "ROWSTAMP_ALB_SIGNERS";
const CLIENTS: &str = "ROWSTAMP_ALB_CLIENT_IDS";
const KEYS_URL: &str = "ROWSTAMP_ALB_KEYS_URL";
/// Where a region keeps its load balancers' keys (Elastic Load Balancing user guide, "Authenticate users").
const PUBLIC_KEYS: &str = "https://public-keys.auth.elb.{region}.amazonaws.com/{kid}";
const REGION_PLACE: &str = "{region}";
pub(super) const KID_PLACE: &str = "{kid}";

/// What the `ROWSTAMP_ALB_…` variables say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Each signer with the address of its keys, [`KID_PLACE`] in it.
    pub(super) signers: HashMap<String, String>,
    pub(super) clients: Vec<String>,
}

impl Settings {
    /// The settings, where load balancers are named; what is wrong goes to `problems`.
    pub fn read(vars: &Vars, problems: &mut Problems) -> Option<Self> {
        let list = |text: &str| -> Vec<String> {
            let items = text.split(',').map(str::trim);
            items.filter(|item| !item.is_empty()).map(str::to_owned).collect()
        };
        let Some(named) = vars.get(SIGNERS).map(list) else {
            if vars.names().any(|name| name.starts_with("ROWSTAMP_ALB_")) {
                problems.report(SIGNERS, "needed with the other settings of load balancers");
            }
            return None;
        };
        let template = vars.get(KEYS_URL);
        if template.is_some_and(|template| !template.contains(KID_PLACE)) {
            problems.report(
                KEYS_URL,
                format!("write {KID_PLACE} where the name of a key belongs"),
            );
        }
        let mut signers = HashMap::new();
        for arn in named {
            let Some((partition, region)) = partition_and_region(&arn) else {
                problems.report(
                    SIGNERS,
                    "expected ARNs such as arn:aws:elasticloadbalancing:REGION:ACCOUNT:loadbalancer/app/NAME/ID",
                );
                continue;
            };
            if template.is_none() && partition != "aws" {
                problems.report(
                    KEYS_URL,
                    format!("needed for load balancers of the partition {partition}"),
                );
            }
            let address = template.unwrap_or(PUBLIC_KEYS).replace(REGION_PLACE, region);
            match KeyUrl::parse(&address.replace(KID_PLACE, "kid")) {
                Ok(_) => drop(signers.insert(arn.clone(), address)),
                Err(problem) => problems.report(KEYS_URL, problem),
            }
        }
        let clients = list(vars.get(CLIENTS).unwrap_or_default());
        Some(Self { signers, clients })
    }

    /// A verifier with these settings. Nothing is fetched yet.
    ///
    /// # Errors
    /// In words, when no TLS client can be made.
    pub fn into_verifier(self, keys: AuthorizerKeys) -> Result<LoadBalancerVerifier, String> {
        let fetch: Arc<dyn Fetch> = Arc::new(HttpsFetch::new()?);
        Ok(LoadBalancerVerifier::new(self, keys, fetch))
    }
}

fn partition_and_region(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.splitn(6, ':');
    let mut next = || parts.next();
    let (scheme, partition, service, region, account, resource) =
        (next()?, next()?, next()?, next()?, next()?, next()?);
    let word = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    (scheme == "arn"
        && word(partition)
        && service == "elasticloadbalancing"
        && word(region)
        && !account.is_empty()
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && resource.starts_with("loadbalancer/app/"))
    .then_some((partition, region))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str =
        "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/library/0123456789abcdef";

    fn read(pairs: &[(&str, &str)]) -> (Option<Settings>, Vec<String>) {
        let mut problems = Problems::new();
        let vars = Vars::new(
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let settings = Settings::read(&vars, &mut problems);
        (settings, problems.iter().map(ToOwned::to_owned).collect())
    }

    #[test]
    fn no_load_balancer_counts_unless_it_is_named() {
        assert_eq!(read(&[]), (None, Vec::new()));
        let (settings, problems) = read(&[(CLIENTS, "app")]);
        assert_eq!((settings, problems.len()), (None, 1));
    }

    #[test]
    fn each_region_has_its_keys() {
        let (settings, problems) = read(&[(SIGNERS, ARN), (CLIENTS, "app, web")]);
        assert_eq!(problems, Vec::<String>::new());
        let address = "https://public-keys.auth.elb.eu-west-1.amazonaws.com/{kid}".to_owned();
        assert_eq!(
            settings,
            Some(Settings {
                signers: HashMap::from([(ARN.to_owned(), address)]),
                clients: vec!["app".to_owned(), "web".to_owned()],
            })
        );
    }

    #[test]
    fn what_is_wrong_is_told() {
        let china = ARN.replace("arn:aws:", "arn:aws-cn:");
        for (signers, url) in [
            ("library", None),
            (
                "arn:aws:elasticloadbalancing:eu/west:1:loadbalancer/app/a/b",
                None,
            ),
            (
                "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/net/a/b",
                None,
            ),
            (&china, None),
            (ARN, Some("https://keys.example/")),
            (ARN, Some("http://keys.example/{kid}")),
        ] {
            let pairs: Vec<_> = [(SIGNERS, signers)]
                .into_iter()
                .chain(url.map(|url| (KEYS_URL, url)))
                .collect();
            let (_, problems) = read(&pairs);
            assert_eq!(problems.len(), 1, "{signers} {url:?}: {problems:?}");
        }
        let (_, problems) = read(&[
            (SIGNERS, &china),
            (KEYS_URL, "https://keys.example/{region}/{kid}"),
        ]);
        assert_eq!(problems, Vec::<String>::new());
    }
}
