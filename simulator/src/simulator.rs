//! A running simulator.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::access::Signer;
use crate::certificate::{self, CertificateError};
use crate::cloud::{
    self, Cloud, CloudOptions, CloudRequest, CloudRequestsError, CloudSwitch, Requests,
};
use crate::envoy::Envoy;
use crate::faults::{FaultPlan, Faults};
use crate::gateway::{Gateway, Recording, RecordingError, Synthetic};
use crate::hold::Hold;
use crate::ledger::{Ledger, LedgerError};
use crate::options::{Options, OptionsError, SiteOptions, Source};
use crate::serial::Serial;
use crate::server::{self, Record, Server};
use crate::site::{History, Site};

/// A simulated gateway that answers on its address until it is stopped or dropped.
///
/// After a drop the address is given back soon; [`Simulator::stop`] waits for it.
#[derive(Debug)]
pub struct Simulator {
    url: String,
    serial: Serial,
    token: SecretString,
    faults: Arc<Faults>,
    hold: Option<Arc<Hold>>,
    cloud: Option<RunningCloud>,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

/// The cloud beside a gateway; its connections end with it.
#[derive(Debug)]
struct RunningCloud {
    url: String,
    cloud: Arc<Cloud>,
    _server: JoinSet<()>,
}

/// Why a simulator could not be started.
#[derive(Debug, Error)]
pub enum StartError {
    /// An option has a value that can't be.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// The recording can't be replayed.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// The ledger can't be kept.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The token can't be written.
    #[error("can't write the token to {}: name a file that can be written", .path.display())]
    TokenOut {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The address can't be listened on.
    #[error("can't listen on {address}: take a free port of this machine, or port 0")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// TLS could not be set up.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The cloud's requests can't be written.
    #[error(transparent)]
    CloudRequests(#[from] CloudRequestsError),
}

/// The simulator shows each report as it comes.
#[derive(Debug, Error)]
#[error("no report is held on show: start the simulator with --hold")]
pub struct NothingHeld;

/// The simulator has no cloud.
#[derive(Debug, Error)]
#[error("there is no cloud: start the simulator with --cloud")]
pub struct NoCloud;

impl Source {
    fn hold(&self) -> Option<Arc<Hold>> {
        let Self::Site(site) = self else { return None };
        site.hold_for.map(|reader| Arc::new(Hold::new(reader)))
    }
}

impl StartError {
    /// Whether another choice of options would help; else the machine is in the way.
    #[must_use]
    pub fn is_bad_input(&self) -> bool {
        !matches!(self, Self::Listen { .. } | Self::Certificate(_))
    }
}

impl Simulator {
    /// Starts a simulator on the current tokio runtime. When this returns, the address answers and
    /// the token is written.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let now = Timestamp::now();
        let ledger = options
            .ledger
            .as_deref()
            .map(Ledger::open)
            .transpose()?
            .map(Arc::new);
        let seed = match &options.source {
            Source::Site(site) => site.seed,
            Source::Recording(_) => SiteOptions::default().seed,
        };
        // Files are read, or a week is computed.
        let source = options.source;
        let hold = source.hold();
        let of_gateway = hold.clone();
        let gateway = tokio::task::spawn_blocking(move || gateway(source, of_gateway, now))
            .await
            .expect("making a gateway does not panic and is not cancelled")?;
        let (serial, uses_tokens) = (gateway.serial.clone(), gateway.firmware.uses_tokens());
        let tls = uses_tokens
            .then(|| certificate::acceptor(&serial, now))
            .transpose()?;
        let (listener, address) = listen(options.listen)?;
        let cloud = options
            .cloud
            .map(|cloud| RunningCloud::start(&cloud, &gateway))
            .transpose()?;

        // Dated by our clock, as the cloud's are; the gateway's own is never ahead of it.
        let token = Signer::new().owner_token(&serial, now);
        if let Some(path) = &options.token_out {
            write_token(path, &token).map_err(|source| StartError::TokenOut {
                path: path.clone(),
                source,
            })?;
        }
        let scheme = if uses_tokens { "https" } else { "http" };
        let (stop, stopped) = watch::channel(false);
        let faults = Arc::new(Faults::new(options.faults, seed));
        let server = Server {
            envoy: Arc::new(Envoy::new(gateway, faults.clone())),
            tls,
            record: Record {
                ledger,
                hold: hold.clone(),
            },
            faults: faults.clone(),
        };
        Ok(Self {
            url: format!("{scheme}://{address}"),
            serial,
            token,
            faults,
            hold,
            cloud,
            stop,
            server: tokio::spawn(server.run(listener, address, stopped)),
        })
    }

    /// Where it listens: `http://127.0.0.1:PORT`, `https://` from firmware 7 on, without a final slash.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
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

    /// One more fault, its times counted from now: `Fault::Hang.into()`, or a plan.
    pub fn inject(&self, plan: FaultPlan) {
        self.faults.add(plan);
    }

    /// Ends all faults, also those whose time is still to come.
    pub fn heal(&self) {
        self.faults.heal();
    }

    /// What holds reports on show, where the options ask for it.
    fn hold(&self) -> Result<&Hold, NothingHeld> {
        self.hold.as_deref().ok_or(NothingHeld)
    }

    /// A reader has started: complete answers until now count no more.
    ///
    /// # Errors
    /// Where reports are not held, as of all that follow.
    pub fn reader_started(&self) -> Result<(), NothingHeld> {
        self.hold()?.reader_started();
        Ok(())
    }

    /// Nothing new is shown any more.
    pub fn freeze(&self) -> Result<(), NothingHeld> {
        self.hold()?.freeze(true);
        Ok(())
    }

    /// What is new is shown again.
    pub fn thaw(&self) -> Result<(), NothingHeld> {
        self.hold()?.freeze(false);
        Ok(())
    }

    /// Sets the gateway's clock back: reports from now on are dated by it, but none as one before it.
    pub fn set_back(&self, by: Duration) -> Result<(), NothingHeld> {
        self.hold()?.set_back(by);
        Ok(())
    }

    /// Where the cloud listens, Enlighten and Entrez alike: `http://127.0.0.1:PORT`, without a final
    /// slash. None where the options ask for no cloud.
    #[must_use]
    pub fn cloud_url(&self) -> Option<&str> {
        self.cloud.as_ref().map(|cloud| cloud.url.as_str())
    }

    /// What the cloud was asked since the start, in order; the newest 100,000.
    ///
    /// # Errors
    /// Where there is no cloud, as of the one that follows.
    pub fn cloud_requests(&self) -> Result<Vec<CloudRequest>, NoCloud> {
        Ok(self.cloud.as_ref().ok_or(NoCloud)?.cloud.requests())
    }

    /// Changes how the cloud behaves from now on.
    pub fn switch_cloud(&self, switch: CloudSwitch) -> Result<(), NoCloud> {
        self.cloud.as_ref().ok_or(NoCloud)?.cloud.switch(switch);
        Ok(())
    }

    /// Stops: no new connections, answers under way get a second to finish.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        // Ends with an error only if it panicked, which the panic itself has reported.
        let _ = self.server.await;
    }
}

impl RunningCloud {
    fn start(options: &CloudOptions, gateway: &Gateway) -> Result<Self, StartError> {
        let requests = Requests::open(options.requests.as_deref())?;
        let (listener, address) = listen(options.listen)?;
        let (serial, clock) = (gateway.serial.clone(), gateway.clock());
        let cloud = Arc::new(Cloud::new(options, serial, clock, requests));
        let mut server = JoinSet::new();
        server.spawn(cloud::serve(cloud.clone(), listener));
        Ok(Self {
            url: format!("http://{address}"),
            cloud,
            _server: server,
        })
    }
}

fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let listen_error = |source| StartError::Listen { address, source };
    let listener = server::listen(address).map_err(listen_error)?;
    let address = listener.local_addr().map_err(listen_error)?;
    Ok((listener, address))
}

fn gateway(source: Source, hold: Option<Arc<Hold>>, now: Timestamp) -> Result<Gateway, StartError> {
    match source {
        Source::Recording(directory) => Ok(Gateway::recorded(Recording::load(&directory)?)),
        Source::Site(options) => Ok(synthetic(&options, hold, now)?),
    }
}

fn synthetic(
    options: &SiteOptions,
    hold: Option<Arc<Hold>>,
    now: Timestamp,
) -> Result<Gateway, OptionsError> {
    options.check(now)?;
    let (firmware, serial) = (options.firmware.clone(), options.serial.clone());
    let site = Site::new(&options.plan(), &firmware, &serial);
    let clock = options.clock(now);
    let history = History::new(site, clock.at(now).as_second());
    Ok(Gateway::synthetic(
        Synthetic::new(firmware, serial, history, hold),
        clock,
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
