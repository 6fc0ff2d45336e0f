//! Which user pools and clients count, from variables.
//!
//! It reads no environment; the application hands the variables over.

use std::sync::Arc;

use rowstamp_ports::{Problems, Vars};

use super::{TokenRules, TokenUse, TokenVerifier};
use crate::fetch::{Fetch, HttpsFetch, KeyUrl};
use crate::jwks::{FetchedKeys, Keys};

const POOLS: &str = "ROWSTAMP_COGNITO_USER_POOL_IDS";
const CLIENTS: &str = "ROWSTAMP_COGNITO_CLIENT_IDS";
const TOKEN_USE: &str = "ROWSTAMP_COGNITO_TOKEN_USE";
const KEYS: &str = "ROWSTAMP_COGNITO_JWKS";
const KEYS_URL: &str = "ROWSTAMP_COGNITO_JWKS_URL";
/// In an address: where the id of the user pool belongs.
const POOL_PLACE: &str = "{pool}";

/// What the `ROWSTAMP_COGNITO_…` variables say.
#[derive(Debug, Clone)]
pub struct Settings {
    rules: TokenRules,
    keys: Origin,
}

/// Where the keys come from.
#[derive(Debug, Clone)]
enum Origin {
    Given(Keys),
    /// Each issuer with the address of its keys.
    Fetched(Vec<(String, KeyUrl)>),
}

impl Settings {
    /// The settings, where user pools are named; what is wrong goes to `problems`.
    ///
    /// Without client ids, tokens of every client of the pools count. The keys are those in `ROWSTAMP_COGNITO_JWKS`, else they
    /// are fetched from where `ROWSTAMP_COGNITO_JWKS_URL` says, else from the issuer itself.
    pub fn read(vars: &Vars, problems: &mut Problems) -> Option<Self> {
        let Some(pools) = vars.get(POOLS) else {
            if vars.names().any(|name| name.starts_with("ROWSTAMP_COGNITO_")) {
                problems.report(POOLS, "needed with the other Cognito settings");
            }
            return None;
        };
        let pools = list(pools);
        if pools.is_empty() {
            problems.report(POOLS, "names no user pool");
        }
        let mut issuers = Vec::new();
        for pool in pools {
            match issuer(&pool) {
                Some(issuer) => issuers.push((pool, issuer)),
                None => problems.report(
                    POOLS,
                    "expected user pool ids such as eu-central-1_aBcDeF, separated by commas",
                ),
            }
        }
        let mut rules = TokenRules::new(issuers.iter().map(|(_, issuer)| issuer))
            .for_clients(list(vars.get(CLIENTS).unwrap_or_default()));
        rules = match vars.get(TOKEN_USE) {
            None => rules,
            Some("access") => rules.only(TokenUse::Access),
            Some("id") => rules.only(TokenUse::Id),
            Some(_) => {
                problems.report(TOKEN_USE, "expected access or id; both count where it is absent");
                rules
            }
        };
        let keys = origin(vars, issuers, problems)?;
        Some(Self { rules, keys })
    }

    /// A verifier with these settings. Nothing is fetched yet.
    ///
    /// # Errors
    /// In words, when no TLS client can be made.
    pub fn into_verifier(self) -> Result<TokenVerifier, String> {
        Ok(match self.keys {
            Origin::Given(keys) => TokenVerifier::new(self.rules, Arc::new(keys)),
            Origin::Fetched(issuers) => {
                let fetch: Arc<dyn Fetch> = Arc::new(HttpsFetch::new()?);
                TokenVerifier::new(self.rules, Arc::new(FetchedKeys::new(issuers, &fetch)))
            }
        })
    }
}

fn origin(vars: &Vars, issuers: Vec<(String, String)>, problems: &mut Problems) -> Option<Origin> {
    let template = vars.get(KEYS_URL);
    if let Some(document) = vars.get(KEYS) {
        if template.is_some() {
            problems.report(KEYS_URL, format!("give either this or {KEYS}"));
        }
        return match Keys::from_jwks(document) {
            Ok(keys) => Some(Origin::Given(keys)),
            Err(problem) => {
                problems.report(KEYS, problem);
                None
            }
        };
    }
    if issuers.len() > 1 && template.is_some_and(|template| !template.contains(POOL_PLACE)) {
        // A key of one pool must never verify a token of another.
        problems.report(
            KEYS_URL,
            format!("with several user pools, write {POOL_PLACE} where the id of each belongs"),
        );
        return None;
    }
    let mut addresses = Vec::new();
    for (pool, issuer) in issuers {
        let address = template.map_or_else(
            || format!("{issuer}/.well-known/jwks.json"),
            |template| template.replace(POOL_PLACE, &pool),
        );
        match KeyUrl::parse(&address) {
            Ok(url) => addresses.push((issuer, url)),
            Err(problem) => {
                problems.report(KEYS_URL, problem);
                return None;
            }
        }
    }
    Some(Origin::Fetched(addresses))
}

fn list(text: &str) -> Vec<String> {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The issuer that signs for a user pool (Amazon Cognito developer guide, "Verifying JSON web tokens").
fn issuer(pool: &str) -> Option<String> {
    let (region, name) = pool.split_once('_')?;
    let well_formed = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && region.contains('-')
        && region
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let china = if region.starts_with("cn-") { ".cn" } else { "" };
    well_formed.then(|| format!("https://cognito-idp.{region}.amazonaws.com{china}/{pool}"))
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn without_user_pools_there_are_no_settings() {
        let (settings, problems) = read(&[]);
        assert!(settings.is_none() && problems.is_empty(), "{problems:?}");
        let (settings, problems) = read(&[(CLIENTS, "app")]);
        assert!(settings.is_none());
        assert_eq!(problems.len(), 1, "{problems:?}");
    }

    #[test]
    fn keys_are_fetched_from_the_issuer_or_from_where_it_is_said() {
        let two = "eu-west-1_a,us-east-1_b";
        for (pools, url, expected) in [
            (
                two,
                None,
                Some(
                    &[
                        "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_a/.well-known/jwks.json",
                        "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_b/.well-known/jwks.json",
                    ][..],
                ),
            ),
            (
                two,
                Some("https://keys.example/{pool}.json"),
                Some(&[
                    "https://keys.example/eu-west-1_a.json",
                    "https://keys.example/us-east-1_b.json",
                ]),
            ),
            (
                "eu-west-1_a",
                Some("https://keys.example/k"),
                Some(&["https://keys.example/k"]),
            ),
            (two, Some("https://keys.example/k"), None),
            ("eu-west-1_a", Some("http://keys.example/k"), None),
            ("eu-west-1_a", Some("keys.json"), None),
        ] {
            let pairs: Vec<_> = [(POOLS, pools)]
                .into_iter()
                .chain(url.map(|url| (KEYS_URL, url)))
                .collect();
            let (settings, problems) = read(&pairs);
            let found = settings.map(|settings| match settings.keys {
                Origin::Fetched(issuers) => issuers
                    .into_iter()
                    .map(|(_, url)| url.to_string())
                    .collect::<Vec<_>>(),
                Origin::Given(_) => panic!("nothing was given"),
            });
            assert_eq!(problems.is_empty(), expected.is_some(), "{url:?}: {problems:?}");
            assert_eq!(
                found,
                expected.map(|urls| urls.iter().map(|&url| url.to_owned()).collect()),
                "{url:?}"
            );
        }
    }

    #[test]
    fn a_user_pool_has_one_issuer() {
        for (pool, expected) in [
            (
                "eu-central-1_aB3",
                Some("https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_aB3"),
            ),
            (
                "cn-north-1_x",
                Some("https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_x"),
            ),
            ("eu-central-1", None),
            ("_x", None),
            ("evil.example/x-1_a", None),
            ("eu-central-1_a/b", None),
        ] {
            assert_eq!(issuer(pool).as_deref(), expected, "{pool}");
        }
    }

    #[test]
    fn every_problem_is_reported() {
        let (_, problems) = read(&[
            (POOLS, "x, y"),
            (TOKEN_USE, "both"),
            (KEYS, "{}"),
            (KEYS_URL, "https://a.example"),
        ]);
        assert_eq!(problems.len(), 5, "{problems:?}");
        assert_eq!(read(&[(POOLS, ",")]).1.len(), 1);
    }

    #[test]
    fn pools_clients_and_keys_make_a_verifier() {
        let key = format!(
            r#"{{"keys":[{{"kty":"RSA","kid":"k","e":"AQAB","n":"{}"}}]}}"#,
            "u".repeat(341) + "A"
        );
        let (settings, problems) = read(&[
            (POOLS, "eu-west-1_a"),
            (CLIENTS, "one, two"),
            (TOKEN_USE, "access"),
            (KEYS, &key),
        ]);
        assert_eq!(problems, Vec::<String>::new());
        let rules = settings.map(|settings| settings.rules);
        let expected = TokenRules::new(["https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_a"])
            .for_clients(["one", "two"])
            .only(TokenUse::Access);
        assert_eq!(rules, Some(expected));
    }
}
