//! Under which names an authorizer of somebody's own says who the caller is.
//!
//! It looks nothing up; it says where to look.

use rowstamp_ports::{Problems, Vars};

const SUBJECT: &str = "ROWSTAMP_AUTHORIZER_SUBJECT";
const GROUPS: &str = "ROWSTAMP_AUTHORIZER_GROUPS";
const SCOPES: &str = "ROWSTAMP_AUTHORIZER_SCOPES";

/// The names of the keys that hold subject, groups and scopes: those that were set, else the usual ones.
///
/// They count for Lambda authorizers, for the JWT authorizer of an HTTP API (whose tokens need not be Cognito's) and for load
/// balancers. What a REST API's Cognito authorizer delivers always has Cognito's names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuthorizerKeys {
    subject: Option<String>,
    groups: Option<String>,
    scopes: Option<String>,
}

impl AuthorizerKeys {
    /// Reads `ROWSTAMP_AUTHORIZER_SUBJECT`, `ROWSTAMP_AUTHORIZER_GROUPS` and `ROWSTAMP_AUTHORIZER_SCOPES`, each the name of
    /// one key.
    pub fn read(vars: &Vars, problems: &mut Problems) -> Self {
        let mut key = |name: &str| {
            let key = vars.get(name)?;
            if key.trim() != key || key.chars().any(|c| c.is_control() || c == ',') {
                problems.report(name, "expected the name of one key such as custom:roles");
            }
            Some(key.to_owned())
        };
        Self {
            subject: key(SUBJECT),
            groups: key(GROUPS),
            scopes: key(SCOPES),
        }
    }

    pub(crate) fn subject(&self) -> Option<Vec<&str>> {
        self.subject.as_deref().map(|key| vec![key])
    }

    pub(crate) fn groups(&self) -> Option<Vec<&str>> {
        self.groups.as_deref().map(|key| vec![key])
    }

    pub(crate) fn scopes(&self) -> Option<Vec<&str>> {
        self.scopes.as_deref().map(|key| vec![key])
    }

    /// Where a Lambda authorizer's context says who it is; `principalId` is what payload version 1 always has.
    pub(crate) fn subject_of_context(&self) -> Vec<&str> {
        self.subject().unwrap_or_else(|| vec!["sub", "principalId"])
    }

    pub(crate) fn groups_of_context(&self) -> Vec<&str> {
        self.groups().unwrap_or_else(|| vec!["cognito:groups", "groups"])
    }

    pub(crate) fn scopes_of_context(&self) -> Vec<&str> {
        self.scopes().unwrap_or_else(|| vec!["scope", "scopes"])
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn keys(subject: &str, groups: &str, scopes: &str) -> AuthorizerKeys {
        let pairs = [(SUBJECT, subject), (GROUPS, groups), (SCOPES, scopes)];
        let mut problems = Problems::new();
        let vars = Vars::new(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let keys = AuthorizerKeys::read(&vars, &mut problems);
        assert!(problems.is_empty(), "{problems}");
        keys
    }

    #[test]
    fn a_setting_names_one_key() {
        for (value, good) in [
            ("custom:roles", true),
            ("https://example.com/roles", true),
            ("a,b", false),
            (" a", false),
            ("a\n", false),
        ] {
            let mut problems = Problems::new();
            let vars = Vars::new([(GROUPS.to_owned(), value.to_owned())]);
            AuthorizerKeys::read(&vars, &mut problems);
            assert_eq!(problems.is_empty(), good, "{value:?}");
        }
    }
}
