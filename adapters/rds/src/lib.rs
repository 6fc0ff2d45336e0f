//! What Amazon RDS asks of a client: its certificate authorities, and IAM tokens as passwords (feature `iam`), signed with the
//! credentials of the environment or of AWS's usual sources (feature `chain`).
//!
//! Nothing here opens a connection to a database; the store does, with what it gets from here.

#[cfg(feature = "chain")]
mod chain;
#[cfg(all(test, feature = "iam"))]
mod fixture;
#[cfg(feature = "iam")]
mod keys;
#[cfg(feature = "iam")]
mod login;
#[cfg(feature = "iam")]
mod tokens;

#[cfg(feature = "iam")]
pub use login::IamLogin;
use rustls_pki_types::{Der, TrustAnchor};
#[cfg(feature = "iam")]
pub use tokens::IamTokens;

/// The certificate authorities of Amazon RDS and Aurora: of each the name and the key.
///
/// RDS Proxy's certificates come from Amazon Trust Services instead, which the public web roots include: trust both.
/// Where they come from and how they are renewed stands in `certificates/NOTE.md`.
pub static CERTIFICATE_AUTHORITIES: &[TrustAnchor<'static>] =
    include!(concat!(env!("OUT_DIR"), "/trust_anchors.rs"));

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    use super::*;

    const PEM: &str = include_str!("../certificates/rds-ca.pem");

    /// The days that the comments of the certificates give as their ends.
    fn ends() -> Vec<&'static str> {
        PEM.lines()
            .filter_map(|line| line.strip_prefix("# ")?.rsplit_once(", until "))
            .map(|(_, end)| end)
            .collect()
    }

    #[test]
    fn every_authority_is_there_and_named() {
        let count = CERTIFICATE_AUTHORITIES.len();
        assert!(count > 80, "{count}");
        assert_eq!(count, ends().len());
        for region in [
            "us-east-1",
            "eu-west-1",
            "eu-central-1",
            "ap-northeast-1",
            "sa-east-1",
        ] {
            for key in ["RSA2048", "RSA4096", "ECC384"] {
                let name = format!("Amazon RDS {region} Root CA {key} G1");
                let is_its = |anchor: &TrustAnchor<'_>| {
                    let mut windows = anchor.subject.windows(name.len());
                    windows.any(|window| window == name.as_bytes())
                };
                assert!(CERTIFICATE_AUTHORITIES.iter().any(is_its), "{name}");
            }
        }
    }

    #[test]
    fn no_certificate_authority_is_about_to_end() {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        let next_year = 1970 + now.as_secs() / 31_556_952 + 1;
        for end in ends() {
            let year: u64 = end[..4].parse().unwrap();
            assert!(
                year > next_year,
                "a certificate authority ends on {end}: see certificates/NOTE.md"
            );
        }
    }
}
