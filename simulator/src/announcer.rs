//! Announces the gateway by mDNS, as real ones do.
//!
//! They announce port 80 whatever they listen on, and their clients know that; this one announces the port
//! that it has, so that it can be found on any. The names are those of real gateways, of which the second in
//! one network calls itself `envoy-2`: mDNS sees to it that no two have the same.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use mdns_sd::{IfKind, ServiceDaemon, ServiceInfo};
use thiserror::Error;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::board::Boot;
use crate::serial::Serial;

/// What an Envoy announces.
const SERVICE: &str = "_enphase-envoy._tcp.local.";

/// What it takes to take the announcement back.
const GOODBYE: Duration = Duration::from_secs(1);

/// The gateway can't be announced.
#[derive(Debug, Error)]
#[error("can't announce the gateway by mDNS: leave --announce out, or choose another port for it")]
pub struct AnnounceError(#[from] mdns_sd::Error);

/// A gateway that is announced until this is dropped.
pub(crate) struct Announcer {
    daemon: ServiceDaemon,
    following: JoinHandle<()>,
}

/// Where the gateway is: by its firmware it may be one address or the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses {
    pub(crate) secure: SocketAddr,
    pub(crate) clear: SocketAddr,
}

impl Announcer {
    /// Announces the gateway at this port of mDNS, and anew with each boot: its firmware may be another one.
    pub(crate) fn start(
        port: u16,
        serial: &Serial,
        addresses: Addresses,
        mut boots: watch::Receiver<Arc<Boot>>,
    ) -> Result<Self, AnnounceError> {
        let daemon = ServiceDaemon::new_with_port(port)?;
        let first = service(serial.as_str(), addresses, &boots.borrow_and_update());
        let registered = first.and_then(|first| daemon.register(first));
        registered.inspect_err(|_| drop(daemon.shutdown()))?;
        let following = tokio::spawn({
            let (daemon, serial) = (daemon.clone(), serial.clone());
            async move {
                while boots.changed().await.is_ok() {
                    let next = service(serial.as_str(), addresses, &boots.borrow_and_update());
                    if let Err(error) = next.and_then(|next| daemon.register(next)) {
                        tracing::warn!(%error, "the gateway is announced as it was before");
                    }
                }
            }
        });
        Ok(Self { daemon, following })
    }

    /// Takes the announcement back.
    pub(crate) async fn stop(&self) {
        if let Ok(stopped) = self.daemon.shutdown() {
            // Whoever looked for it finds out by itself.
            let _ = timeout(GOODBYE, stopped.recv_async()).await;
        }
    }
}

impl Drop for Announcer {
    fn drop(&mut self) {
        self.following.abort();
        // After `stop` there is nothing left to end.
        let _ = self.daemon.shutdown();
    }
}

impl fmt::Debug for Announcer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Announcer").finish_non_exhaustive()
    }
}

/// What is announced of a gateway with this firmware.
fn service(serial: &str, addresses: Addresses, boot: &Boot) -> Result<ServiceInfo, mdns_sd::Error> {
    let firmware = boot.envoy.gateway().firmware.clone();
    let address = if firmware.uses_tokens() {
        addresses.secure
    } else {
        addresses.clear
    };
    let version = firmware.to_string();
    let version = version.trim_start_matches(|letter: char| letter.is_ascii_alphabetic());
    let properties = [
        ("serialnum", serial),
        ("protovers", version),
        ("txtvers", "1"),
    ];
    let ip = address.ip();
    let every = ip.is_unspecified();
    let addresses: &[IpAddr] = if every { &[] } else { &[ip] };
    let port = address.port();
    let mut service = ServiceInfo::new(
        SERVICE,
        "envoy",
        "envoy.local.",
        addresses,
        port,
        &properties[..],
    )?;
    if every {
        service = service.enable_addr_auto();
    } else if ip.is_loopback() {
        // Nobody else can use it.
        service.set_interfaces(vec![IfKind::LoopbackV4, IfKind::LoopbackV6]);
    }
    Ok(service)
}
