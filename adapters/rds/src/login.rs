//! What a token is made for: one server, one user, one region. Every input of the signer is judged here.
//!
//! The signer of the SDK trusts what it is given: it falls back to us-east-1, leaves a user's special characters as they are and
//! panics on a host that makes no URL. Nothing is signed here.

use std::sync::Arc;

use aws_credential_types::Credentials;
#[cfg(feature = "chain")]
use aws_types::region::Region;
use rowstamp_ports::{Problems, Vars};

#[cfg(feature = "chain")]
use crate::chain::{self, Chain};
use crate::keys::Keys;

/// Where to log in and as whom; every part is one that the signer can take.
#[derive(Debug, Clone)]
pub struct IamLogin {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) region: String,
    pub(crate) keys: Arc<dyn Keys>,
}

impl IamLogin {
    /// A login to the database at `host`, with the credentials and the region that Lambda puts into the environment:
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, and `AWS_REGION` or `AWS_DEFAULT_REGION`
    /// where the host's name is not one of RDS, which holds the region.
    ///
    /// Everything wrong is reported; then there is no login.
    pub fn read(host: &str, port: u16, user: &str, vars: &Vars, problems: &mut Problems) -> Option<Self> {
        let region = region_in_host(host).or_else(|| region_in_environment(vars));
        let good = check(host, port, user, region, NO_REGION, problems);
        let key_id = vars.get("AWS_ACCESS_KEY_ID");
        let key = vars.secret("AWS_SECRET_ACCESS_KEY");
        if key_id.is_none() {
            problems.report("AWS_ACCESS_KEY_ID", NEEDED);
        }
        if key.is_none() {
            problems.report("AWS_SECRET_ACCESS_KEY", NEEDED);
        }
        let session = vars.secret("AWS_SESSION_TOKEN");
        let credentials = Credentials::new(
            key_id?,
            key?.expose(),
            session.map(|token| token.expose().to_owned()),
            None,
            "environment",
        );
        good.then_some(())?;
        Some(Self {
            host: host.to_owned(),
            port,
            user: user.to_owned(),
            region: region?.to_owned(),
            keys: Arc::new(credentials),
        })
    }

    /// The same with the credentials of the usual sources, one after the other: environment, profile (with its roles, SSO sessions
    /// and processes), web identity, container, EC2 instance. The profile's region counts where neither the host nor the environment
    /// names one.
    ///
    /// The sources are those of this process's environment, which the SDK reads by itself. None is asked before a token is wanted.
    #[cfg(feature = "chain")]
    pub async fn from_chain(
        host: &str,
        port: u16,
        user: &str,
        vars: &Vars,
        problems: &mut Problems,
    ) -> Option<Self> {
        let in_profile = chain::region_of_profile().await;
        let own = region_in_environment(vars).or(in_profile.as_deref());
        let region = region_in_host(host).or(own);
        let good = check(host, port, user, region, NO_REGION_ANYWHERE, problems);
        good.then_some(())?;
        let region = region?;
        // Where roles are taken on is a matter of one's own region; any will do where none is named.
        let service_region = Region::new(own.filter(|own| is_region(own)).unwrap_or(region).to_owned());
        Some(Self {
            host: host.to_owned(),
            port,
            user: user.to_owned(),
            region: region.to_owned(),
            keys: Arc::new(Chain::of_environment(vars, service_region).await),
        })
    }

    /// The region whose key signs: that of the database.
    pub fn region(&self) -> &str {
        &self.region
    }
}

const NEEDED: &str = "needed for IAM login";
const NO_REGION: &str = "needed for IAM login, since the host's name holds no region";
#[cfg(feature = "chain")]
const NO_REGION_ANYWHERE: &str =
    "needed for IAM login, since neither the host's name nor the AWS profile holds a region";

/// Reports what is wrong with each; whether nothing is.
fn check(
    host: &str,
    port: u16,
    user: &str,
    region: Option<&str>,
    without_region: &str,
    problems: &mut Problems,
) -> bool {
    let found = [
        ("PGHOST", problem_of_host(host)),
        ("PGPORT", (port == 0).then_some("expected a port for IAM login")),
        ("PGUSER", problem_of_user(user)),
        (
            "AWS_REGION",
            match region {
                None => Some(without_region),
                Some(region) if !is_region(region) => Some("expected the name of a region such as eu-west-1"),
                Some(_) => None,
            },
        ),
    ];
    let mut good = true;
    for (name, problem) in found {
        if let Some(problem) = problem {
            problems.report(name, problem);
            good = false;
        }
    }
    good
}

/// A host name of RFC 1123, which is what a certificate and a signature can name.
fn problem_of_host(host: &str) -> Option<&'static str> {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if host.is_empty() {
        return Some(NEEDED);
    }
    let is_address = host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if host.len() > 253 || is_address || !host.split('.').all(is_label) {
        return Some("expected the host name of the database for IAM login, not an address or a socket");
    }
    None
}

/// A role's name in PostgreSQL: at most 63 bytes.
fn problem_of_user(user: &str) -> Option<&'static str> {
    if user.is_empty() {
        Some(NEEDED)
    } else if user.len() > 63 || user.chars().any(char::is_control) {
        Some("expected the name of a database user, at most 63 bytes")
    } else {
        None
    }
}

fn region_in_environment(vars: &Vars) -> Option<&str> {
    vars.get("AWS_REGION").or_else(|| vars.get("AWS_DEFAULT_REGION"))
}

/// `eu-west-1` of `library.cluster-c1example.eu-west-1.rds.amazonaws.com`; in China the region comes behind `rds`.
fn region_in_host(host: &str) -> Option<&str> {
    let in_china = host
        .strip_suffix(".amazonaws.com.cn")
        .and_then(|front| front.rsplit_once(".rds."));
    let region = if let Some((_, region)) = in_china {
        region
    } else {
        let front = host.strip_suffix(".rds.amazonaws.com")?;
        front.rsplit_once('.').map_or(front, |(_, region)| region)
    };
    is_region(region).then_some(region)
}

fn is_region(text: &str) -> bool {
    text.split('-').count() >= 3
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && text.ends_with(|last: char| last.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{KEYS, login, vars};

    #[test]
    fn the_region_is_that_of_the_host_else_that_of_the_environment() {
        let elsewhere = [("AWS_REGION", "us-east-2")];
        for (host, more, expected) in [
            ("db.c1.eu-west-1.rds.amazonaws.com", &elsewhere[..], "eu-west-1"),
            (
                "db.c1.rds.cn-north-1.amazonaws.com.cn",
                &elsewhere[..],
                "cn-north-1",
            ),
            ("db.internal.example", &elsewhere[..], "us-east-2"),
            (
                "db.internal.example",
                &[("AWS_DEFAULT_REGION", "ap-southeast-2")][..],
                "ap-southeast-2",
            ),
        ] {
            assert_eq!(login(host, "app", more).region(), expected, "{host}");
        }
    }

    #[test]
    fn every_mistake_is_reported_at_once_and_nothing_secret_with_it() {
        let mut problems = Problems::new();
        let made = IamLogin::read("10.0.0.7", 0, "", &vars(&[]), &mut problems);
        assert!(made.is_none());
        assert_eq!(
            problems.to_string(),
            "PGHOST: expected the host name of the database for IAM login, not an address or a socket\n\
             PGPORT: expected a port for IAM login\n\
             PGUSER: needed for IAM login\n\
             AWS_REGION: needed for IAM login, since the host's name holds no region\n\
             AWS_ACCESS_KEY_ID: needed for IAM login\n\
             AWS_SECRET_ACCESS_KEY: needed for IAM login"
        );
    }

    #[test]
    fn hosts_that_make_no_url_are_refused_before_the_signer_sees_them() {
        let long = format!("{}.example", "a".repeat(64));
        for host in [
            "",
            "/var/run/postgresql",
            "::1",
            "host name",
            "a..b",
            "-a.example",
            "a/b",
            "a?b",
            "ä.example",
            &long,
        ] {
            let mut problems = Problems::new();
            let vars = vars(&[&KEYS[..], &[("AWS_REGION", "eu-west-1")]].concat());
            assert!(
                IamLogin::read(host, 5432, "app", &vars, &mut problems).is_none(),
                "{host}"
            );
            assert!(problems.to_string().starts_with("PGHOST: "), "{host}: {problems}");
        }
    }
}
