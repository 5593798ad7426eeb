//! Whether another simulator answers: the health check of a container that has no other client.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Shorter than what containers allow a health check by default.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks the simulator at `address` for the one page that everybody may see.
///
/// In clear, whatever it speaks: one with TLS says that it does, or sends an alert, and that is an answer too.
pub(crate) async fn ask(address: SocketAddr) -> anyhow::Result<()> {
    timeout(PATIENCE, answer(address))
        .await
        .with_context(|| format!("no answer at {address} within {} s", PATIENCE.as_secs()))?
}

async fn answer(address: SocketAddr) -> anyhow::Result<()> {
    let mut connection = TcpStream::connect(address)
        .await
        .with_context(|| format!("nothing listens at {address}"))?;
    connection
        .write_all(b"GET /info HTTP/1.1\r\nHost: health\r\nConnection: close\r\n\r\n")
        .await
        .with_context(|| format!("the connection to {address} broke off"))?;
    let read = connection.read(&mut [0; 64]).await;
    let read = read.with_context(|| format!("the connection to {address} broke off"))?;
    ensure!(
        read > 0,
        "the connection to {address} ended without an answer"
    );
    Ok(())
}
