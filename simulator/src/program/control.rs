//! The control socket: faults are switched while the simulator runs.
//!
//! One client at a time, one line at a time: the plan of a fault, or one of the words that the command
//! line's help has. The answer is `ok`, or what is wrong with the line.

use std::future;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::{
    CertificateError, FaultPlan, NoCloud, NotACloudSwitch, NotAFaultPlan, NotAFirmware, NotChanged,
    NotReplaced, NotUpdated, NothingHeld, Simulator,
};
use jiff::SignedDuration;
use thiserror::Error;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::sleep;

/// The longest thing that a client can have to say, with room.
const LONGEST_TALK: u64 = 64 * 1024;

/// After a client that could not be accepted.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a rebooting gateway refuses connections, if nothing else is said.
const DOWN: Duration = Duration::from_mins(2);
/// And how long it then knows of no inverter.
const WAKING: Duration = Duration::from_mins(3);

/// An open socket; its file goes with it.
#[derive(Debug)]
pub(crate) struct Control {
    path: PathBuf,
    listener: UnixListener,
}

/// The socket can't be opened.
#[derive(Debug, Error)]
#[error("can't open the control socket {}: name a file that is not there yet, in a directory that can be written", path.display())]
pub(crate) struct ControlError {
    path: PathBuf,
    source: io::Error,
}

impl Control {
    /// Opens it; there must be no file of this name.
    pub(crate) fn open(path: &Path) -> Result<Self, ControlError> {
        let path = path.to_owned();
        match UnixListener::bind(&path) {
            Ok(listener) => Ok(Self { path, listener }),
            Err(source) => Err(ControlError { path, source }),
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // Whether somebody removed it already is of no interest.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Does what clients say; never ends.
pub(crate) async fn serve(control: Option<&Control>, simulator: &Simulator) {
    let Some(control) = control else {
        return future::pending().await;
    };
    loop {
        match control.listener.accept().await {
            Ok((client, _)) => {
                if let Err(error) = talk(client, simulator).await {
                    tracing::debug!(%error, "the talk at the control socket broke off");
                }
            }
            Err(error) => {
                tracing::warn!(%error, "can't accept a client of the control socket");
                sleep(PAUSE).await;
            }
        }
    }
}

async fn talk(client: UnixStream, simulator: &Simulator) -> io::Result<()> {
    let (reader, mut writer) = client.into_split();
    let mut lines = BufReader::new(reader.take(LONGEST_TALK)).lines();
    while let Some(line) = lines.next_line().await? {
        let answer = match obey(line.trim(), simulator) {
            Ok(()) => "ok\n".to_owned(),
            Err(error) => format!("{error}\n"),
        };
        writer.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}

/// Why a line is not obeyed.
#[derive(Debug, Error)]
enum Refusal {
    #[error("{0}; or write heal, to end all faults")]
    Fault(#[from] NotAFaultPlan),
    #[error(transparent)]
    NothingHeld(#[from] NothingHeld),
    #[error("{0:?} is not a length of time: write it as in set-back 1h, or reboot 2m+3m")]
    Length(String),
    #[error(transparent)]
    Firmware(#[from] NotAFirmware),
    #[error(transparent)]
    NotUpdated(#[from] NotUpdated),
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error(transparent)]
    NotReplaced(#[from] NotReplaced),
    #[error(transparent)]
    NotChanged(#[from] NotChanged),
    #[error(
        "{0:?} is no share: write a whole number of per cent up to 100, as in shade 482012345678 40"
    )]
    Percent(String),
    #[error("{0:?} is no energy: write watt-hours from 0 to 4294967295, as in count-from 0")]
    Energy(String),
    #[error(transparent)]
    CloudSwitch(#[from] NotACloudSwitch),
    #[error(transparent)]
    NoCloud(#[from] NoCloud),
}

fn obey(line: &str, simulator: &Simulator) -> Result<(), Refusal> {
    match line.split_once(' ').unwrap_or((line, "")) {
        ("heal", "") => simulator.heal(),
        ("reader-started", "") => simulator.reader_started()?,
        ("freeze", "") => simulator.freeze()?,
        ("thaw", "") => simulator.thaw()?,
        ("set-back", length) => {
            simulator.set_back(time(length)?)?;
        }
        ("reboot", times) => {
            let (down, waking) = reboot_times(times)?;
            simulator.reboot(down, waking);
        }
        ("firmware", version) => simulator.update(version.parse()?)?,
        ("certificate", "") => simulator.renew_certificate()?,
        ("replace", inverter) => {
            let new = simulator.replace(inverter)?;
            tracing::info!(new, "the new inverter");
        }
        ("dead", inverter) => simulator.kill(inverter)?,
        ("shade", rest) => {
            let (inverter, percent) = rest.split_once(' ').unwrap_or((rest, ""));
            let share = percent.parse().ok().filter(|share| *share <= 100);
            let share = share.ok_or_else(|| Refusal::Percent(percent.to_owned()))?;
            simulator.shade(inverter, share)?;
        }
        ("well", inverter) => simulator.cure(inverter)?,
        ("count-from", wh) => {
            let wh = wh.parse().map_err(|_| Refusal::Energy(wh.to_owned()))?;
            simulator.count_from(wh);
        }
        ("cloud", switch) => {
            simulator.switch_cloud(switch.parse()?)?;
            // Without what follows, which may be a password.
            tracing::info!(
                what = switch.split(' ').next().unwrap_or_default(),
                "the cloud was switched"
            );
            return Ok(());
        }
        _ => simulator.inject(line.parse::<FaultPlan>()?),
    }
    tracing::info!(line, "control");
    Ok(())
}

/// `DOWN+WAKING`, or only the first, or nothing.
fn reboot_times(text: &str) -> Result<(Duration, Duration), Refusal> {
    let (down, waking) = match text.split_once('+') {
        Some((down, waking)) => (time(down)?, time(waking)?),
        None if text.is_empty() => (DOWN, WAKING),
        None => (time(text)?, WAKING),
    };
    Ok((down, waking))
}

fn time(text: &str) -> Result<Duration, Refusal> {
    let wrong = || Refusal::Length(text.to_owned());
    let time: SignedDuration = text.parse().map_err(|_| wrong())?;
    Duration::try_from(time).map_err(|_| wrong())
}
