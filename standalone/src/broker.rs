//! The embedded broker: everything that depends on its crate, whose interface changes often.

mod admission;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mqtt5::broker::config::{AuthConfig, StorageBackend, StorageConfig};
use mqtt5::broker::{BrokerConfig, BrokerShutdownHandle, MqttBroker};
use tokio::task::JoinHandle;

use self::admission::Admission;
use crate::account::{Account, Place};

/// The largest packet that is taken, in bytes, as in the shipped configuration of Mosquitto. The library's
/// own limit is a byte more than MQTT 5 knows, and Home Assistant does not connect to a broker that says so.
const LARGEST_PACKET: usize = 1 << 20;

/// Where MQTT brokers listen by custom.
const CUSTOMARY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 1883);

/// A broker in this process.
pub struct Broker {
    address: SocketAddr,
    account: Option<Account>,
    shutdown: BrokerShutdownHandle,
    running: JoinHandle<Result<(), mqtt5::MqttError>>,
}

/// Why the broker did not start.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The address can't be listened on.
    #[error(
        "the embedded broker can't listen on {address}; choose another address with --broker-listen"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the broker says.
        #[source]
        source: mqtt5::MqttError,
    },
    /// It stopped before it was ready.
    #[error("the embedded broker did not start")]
    Start(#[source] io::Error),
}

impl Broker {
    /// Starts a broker that keeps its state in `directory`. Without a chosen address it takes the
    /// customary one, or a free port when that one is taken. With an account nobody gets in without it.
    ///
    /// # Errors
    /// When it can't listen.
    pub async fn start(place: &Place, directory: &Path) -> Result<Self, BrokerError> {
        let mut broker = match place.listen {
            Some(address) => listen(address, directory).await?,
            None => match listen(CUSTOMARY, directory).await {
                Ok(broker) => broker,
                Err(_) => listen((Ipv4Addr::LOCALHOST, 0).into(), directory).await?,
            },
        };
        let account = place.account.clone();
        if let Some(account) = account.clone() {
            broker = broker.with_auth_provider(Arc::new(Admission(account)));
        }
        let not_started = |reason: &str| BrokerError::Start(io::Error::other(reason.to_owned()));
        let address = broker
            .local_addr()
            .ok_or_else(|| not_started("it has no address"))?;
        let shutdown = broker.shutdown_handle();
        let mut ready = broker.ready_receiver();
        let running = tokio::spawn(async move { broker.run().await });
        ready
            .wait_for(|ready| *ready)
            .await
            .map_err(|_| not_started("it ended at once"))?;
        Ok(Self {
            address,
            account,
            shutdown,
            running,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where clients of this process reach it: one that listens at all addresses is asked on this machine.
    #[must_use]
    pub fn from_here(&self) -> SocketAddr {
        crate::account::from_here(self.address)
    }

    /// Whom it lets in; without an account, everybody.
    #[must_use]
    pub fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }

    /// Completes when the broker has ended by itself.
    pub async fn ended(&mut self) -> io::Error {
        match (&mut self.running).await {
            Ok(Ok(())) => io::Error::other("the embedded broker ended"),
            Ok(Err(error)) => io::Error::other(error),
            Err(error) => io::Error::other(error),
        }
    }

    /// Stops it properly: killed, it would lose the newest of what it has acknowledged.
    pub async fn stop(self) {
        self.shutdown.shutdown();
        if let Err(error) = self.running.await {
            tracing::warn!(%error, "the embedded broker did not stop properly");
        }
    }
}

async fn listen(address: SocketAddr, directory: &Path) -> Result<MqttBroker, BrokerError> {
    MqttBroker::with_config(config(address, directory.to_owned()))
        .await
        .map_err(|source| BrokerError::Listen { address, source })
}

fn config(address: SocketAddr, directory: PathBuf) -> BrokerConfig {
    BrokerConfig {
        max_packet_size: LARGEST_PACKET,
        bind_addresses: vec![address],
        auth_config: AuthConfig {
            allow_anonymous: true,
            ..AuthConfig::default()
        },
        storage_config: StorageConfig {
            backend: StorageBackend::File,
            base_dir: directory,
            ..StorageConfig::default()
        },
        ..BrokerConfig::default()
    }
}

#[cfg(test)]
mod tests;
