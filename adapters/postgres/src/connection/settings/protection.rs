//! How a connection is to be protected: from where it leads, `sslmode` and `sslrootcert`.
//!
//! Reads no file and knows no certificate.

use std::net::IpAddr;

use rowstamp_ports::Problems;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

use crate::connection::tls::TlsMode;

/// What a connection to the servers of `config` is protected by; `None` when that is not to be had, which is then reported.
pub(super) fn protection(
    config: &mut Config,
    sslmode: Option<&str>,
    rootcert: Option<&str>,
    problems: &mut Problems,
) -> Option<TlsMode> {
    let (hosts, addresses, ports) = (
        config.get_hosts().len(),
        config.get_hostaddrs().len(),
        config.get_ports().len(),
    );
    if hosts > 0 && addresses > 0 && hosts != addresses || ports > 1 && ports != hosts.max(addresses) {
        problems.report(
            "DATABASE_URL, or PGHOST and PGPORT",
            "expected as many addresses in hostaddr as hosts, and one port or one for each",
        );
        return None;
    }
    // To a socket leads no network, and PostgreSQL speaks no TLS there.
    let is_socket = |host: &Host| !matches!(host, Host::Tcp(_));
    if addresses == 0 && config.get_hosts().iter().all(is_socket) {
        return Some(TlsMode::Disable);
    }
    let is_local = is_local(config);
    let public_roots = rootcert == Some("system");
    let mode = match sslmode {
        None if public_roots => TlsMode::VerifyFull,
        // Anybody can have a certificate of a public authority, so without its name it says nothing of the server.
        Some(word) if public_roots && word != "verify-full" => {
            problems.report(
                "PGSSLMODE",
                "expected verify-full where PGSSLROOTCERT is system, as libpq does",
            );
            return None;
        }
        None if is_local => TlsMode::Disable,
        None => TlsMode::VerifyFull,
        Some(word) => TlsMode::read(word, is_local, rootcert.is_some()).or_else(|| {
            problems.report(
                "PGSSLMODE",
                "expected disable, allow, prefer, require, verify-ca or verify-full",
            );
            None
        })?,
    };
    if mode == TlsMode::Disable || addresses == 0 {
        return Some(mode);
    }
    if hosts == 0 && mode != TlsMode::VerifyFull {
        // The driver begins TLS only with somebody who has a name, though here nobody looks at it.
        let names: Vec<String> = config.get_hostaddrs().iter().map(ToString::to_string).collect();
        for name in names {
            config.host(name);
        }
    } else if hosts == 0 || config.get_hosts().iter().any(is_socket) {
        problems.report(
            "DATABASE_URL",
            "TLS needs the server's name: give the host beside its hostaddr",
        );
        return None;
    }
    Some(mode)
}

/// Whether bytes to every server stay on this machine. Where there is an address beside a name it is the address that is connected to,
/// whatever the name says.
fn is_local(config: &Config) -> bool {
    let (hosts, addresses) = (config.get_hosts(), config.get_hostaddrs());
    if addresses.is_empty() {
        hosts.iter().all(host_is_local)
    } else {
        addresses.iter().all(IpAddr::is_loopback) && hosts.iter().all(host_is_local)
    }
}

fn host_is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}
