//! Certificates of a test's own, and the authorities that vouch for them.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// An authority that signs servers' certificates.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A server's certificate and its key, in PEM.
#[derive(Debug)]
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

impl Identity {
    /// What takes a server's connections by TLS under this identity.
    ///
    /// # Panics
    /// When certificate or key cannot be read.
    pub fn acceptor(&self) -> TlsAcceptor {
        let certificate =
            CertificateDer::from_pem_slice(self.certificate.as_bytes()).expect("it is a certificate");
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).expect("it is a key");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has them")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("the key is the certificate's");
        TlsAcceptor::from(Arc::new(config))
    }
}

impl Authority {
    /// A new one.
    ///
    /// # Panics
    /// When no key can be made.
    #[expect(clippy::new_without_default, reason = "it does something")]
    pub fn new() -> Self {
        let key = KeyPair::generate().expect("a certificate can be made");
        let mut params = CertificateParams::new([]).expect("a certificate can be made");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).expect("a certificate can be made").pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// What clients trust.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for a server of this name.
    ///
    /// # Panics
    /// When it is no name.
    pub fn identity(&self, name: &str) -> Identity {
        self.sign(&CertificateParams::new([name.to_owned()]).expect("a certificate can be made"))
    }

    /// The same, but its time is over.
    ///
    /// # Panics
    /// When it is no name.
    pub fn expired_identity(&self, name: &str) -> Identity {
        let mut params = CertificateParams::new([name.to_owned()]).expect("a certificate can be made");
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> Identity {
        let key = KeyPair::generate().expect("a certificate can be made");
        Identity {
            certificate: params
                .signed_by(&key, &self.issuer)
                .expect("a certificate can be made")
                .pem(),
            key: key.serialize_pem(),
        }
    }
}
