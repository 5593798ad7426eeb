//! The addresses of one Envoy, tried one after the other.

use discovery::Found;
use envoy::{Error, Gateway, Host, Info};

use super::may_have_moved;

/// How many addresses of one Envoy are tried in a row. Real ones announce three at most.
const MOST: usize = 3;

/// Where to try an Envoy that was found.
pub(crate) fn hosts(found: &Found) -> Vec<Host> {
    let addresses = found.addresses.iter();
    addresses
        .filter_map(|address| address.parse().ok())
        .take(MOST)
        .collect()
}

/// Asks who the Envoy is at one of these addresses after the other, until one is of use: something answers there
/// that may be it, and be it only busy. The client stays at that one, or else at the last. Gives that answer, where
/// there is one, and the addresses before it with what came of them.
pub(crate) async fn first_of_use(
    gateway: &mut Gateway,
    hosts: impl IntoIterator<Item = Host>,
) -> (Option<Result<Info, Error>>, Vec<(Host, Error)>) {
    let mut tried = Vec::new();
    for host in hosts {
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
