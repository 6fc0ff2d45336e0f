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
#[cfg(feature = "iam")]
pub use tokens::IamTokens;

/// The certificate authorities of Amazon RDS and Aurora, as PEM text.
///
/// RDS Proxy's certificates come from Amazon Trust Services instead, which the public web roots include: trust both.
/// Where the text comes from and how it is renewed stands in `certificates/NOTE.md`.
pub const CERTIFICATE_AUTHORITIES: &str = include_str!("../certificates/rds-ca.pem");

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    use super::*;

    /// The days that the comments of the certificates give as their ends.
    fn ends() -> Vec<&'static str> {
        CERTIFICATE_AUTHORITIES
            .lines()
            .filter_map(|line| line.strip_prefix("# ")?.rsplit_once(", until "))
            .map(|(_, end)| end)
            .collect()
    }

    #[test]
    fn every_certificate_is_whole_and_named() {
        let begun = CERTIFICATE_AUTHORITIES
            .matches("-----BEGIN CERTIFICATE-----")
            .count();
        let ended = CERTIFICATE_AUTHORITIES
            .matches("-----END CERTIFICATE-----")
            .count();
        assert!(begun > 80, "{begun}");
        assert_eq!((begun, begun), (ended, ends().len()));
        for region in [
            "us-east-1",
            "eu-west-1",
            "eu-central-1",
            "ap-northeast-1",
            "sa-east-1",
        ] {
            assert!(
                CERTIFICATE_AUTHORITIES.contains(&format!("Amazon RDS {region} Root CA RSA2048 G1")),
                "{region}"
            );
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
