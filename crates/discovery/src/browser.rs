//! Asks the network who is there.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mdns_sd::{Receiver, ResolvedService, ServiceDaemon, ServiceEvent};
use tokio::time::{Instant, timeout_at};

use crate::announcement::Announcement;
use crate::choice::{NotFound, choose};
use crate::found::Found;

/// What an Envoy announces.
const SERVICE: &str = "_enphase-envoy._tcp.local.";

/// The port of mDNS.
const MDNS: u16 = 5353;

/// How long the one that is wanted may take to name its further addresses, once it was heard: IPv4 and
/// IPv6 come in separate answers, up to 120 ms apart (RFC 6762, section 6).
const SETTLING: Duration = Duration::from_millis(300);

/// How many announcements are looked at. Whoever sends more wants no good.
const MOST: usize = 256;

/// Looks for Envoys when it is asked to; between that it holds nothing open.
#[derive(Clone, Debug)]
pub struct Browser(Network);

/// Where it looks.
#[derive(Clone)]
enum Network {
    /// Whoever hears what is asked at this port.
    Port(u16),
    /// Those of whom it is told.
    Told(Arc<dyn Fn() -> Vec<Found> + Send + Sync>),
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(port) => write!(f, "port {port}"),
            Self::Told(_) => f.write_str("told"),
        }
    }
}

/// The network can't be asked.
#[derive(Debug, thiserror::Error)]
#[error("the network can't be asked for Envoys by mDNS: give the Envoy's address")]
pub struct BrowserError(#[from] mdns_sd::Error);

/// Why [`Browser::find`] finds none.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// The network can't be asked.
    #[error(transparent)]
    Browser(#[from] BrowserError),
    /// It was, and the Envoy is not there.
    #[error(transparent)]
    NotFound(#[from] NotFound),
}

impl Default for Browser {
    fn default() -> Self {
        Self(Network::Port(MDNS))
    }
}

impl Browser {
    /// How long a look takes: enough for an answer to the second question, sent after a second, where the
    /// first one was lost, as they are on Wi-Fi.
    pub const LOOK: Duration = Duration::from_secs(4);

    /// One that uses another port, where only who knows it answers: for tests.
    #[must_use]
    pub fn at_port(port: u16) -> Self {
        Self(Network::Port(port))
    }

    /// One that asks nobody, and finds those that `found` gives at that moment: for tests in which time does
    /// not pass as it does in the network.
    #[must_use]
    pub fn told(found: impl Fn() -> Vec<Found> + Send + Sync + 'static) -> Self {
        Self(Network::Told(Arc::new(found)))
    }

    /// All Envoys that are heard within this time.
    pub async fn look(&self, time: Duration) -> Result<Vec<Found>, BrowserError> {
        self.listen(time, None).await
    }

    /// The Envoy of this serial, as soon as it is heard; without a serial the only one that is heard within
    /// [`Browser::LOOK`].
    pub async fn find(&self, wanted: Option<&str>) -> Result<Found, FindError> {
        let found = self.listen(Self::LOOK, wanted).await?;
        Ok(choose(found, wanted)?)
    }

    async fn listen(
        &self,
        time: Duration,
        wanted: Option<&str>,
    ) -> Result<Vec<Found>, BrowserError> {
        let port = match &self.0 {
            Network::Port(port) => *port,
            Network::Told(found) => return Ok(found()),
        };
        let mut end = Instant::now() + time;
        let asking = Asking::start(port)?;
        let mut heard: Vec<Announcement> = Vec::new();
        let mut known = false;
        while heard.len() < MOST {
            // A closed channel is the end of the daemon: what was heard until then counts.
            let Ok(Ok(event)) = timeout_at(end, asking.events.recv_async()).await else {
                break;
            };
            let ServiceEvent::ServiceResolved(service) = event else {
                continue;
            };
            let Some(announcement) = announcement(&service) else {
                tracing::debug!(?service, "an announcement that is no Envoy's");
                continue;
            };
            tracing::debug!(?announcement, "an Envoy announces itself");
            heard.push(announcement);
            if !known && wanted.is_some_and(|wanted| is_known(&heard, wanted)) {
                known = true;
                end = end.min(Instant::now() + SETTLING);
            }
        }
        Ok(Found::of(&heard))
    }
}

/// Whether the Envoy that is wanted has named an address of use. The first one that comes may be a `fe80::`,
/// and the next one as late as the second question.
fn is_known(heard: &[Announcement], wanted: &str) -> bool {
    let found = Found::of(heard);
    let wanted = found.iter().find(|one| one.serial == wanted);
    wanted.is_some_and(|one| one.address().is_some())
}

fn announcement(service: &ResolvedService) -> Option<Announcement> {
    let text = |key| service.get_property_val_str(key);
    let addresses = service.get_addresses().iter();
    Announcement::new(
        text("serialnum")?,
        text("protovers"),
        addresses.map(mdns_sd::ScopedIp::to_ip_addr),
        service.get_port(),
    )
}

/// A question that is open. Its thread and its sockets end with it.
struct Asking {
    daemon: ServiceDaemon,
    events: Receiver<ServiceEvent>,
}

impl Asking {
    fn start(port: u16) -> Result<Self, mdns_sd::Error> {
        let daemon = ServiceDaemon::new_with_port(port)?;
        let events = daemon.browse(SERVICE);
        let events = events.inspect_err(|_| drop(daemon.shutdown()))?;
        Ok(Self { daemon, events })
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        // Nobody is left to be told that its thread does not listen any more.
        let _ = self.daemon.shutdown();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(serial: &str, address: &str) -> Announcement {
        let address = address.parse().expect("an address");
        Announcement::new(serial, None, [address], 80).expect("an announcement")
    }

    #[test]
    fn an_envoy_is_waited_for_until_it_has_named_an_address_of_use() {
        let said = [
            said("2", "192.168.1.22"),
            said("1", "fe80::1"),
            said("1", "192.168.1.21"),
        ];
        assert!(!is_known(&said[..1], "1"));
        assert!(!is_known(&said[..2], "1"));
        assert!(is_known(&said, "1"));
    }
}
