//! A running simulator.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::access::Signer;
use crate::announcer::{Addresses, Announcer};
use crate::board::Board;
use crate::clock::OurTime;
use crate::cloud::RunningCloud;
use crate::faults::Faults;
use crate::gateway::{Gateway, Recording, Synthetic};
use crate::hold::Hold;
use crate::ledger::Ledger;
use crate::options::{Options, OptionsError, SiteOptions, Source};
use crate::serial::Serial;
use crate::server::{Conduct, Door, Record, Requests, Server, Side};
use crate::site::{History, Site};

mod commands;
mod start_error;

pub use commands::{NoCloud, NothingHeld};
pub use start_error::StartError;

/// A simulated gateway that answers on its address until it is stopped or dropped.
///
/// After a drop the address is given back soon; [`Simulator::stop`] waits for it.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    http_address: Option<SocketAddr>,
    next_address: Option<SocketAddr>,
    serial: Serial,
    token: SecretString,
    board: Board,
    faults: Arc<Faults>,
    hold: Option<Arc<Hold>>,
    cloud: Option<RunningCloud>,
    announcer: Option<Announcer>,
    requests: Option<Arc<Requests>>,
    stop: watch::Sender<bool>,
    servers: Vec<JoinHandle<()>>,
}

impl Source {
    fn hold(&self) -> Option<Arc<Hold>> {
        let Self::Site(site) = self else { return None };
        site.hold_for.map(|reader| Arc::new(Hold::new(reader)))
    }
}

impl Simulator {
    /// Starts a simulator on the current tokio runtime. When this returns, the address answers and
    /// the token is written.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let now = options.our_time.now();
        let ledger = options
            .ledger
            .as_deref()
            .map(|path| Ledger::open(path, options.our_time.clone()))
            .transpose()?
            .map(Arc::new);
        let seed = match &options.source {
            Source::Site(site) => site.seed,
            Source::Recording(_) => SiteOptions::default().seed,
        };
        // Files are read, or a week is computed.
        let source = options.source;
        let hold = source.hold();
        let (of_gateway, ours) = (hold.clone(), options.our_time);
        let gateway = tokio::task::spawn_blocking(move || gateway(source, of_gateway, ours, now))
            .await
            .expect("making a gateway does not panic and is not cancelled")?;
        let serial = gateway.serial.clone();
        let cloud = match &options.cloud {
            Some(cloud) => Some(RunningCloud::start(cloud, &gateway).await?),
            None => None,
        };
        let faults = Arc::new(Faults::new(options.faults, seed));
        let board = Board::new(gateway, faults.clone(), options.certificate)?;
        let firmware = board.current().firmware().clone();
        let door = take(options.listen)?;
        let (address, secure_port) = (door.address(), door.address().port());
        let mut doors = vec![(door, Side::Only, false)];
        let mut http_address = None;
        if let Some(address) = options.http_listen {
            let door = take(address)?;
            http_address = Some(door.address());
            doors[0].1 = Side::Secure;
            doors.push((door, Side::Clear { secure_port }, false));
        }
        let mut next_address = None;
        if let Some(address) = options.next_listen {
            let door = take(address)?;
            next_address = Some(door.address());
            doors.push((door, Side::Only, true));
        }

        // Dated by our clock: the gateway's own is never ahead of it.
        let token = Signer::new().owner_token(&serial, now);
        if let Some(path) = &options.token_out {
            write_token(path, &token).map_err(|source| StartError::TokenOut {
                path: path.clone(),
                source,
            })?;
        }
        let (stop, stopped) = watch::channel(false);
        let requests = options.note_requests.then(Arc::default);
        let mut servers = Vec::new();
        for (door, side, next) in doors {
            let server = Server {
                boots: board.boots(),
                side,
                next,
                record: Record {
                    ledger: ledger.clone(),
                    hold: hold.clone(),
                    requests: requests.clone(),
                },
                faults: faults.clone(),
            };
            let door = if next || side.conduct(&firmware) == Conduct::Closed {
                door
            } else {
                open(door)?
            };
            servers.push(tokio::spawn(server.run(door, stopped.clone())));
        }
        // Last of all, so that it answers whoever finds it.
        let addresses = Addresses {
            secure: address,
            clear: http_address.unwrap_or(address),
        };
        let announcer = options
            .announce
            .map(|port| Announcer::start(port, &serial, addresses, board.boots()))
            .transpose()?;
        Ok(Self {
            address,
            http_address,
            next_address,
            serial,
            token,
            board,
            faults,
            hold,
            cloud,
            announcer,
            requests,
            stop,
            servers,
        })
    }

    /// Where it listens on its firmware of now: `http://127.0.0.1:PORT`, `https://` from 7 on, without a
    /// final slash. Below 7 that is the second address, where there is one.
    #[must_use]
    pub fn url(&self) -> String {
        let boot = self.board.current();
        let next = self.next_address.filter(|_| boot.moved);
        if boot.firmware().uses_tokens() {
            return format!("https://{}", next.unwrap_or(self.address));
        }
        let address = next.or(self.http_address);
        format!("http://{}", address.unwrap_or(self.address))
    }

    /// Its second address, which stands for port 80, open or not: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn http_url(&self) -> Option<String> {
        self.http_address.map(|address| format!("http://{address}"))
    }

    /// Its certificate in DER; none below firmware 7.
    #[must_use]
    pub fn certificate(&self) -> Option<Vec<u8>> {
        let boot = self.board.current();
        let identity = boot.identity.as_ref();
        identity.map(|identity| identity.certificate.to_vec())
    }

    /// The gateway's serial.
    #[must_use]
    pub fn serial(&self) -> &str {
        self.serial.as_str()
    }

    /// A token of the gateway's owner, valid for a year. Below firmware 7 nobody asks for it.
    #[must_use]
    pub fn token(&self) -> &SecretString {
        &self.token
    }

    /// Where the cloud listens, Enlighten and Entrez alike: `http://127.0.0.1:PORT`, without a final
    /// slash. None where the options ask for no cloud.
    #[must_use]
    pub fn cloud_url(&self) -> Option<&str> {
        self.cloud.as_ref().map(RunningCloud::url)
    }

    /// Stops: no new connections, answers under way get a second to finish.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Some(announcer) = &self.announcer {
            announcer.stop().await;
        }
        for server in self.servers {
            // Ends with an error only if it panicked, which the panic itself has reported.
            let _ = server.await;
        }
    }
}

fn take(address: SocketAddr) -> Result<Door, StartError> {
    let listen_error = |source| StartError::Listen { address, source };
    Door::take(address).map_err(listen_error)
}

fn open(door: Door) -> Result<Door, StartError> {
    let address = door.address();
    let listen_error = |source| StartError::Listen { address, source };
    door.open().map_err(listen_error)
}

fn gateway(
    source: Source,
    hold: Option<Arc<Hold>>,
    ours: OurTime,
    now: Timestamp,
) -> Result<Gateway, StartError> {
    match source {
        Source::Recording(directory) => Ok(Gateway::recorded(Recording::load(&directory)?, ours)),
        Source::Site(options) => Ok(synthetic(&options, hold, ours, now)?),
    }
}

fn synthetic(
    options: &SiteOptions,
    hold: Option<Arc<Hold>>,
    ours: OurTime,
    now: Timestamp,
) -> Result<Gateway, OptionsError> {
    options.check(now)?;
    let (firmware, serial) = (options.firmware.clone(), options.serial.clone());
    let site = Site::new(&options.plan(), &firmware, &serial);
    let clock = options.clock(ours, now);
    let history = History::new(site, clock.at(now).as_second());
    Ok(Gateway::synthetic(
        Synthetic::new(firmware, serial, options.equipment(), history, hold),
        clock,
        options.noon,
    ))
}

fn write_token(path: &Path, token: &SecretString) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    writeln!(file, "{}", token.expose_secret())
}
