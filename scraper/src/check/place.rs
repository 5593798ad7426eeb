//! Where `check` finds the Envoy.

use std::io::Write;

use daemon::check::Report;
use envoy::{Error, Gateway, Host, Info};

use super::{CERTIFICATE, ENVOY, FOUND, INVERTERS, LOGIN, NAME, REACHABLE, SERIAL};
use crate::config::Config;
use crate::journal::remembered_serial;
use crate::reach::{Unreached, hosts, may_have_moved};

/// The addresses to try, one at least: the configured one, or those that were found. None where there is none.
pub(super) async fn find<W: Write>(config: &Config, report: &mut Report<W>) -> Option<Vec<Host>> {
    let access = &config.access;
    if let Some(host) = &access.host {
        return Some(vec![host.clone()]);
    }
    let known = remembered_serial(&config.state_dir);
    let wanted = access.serial.as_ref().or(known.as_ref());
    let error = match access.browser.find(wanted.map(AsRef::as_ref)).await {
        Ok(found) => {
            let text = format!(
                "by mDNS the Envoy {} is at {}",
                found.serial,
                found.addresses.join(", ")
            );
            match hosts(&found) {
                hosts if hosts.is_empty() => format!("{text}, which is no address of use"),
                hosts => {
                    report.passed(FOUND, text);
                    return Some(hosts);
                }
            }
        }
        Err(error) => {
            let guess = known.filter(|_| access.serial.is_none());
            Unreached::lost(error, guess.as_ref(), &config.state_dir).explain()
        }
    };
    report.failed(FOUND, error);
    let behind = [
        NAME,
        REACHABLE,
        ENVOY,
        SERIAL,
        CERTIFICATE,
        LOGIN,
        INVERTERS,
    ];
    for step in behind {
        report.skipped(step, format!("not tried, because of the step '{FOUND}'"));
    }
    None
}

/// Who answers at the first of these addresses that is of use, and where else it was tried in vain. Where it
/// answers at none, the error is that of the first one.
pub(super) async fn ask(
    gateway: &mut Gateway,
    hosts: &[Host],
) -> (Result<Info, Error>, Vec<(Host, Error)>) {
    let mut tried = Vec::new();
    for host in hosts {
        gateway.move_to(host.clone());
        match gateway.info().await {
            Err(error) if may_have_moved(&error) => tried.push((host.clone(), error)),
            answer => return (answer, tried),
        }
    }
    let (_, first) = tried.remove(0);
    (Err(first), tried)
}

/// Where the Envoy may be, if it is not where it is configured to be.
pub(super) async fn hint(config: &Config, error: &Error) -> Option<String> {
    let access = &config.access;
    let configured = access.host.as_ref().filter(|_| may_have_moved(error))?;
    let known = remembered_serial(&config.state_dir);
    let wanted = access.serial.as_ref().or(known.as_ref());
    let found = access.browser.find(wanted.map(AsRef::as_ref)).await.ok()?;
    let address = found.address()?;
    let elsewhere = !hosts(&found).contains(configured);
    elsewhere.then(|| {
        format!(
            "by mDNS the Envoy {} is at {address}: set ENVOY_HOST to that, or leave it out to have it found",
            found.serial
        )
    })
}
