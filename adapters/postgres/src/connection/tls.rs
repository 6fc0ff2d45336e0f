//! TLS to the database: which certificates are trusted and what `sslmode` checks.
//!
//! The cryptography provider is passed explicitly, so nothing depends on a process-wide default.

use std::sync::Arc;

use rowstamp_ports::Problems;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

/// What `sslmode` comes down to here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TlsMode {
    /// Clear text.
    Disable,
    /// Clear text, and TLS where the server refuses that; only ever towards this machine, where clear text reaches nobody else.
    Allow,
    /// TLS if the server offers it; only ever towards this machine, where clear text reaches nobody else.
    Prefer,
    /// TLS, whoever the server is.
    Require,
    /// TLS, with a certificate of a trusted authority.
    VerifyCa,
    /// TLS, with a certificate of a trusted authority for this host.
    VerifyFull,
}

impl TlsMode {
    /// What libpq's word means. `allow` and `prefer` fall back to clear text only towards this machine; `require` verifies the
    /// authority when a root certificate was named, as libpq does. libpq refuses `verify-ca` where none was named; here there are public
    /// authorities then, of which anybody can have a certificate, so that the name has to be looked at.
    pub(super) fn read(word: &str, local: bool, root_named: bool) -> Option<Self> {
        Some(match word {
            "disable" => Self::Disable,
            "allow" if local => Self::Allow,
            "prefer" if local => Self::Prefer,
            "allow" | "prefer" | "require" | "verify-ca" if root_named => Self::VerifyCa,
            "allow" | "prefer" | "require" => Self::Require,
            "verify-ca" | "verify-full" => Self::VerifyFull,
            _ => return None,
        })
    }
}

/// The certificate authorities that are trusted: the public web roots and those added, or only those named.
#[derive(Debug, Clone, Default)]
pub(super) struct Roots {
    added: &'static [TrustAnchor<'static>],
    named: Option<Vec<CertificateDer<'static>>>,
}

impl Roots {
    /// Trusts these as well.
    pub(super) const fn add(&mut self, authorities: &'static [TrustAnchor<'static>]) {
        self.added = authorities;
    }

    /// Trusts these and no others.
    pub(super) fn replace(&mut self, name: &str, pem: &[u8], problems: &mut Problems) {
        self.named = Some(read_pem(name, pem, problems));
    }

    fn store(&self) -> RootCertStore {
        let mut store = RootCertStore::empty();
        if let Some(named) = &self.named {
            store.add_parsable_certificates(named.iter().cloned());
        } else {
            store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().chain(self.added).cloned());
        }
        store
    }
}

/// The certificates of a file. What PEM holds need be no certificate, and one that nothing can be verified with is found out here
/// and not by the first request.
fn read_pem(name: &str, pem: &[u8], problems: &mut Problems) -> Vec<CertificateDer<'static>> {
    let certificates = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .unwrap_or_default();
    let (usable, _) = RootCertStore::empty().add_parsable_certificates(certificates.iter().cloned());
    if usable == 0 {
        let found = if certificates.is_empty() {
            "expected certificates in PEM"
        } else {
            "none of the certificates can be used to verify another"
        };
        problems.report(name, found);
    }
    certificates
}

/// The TLS side of the driver; it is made once and cheap to clone.
///
/// # Errors
/// When no trusted certificate is usable.
pub(super) fn connector(mode: TlsMode, roots: &Roots) -> Result<MakeRustlsConnect, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let config = match mode {
        TlsMode::VerifyFull => builder
            .with_root_certificates(roots.store())
            .with_no_client_auth(),
        TlsMode::VerifyCa => {
            let webpki = WebPkiServerVerifier::builder_with_provider(Arc::new(roots.store()), provider)
                .build()
                .map_err(|error| Error::General(error.to_string()))?;
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AnyName { webpki }))
                .with_no_client_auth()
        }
        TlsMode::Disable | TlsMode::Allow | TlsMode::Prefer | TlsMode::Require => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyServer { provider }))
            .with_no_client_auth(),
    };
    Ok(MakeRustlsConnect::new(config))
}

/// `verify-ca`: the chain is verified, the host name is not.
#[derive(Debug)]
struct AnyName {
    webpki: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self
            .webpki
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        {
            // The name is looked at last, so all else was in order.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.webpki.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.webpki.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.webpki.supported_verify_schemes()
    }
}

/// `require`: the connection is encrypted, to whomever it leads.
#[derive(Debug)]
struct AnyServer {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_has_a_connector() {
        for mode in [
            TlsMode::Disable,
            TlsMode::Allow,
            TlsMode::Prefer,
            TlsMode::Require,
            TlsMode::VerifyCa,
            TlsMode::VerifyFull,
        ] {
            assert!(connector(mode, &Roots::default()).is_ok(), "{mode:?}");
        }
    }

    #[test]
    fn what_is_no_certificate_is_reported() {
        for (pem, told) in [
            (&b"nothing"[..], "bundle: expected certificates in PEM"),
            (
                b"-----BEGIN CERTIFICATE-----\nbm8gREVS\n-----END CERTIFICATE-----\n",
                "bundle: none of the certificates can be used to verify another",
            ),
        ] {
            let mut problems = Problems::new();
            Roots::default().replace("bundle", pem, &mut problems);
            assert_eq!(problems.iter().collect::<Vec<_>>(), [told]);
        }
    }

    #[test]
    fn a_named_root_makes_require_verify_the_authority() {
        assert_eq!(TlsMode::read("require", false, true), Some(TlsMode::VerifyCa));
        assert_eq!(TlsMode::read("on", false, true), None);
        assert_eq!(TlsMode::read("verify-ca", false, true), Some(TlsMode::VerifyCa));
        assert_eq!(TlsMode::read("verify-ca", true, false), Some(TlsMode::VerifyFull));
    }
}
