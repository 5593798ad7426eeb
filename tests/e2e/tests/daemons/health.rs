//! What probes and Prometheus are told by the real programs.

mod numbers;
mod probes;
mod replay;

use rig::programs::{Program, Start};
use rig::wait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::ARRIVAL;

/// A daemon that says how it goes, at a port of its own.
pub(crate) fn listening(daemon: Start) -> Start {
    daemon.env("LISTEN", "127.0.0.1:0")
}

/// Where it does.
pub(crate) async fn address(daemon: &Program) -> String {
    let line = daemon.stderr_line("serving /healthz").await;
    let (_, address) = line.split_once("address=").expect("it says where");
    // In colours or not, the address ends with its port.
    let address = address.trim();
    address.to_owned()
}

/// The status and the body of an answer; none when nobody listens.
pub(crate) async fn get(address: &str, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    Some((status, body.to_owned()))
}

async fn status(address: &str, path: &str) -> u16 {
    let (status, _) = get(address, path).await.expect("it listens");
    status
}

/// The value of a series; none when it is not shown.
pub(crate) async fn metric(address: &str, series: &str) -> Option<f64> {
    let (_, shown) = get(address, "/metrics").await?;
    let value = shown.lines().find_map(|line| {
        let rest = line.strip_prefix(series)?;
        rest.strip_prefix(' ')
    })?;
    value.parse().ok()
}

/// Waits until a series has this value.
async fn shows(address: &str, series: &str, wanted: f64) {
    let what = format!("{series} to be {wanted}");
    wait::until_true(&what, ARRIVAL, async || {
        let shown = metric(address, series).await;
        shown.is_some_and(|shown| (shown - wanted).abs() < 0.5)
    })
    .await;
}

/// Waits until it is ready.
async fn is_ready(address: &str) {
    wait::until_true("it to be ready", ARRIVAL, async || {
        status(address, "/readyz").await == 200
    })
    .await;
}
