//! Which user pools and clients count, from variables.
//!
//! It reads no environment; the application hands the variables over.

use std::sync::Arc;

use rowstamp_ports::{Problems, Vars};

use super::{TokenRules, TokenUse, TokenVerifier};
use crate::jwks::Keys;

const POOLS: &str = "ROWSTAMP_COGNITO_USER_POOL_IDS";
const CLIENTS: &str = "ROWSTAMP_COGNITO_CLIENT_IDS";
const TOKEN_USE: &str = "ROWSTAMP_COGNITO_TOKEN_USE";
const KEYS: &str = "ROWSTAMP_COGNITO_JWKS";

/// What the `ROWSTAMP_COGNITO_…` variables say.
#[derive(Debug, Clone)]
pub struct Settings {
    rules: TokenRules,
    keys: Keys,
}

impl Settings {
    /// The settings, where user pools are named; what is wrong goes to `problems`.
    ///
    /// Without client ids, tokens of every client of the pools count. The keys themselves must be given in
    /// `ROWSTAMP_COGNITO_JWKS`: they are not fetched yet.
    pub fn read(vars: &Vars, problems: &mut Problems) -> Option<Self> {
        let pools = list(vars.get(POOLS)?);
        let mut issuers = Vec::new();
        for pool in &pools {
            match issuer(pool) {
                Some(issuer) => issuers.push(issuer),
                None => problems.report(
                    POOLS,
                    "expected user pool ids such as eu-central-1_aBcDeF, separated by commas",
                ),
            }
        }
        let mut rules = TokenRules::new(issuers).for_clients(list(vars.get(CLIENTS).unwrap_or_default()));
        rules = match vars.get(TOKEN_USE) {
            None => rules,
            Some("access") => rules.only(TokenUse::Access),
            Some("id") => rules.only(TokenUse::Id),
            Some(_) => {
                problems.report(TOKEN_USE, "expected access or id; both count where it is absent");
                rules
            }
        };
        let keys = match vars.get(KEYS).map(Keys::from_jwks) {
            Some(Ok(keys)) => keys,
            Some(Err(problem)) => {
                problems.report(KEYS, problem);
                return None;
            }
            None => {
                problems.report(
                    KEYS,
                    format!("needed with {POOLS}: the user pool's JWKS document itself, since it is not fetched yet"),
                );
                return None;
            }
        };
        Some(Self { rules, keys })
    }

    /// A verifier with these settings.
    pub fn into_verifier(self) -> TokenVerifier {
        TokenVerifier::new(self.rules, Arc::new(self.keys))
    }
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
    fn without_user_pools_there_are_no_settings_and_no_problems() {
        let (settings, problems) = read(&[(CLIENTS, "app")]);
        assert!(settings.is_none() && problems.is_empty(), "{problems:?}");
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
        let (_, problems) = read(&[(POOLS, "x, y"), (TOKEN_USE, "both")]);
        assert_eq!(problems.len(), 4, "{problems:?}");
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
