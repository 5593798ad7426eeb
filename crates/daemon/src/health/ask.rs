//! The sub-command `health`: asks the daemon beside it whether it is well. For containers, which have
//! neither a shell nor curl.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use axum::body::Bytes;
use clap::{ArgMatches, Command};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::{LISTEN, Listen};
use crate::settings::{Key, Settings};
use crate::{command_line, exit};

/// How long the whole question may take: a daemon that is well answers at once.
const PATIENCE: Duration = Duration::from_secs(3);

/// How much of an answer is read, in bytes: it is one line.
const ANSWER: usize = 4096;

/// The sub-command.
#[must_use]
pub fn command() -> Command {
    Command::new("health").about(
        "Asks the one that runs with the same LISTEN whether it is well: code 0 or 1, for containers",
    )
}

/// Reads what is needed to ask: where. No other setting is looked at.
fn whom_to_ask(settings: &mut Settings) -> Option<Listen> {
    let listen: Listen = settings.required(&LISTEN, str::parse)?;
    if listen.is_any_port() {
        settings.reject(
            &LISTEN,
            "stands for any free port, so nobody knows where to ask; write 127.0.0.1:9464",
        );
        return None;
    }
    Some(listen)
}

/// Asks, prints one line, and gives the exit code: 0 when it is well, else 1.
///
/// # Errors
/// The exit code, once what is wrong with the settings was printed.
pub fn ask(matches: &ArgMatches, keys: &[Key]) -> Result<ExitCode, ExitCode> {
    let listen = command_line::configuration(matches, keys, whom_to_ask)?;
    Ok(exit::block_on(async {
        let (host, port) = listen.seen_from_here();
        let asked = timeout(PATIENCE, healthz(&host, port)).await;
        let place = listen.clone();
        asked.unwrap_or(Err(AskError::Silent { place }))?;
        // With standard output closed there is nobody to tell.
        let _ = writeln!(std::io::stdout(), "ok");
        Ok(())
    }))
}

/// It is not well, or does not say.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// There is no answer.
    #[error("nobody answers at {host}, port {port} (setting: LISTEN)")]
    Nobody {
        /// Where.
        host: String,
        /// Its port.
        port: u16,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is a connection, or none, and no answer in time.
    #[error("no answer within {} s at {place} (setting: LISTEN)", PATIENCE.as_secs())]
    Silent {
        /// Where.
        place: Listen,
    },
    /// It says that it is not well.
    #[error("not well: {0}")]
    Unwell(String),
    /// Something else answers.
    #[error("what answers has the status {0}, so it is not this daemon (setting: LISTEN)")]
    Other(StatusCode),
}

pub(super) async fn healthz(host: &str, port: u16) -> Result<(), AskError> {
    let nobody = |source| AskError::Nobody {
        host: host.to_owned(),
        port,
        source,
    };
    let stream = TcpStream::connect((host, port))
        .await
        .map_err(|error| nobody(error.into()))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| nobody(error.into()))?;
    // It ends with the question.
    let _talking = AbortOnDropHandle::new(tokio::spawn(connection));
    let request = Request::get("/healthz")
        .header("host", "localhost")
        .body(Empty::<Bytes>::new())
        .expect("a path and a name are a request");
    let answer = sender
        .send_request(request)
        .await
        .map_err(|error| nobody(error.into()))?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), ANSWER).collect().await;
    let body = body.map_err(nobody)?.to_bytes();
    match status {
        StatusCode::OK => Ok(()),
        StatusCode::SERVICE_UNAVAILABLE => {
            let why = String::from_utf8_lossy(&body);
            Err(AskError::Unwell(
                why.trim_end().replace(char::is_control, " "),
            ))
        }
        other => Err(AskError::Other(other)),
    }
}
