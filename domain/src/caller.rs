//! Who is calling: what an identity provider proved, and nothing about how it travelled.

use std::collections::BTreeMap;

/// How a caller's identity was established.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Proof {
    /// Nothing was proved; the caller is anonymous.
    None,
    /// A bearer token whose signature was verified here.
    Token,
    /// An authorizer in front of us (API Gateway, a Lambda authorizer) vouched for the claims.
    Authorizer,
    /// An IAM signature that the gateway verified.
    Iam,
    /// A load balancer's own statement about its user, whose signature was verified here.
    LoadBalancer,
}

/// The caller of a request.
///
/// A value with a subject stands for a proved identity; without one the caller is anonymous and has
/// no groups, scopes or claims.
#[derive(Debug, Clone, PartialEq)]
pub struct Caller {
    subject: Option<String>,
    groups: Vec<String>,
    scopes: Vec<String>,
    claims: BTreeMap<String, serde_json::Value>,
    proof: Proof,
}

impl Caller {
    /// Somebody of whom nothing is known.
    pub const fn anonymous() -> Self {
        Self {
            subject: None,
            groups: Vec::new(),
            scopes: Vec::new(),
            claims: BTreeMap::new(),
            proof: Proof::None,
        }
    }

    /// A proved identity: `subject` is a token's `sub` or an IAM principal's ARN.
    pub fn new(subject: impl Into<String>, proof: Proof) -> Self {
        Self {
            subject: Some(subject.into()),
            groups: Vec::new(),
            scopes: Vec::new(),
            claims: BTreeMap::new(),
            proof,
        }
    }

    /// The same caller, in these groups.
    #[must_use]
    pub fn with_groups(mut self, groups: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.groups = groups.into_iter().map(Into::into).collect();
        self
    }

    /// The same caller, with these OAuth scopes.
    #[must_use]
    pub fn with_scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// The same caller, with these claims.
    #[must_use]
    pub fn with_claims(mut self, claims: BTreeMap<String, serde_json::Value>) -> Self {
        self.claims = claims;
        self
    }

    /// What the audit columns record; `None` for an anonymous caller.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// Whether nothing was proved.
    pub const fn is_anonymous(&self) -> bool {
        self.subject.is_none()
    }

    /// Whether the caller is in the group of exactly this name.
    pub fn in_group(&self, group: &str) -> bool {
        self.groups.iter().any(|own| own == group)
    }

    /// Whether the caller was granted the scope of exactly this name.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|own| own == scope)
    }

    /// The groups, as the token listed them.
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// The OAuth scopes.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// One claim by name.
    pub fn claim(&self, name: &str) -> Option<&serde_json::Value> {
        self.claims.get(name)
    }

    /// Every claim, by name.
    pub const fn claims(&self) -> &BTreeMap<String, serde_json::Value> {
        &self.claims
    }

    /// How the identity was established.
    pub const fn proof(&self) -> Proof {
        self.proof
    }
}
