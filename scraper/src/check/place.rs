//! Where `check` finds the Envoy.

use std::io::Write;
use std::net::IpAddr;

use daemon::check::Report;
use discovery::{FindError, Found, NotFound};
use envoy::{Error, Gateway, Host, Info};

use super::{CERTIFICATE, ENVOY, FOUND, INVERTERS, LOGIN, NAME, REACHABLE, SERIAL};
use crate::config::Config;
use crate::journal::remembered_serial;
use crate::reach::{Unreached, first_of_use, hosts, may_have_moved};

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

/// Who answers at the first of these addresses, one at least, that is of use, and where else it was tried in vain.
/// Where it answers at none, the error is that of the first one.
pub(super) async fn ask(
    gateway: &mut Gateway,
    hosts: &[Host],
) -> (Result<Info, Error>, Vec<(Host, Error)>) {
    let (answer, mut tried) = first_of_use(gateway, hosts.iter().cloned()).await;
    let answer = answer.unwrap_or_else(|| {
        let (_, first) = tried.remove(0);
        Err(first)
    });
    (answer, tried)
}

/// Where the Envoy may be, if it is not where it is configured to be.
pub(super) async fn hint(config: &Config, error: &Error) -> Option<String> {
    let access = &config.access;
    let configured = access.host.as_ref().filter(|_| may_have_moved(error))?;
    let known = remembered_serial(&config.state_dir);
    let wanted = access.serial.as_ref().or(known.as_ref());
    // Not any other one in its place.
    let wanted = match error {
        Error::CertificateChanged(changed) => Some(changed.serial.as_str()),
        Error::OtherPinned { pinned, .. } => Some(pinned.as_str()),
        _ => wanted.map(AsRef::as_ref),
    };
    match access.browser.find(wanted).await {
        Ok(found) => elsewhere(configured, &addresses_of(configured).await, &found),
        Err(FindError::NotFound(NotFound::Several { found })) => Some(one_of(&found)),
        Err(_) => None,
    }
}

/// What the configured name stands for, or the configured address itself.
async fn addresses_of(host: &Host) -> Vec<IpAddr> {
    let found = tokio::net::lookup_host((host.name(), 0)).await;
    found.map_or_else(
        |_| Vec::new(),
        |found| found.map(|address| address.ip()).collect(),
    )
}

/// What to set instead of the configured host, which has these addresses, for the Envoy that was found; nothing
/// where it is there already.
fn elsewhere(configured: &Host, addresses: &[IpAddr], found: &Found) -> Option<String> {
    let hosts = hosts(found);
    let is_configured = |host: &&Host| {
        let name = host.name();
        name == configured.name() || name.parse().is_ok_and(|name| addresses.contains(&name))
    };
    let serial = &found.serial;
    let (place, host) = match hosts.iter().find(is_configured) {
        Some(same) if same.port() == configured.port() => return None,
        Some(same) => (format!("at another port, {same}"), same),
        None => {
            let best = hosts.first()?;
            (format!("at {best}"), best)
        }
    };
    Some(match configured.scheme() {
        // Somebody chose it, maybe so that nothing is ever asked in clear; an Envoy that is found by itself is
        // asked by both.
        Some(scheme) => {
            format!("by mDNS the Envoy {serial} is {place}: set ENVOY_HOST to {scheme}://{host}")
        }
        None => format!(
            "by mDNS the Envoy {serial} is {place}: set ENVOY_HOST to that, or leave it out to have it found"
        ),
    })
}

/// What to set where several Envoys were heard, and nothing says which one is meant.
fn one_of(found: &[Found]) -> String {
    let listed = found.iter().map(|one| {
        let address = one.address().unwrap_or("no address of use");
        format!("{} at {address}", one.serial)
    });
    format!(
        "by mDNS there are several Envoys, {}: set ENVOY_HOST to the address of the one that is meant",
        listed.collect::<Vec<_>>().join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(addresses: &[&str]) -> Found {
        Found {
            serial: "122000000001".to_owned(),
            firmware: None,
            addresses: addresses.iter().map(ToString::to_string).collect(),
        }
    }

    fn said(configured: &str, found_at: &[&str]) -> Option<String> {
        let named: [IpAddr; 1] = ["192.168.1.20".parse().expect("an address")];
        let configured = configured.parse().expect("a host");
        elsewhere(&configured, &named, &found(found_at))
    }

    #[test]
    fn an_envoy_at_another_address_is_named_with_what_to_set() {
        let said = said("192.168.1.20", &["192.168.1.21", "fd00::21"]).expect("a hint");
        let expected = "at 192.168.1.21: set ENVOY_HOST to that, or leave it out to have it found";
        assert!(said.ends_with(expected), "{said}");
    }

    #[test]
    fn a_scheme_that_was_chosen_is_kept() {
        let said = said("https://192.168.1.20", &["192.168.1.21"]).expect("a hint");
        let expected = "set ENVOY_HOST to https://192.168.1.21";
        assert!(said.ends_with(expected), "{said}");
    }

    #[test]
    fn an_envoy_that_is_where_it_should_be_is_no_hint() {
        for configured in [
            "192.168.1.20",
            "https://192.168.1.20",
            // A name with that address.
            "envoy.local",
            "http://envoy.local",
        ] {
            let at = ["169.254.1.1", "192.168.1.20"];
            assert_eq!(said(configured, &at), None, "{configured}");
        }
    }

    #[test]
    fn another_port_of_the_same_host_is_said_to_be_one() {
        for (configured, expected) in [
            (
                "192.168.1.20:8080",
                "at another port, 192.168.1.20: set ENVOY_HOST to that, or",
            ),
            (
                "https://envoy.local:8443",
                "at another port, 192.168.1.20: set ENVOY_HOST to https://192.168.1.20",
            ),
        ] {
            let said = said(configured, &["192.168.1.20"]).expect("a hint");
            assert!(said.contains(expected), "{said}");
        }
    }

    #[test]
    fn several_envoys_are_listed() {
        let said = one_of(&[found(&["192.168.1.21"]), found(&[])]);
        let parts = [
            "122000000001 at 192.168.1.21, ",
            "at no address of use",
            "set ENVOY_HOST",
        ];
        for part in parts {
            assert!(said.contains(part), "{said}");
        }
    }
}
