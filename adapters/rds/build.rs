//! Takes what verifying a chain needs out of the certificates: the name and the key of each authority, a third of their bytes, which nobody has to
//! read at every start.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, error, fs};

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use webpki::anchor_from_trusted_cert;

const PEM: &str = "certificates/rds-ca.pem";

fn main() -> Result<(), Box<dyn error::Error>> {
    println!("cargo::rerun-if-changed={PEM}");
    let mut anchors = String::from("&[\n");
    for certificate in CertificateDer::pem_file_iter(PEM)? {
        let certificate = certificate?;
        let anchor = anchor_from_trusted_cert(&certificate)?;
        if anchor.name_constraints.is_some() {
            return Err("an authority with name constraints, which are not written here".into());
        }
        writeln!(
            anchors,
            "TrustAnchor {{ subject: Der::from_slice(b\"{}\"), subject_public_key_info: Der::from_slice(b\"{}\"), name_constraints: None }},",
            anchor.subject.escape_ascii(),
            anchor.subject_public_key_info.escape_ascii(),
        )?;
    }
    anchors.push(']');
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("no OUT_DIR")?);
    fs::write(out.join("trust_anchors.rs"), anchors)?;
    Ok(())
}
