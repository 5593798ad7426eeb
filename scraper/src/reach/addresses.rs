//! The addresses of one Envoy, tried one after the other.

use std::time::Duration;

use discovery::Found;
use envoy::{Error, Gateway, Host, Info};
use tokio::time::Instant;

use super::may_have_moved;

/// How many addresses of one Envoy are tried in a row. Real ones announce three at most; further ones are
/// somebody's who tells its serial, and nobody is to have the whole network asked by us.
pub(crate) const MOST: usize = 16;

/// How long others are still turned to, once one has been of no use: a poll is not only for that.
const WITHIN: Duration = Duration::from_secs(30);

/// Where to try an Envoy that was found, the best address first.
pub(crate) fn hosts(found: &Found) -> Vec<Host> {
    let addresses = found.addresses.iter();
    addresses
        .filter_map(|address| address.parse().ok())
        .collect()
}

/// Where the next look begins, where the one before had not got to the end of the list: with whatever many others
/// announce the Envoy's serial, its own address comes in its turn.
#[derive(Debug, Default)]
pub(super) struct Turn(usize);

impl Turn {
    /// All of these addresses, those first that were not tried last time.
    pub(super) fn order(&self, mut hosts: Vec<Host>) -> Vec<Host> {
        if !hosts.is_empty() {
            let first = self.0 % hosts.len();
            hosts.rotate_left(first);
        }
        hosts
    }

    /// So many of them were tried in vain.
    pub(super) fn vain(&mut self, tried: usize) {
        self.0 = self.0.wrapping_add(tried);
    }

    /// One was of use.
    pub(super) fn is_over(&mut self) {
        self.0 = 0;
    }
}

/// Asks who the Envoy is at one of these addresses after the other, until one is of use: something answers there
/// that may be it, and be it only busy. The client stays at that one, or else at the last. Gives that answer, where
/// there is one, and the addresses before it with what came of them: one at least, where there are any.
pub(crate) async fn first_of_use(
    gateway: &mut Gateway,
    hosts: impl IntoIterator<Item = Host>,
) -> (Option<Result<Info, Error>>, Vec<(Host, Error)>) {
    let until = Instant::now() + WITHIN;
    let mut tried = Vec::new();
    for host in hosts.into_iter().take(MOST) {
        if !tried.is_empty() && Instant::now() > until {
            break;
        }
        gateway.move_to(host.clone());
        match gateway.info().await {
            Err(error) if may_have_moved(&error) => {
                tracing::debug!(%error, address = %host, "the Envoy announces an address that is of no use");
                tried.push((host, error));
            }
            answer => return (Some(answer), tried),
        }
    }
    (None, tried)
}

/// What to say where none was of use: that somebody has the serial and not the certificate, since that may be the
/// Envoy itself after an update; otherwise what came of the first.
pub(super) fn most_telling(tried: Vec<(Host, Error)>) -> Option<Error> {
    let mut errors: Vec<Error> = tried.into_iter().map(|(_, error)| error).collect();
    let refused = errors.iter().position(is_refused);
    (!errors.is_empty()).then(|| errors.swap_remove(refused.unwrap_or(0)))
}

/// Whether it answers and is not accepted, for the sake of a certificate.
pub(super) fn is_refused(error: &Error) -> bool {
    matches!(
        error,
        Error::CertificateChanged(_) | Error::OtherPinned { .. }
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn with_however_many_false_addresses_each_one_has_its_turn() {
        let found = Found {
            serial: "122000000001".to_owned(),
            firmware: None,
            addresses: (1..=50).map(|last| format!("192.168.1.{last}")).collect(),
        };
        let mut turn = Turn::default();
        let mut tried = BTreeSet::new();
        for _ in 0..50_usize.div_ceil(MOST) {
            let now = turn.order(hosts(&found)).into_iter().take(MOST);
            tried.extend(now.map(|host| host.to_string()));
            turn.vain(MOST);
        }
        assert_eq!(tried.len(), 50);
        turn.is_over();
        assert_eq!(turn.order(hosts(&found)), hosts(&found));
        assert_eq!(turn.order(Vec::new()), []);
    }
}
