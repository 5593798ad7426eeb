//! A network link that fails: a TCP proxy between a program and a server.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream, lookup_host};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What is taken from one side before it is given to the other.
const PIECE: usize = 16 * 1024;

/// What a slow link carries at once, and how long that takes: 1.5 kB/s.
const SLOW_PIECE: usize = 150;
const SLOW_PAUSE: Duration = Duration::from_millis(100);

/// How a link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quality {
    /// It carries what it is given.
    Good,
    /// Its connections are closed, and new ones, too.
    Cut,
    /// Its connections stay, new ones are taken, and nothing is carried. When that ends, those who
    /// still have such a connection find that nobody knows of it.
    HalfOpen,
    /// It carries little.
    Slow,
    /// Each connection is reset in the middle of the next piece.
    Resetting,
}

/// A link to one server.
#[derive(Debug)]
pub struct Link {
    address: SocketAddr,
    quality: watch::Sender<Quality>,
    /// Ends the link and its connections with this value.
    _tasks: JoinSet<()>,
}

impl Link {
    /// A link to `server`, as `host:port`.
    ///
    /// # Panics
    /// When the loopback interface has no free port.
    pub async fn to(server: &str) -> Self {
        Self::from(Ipv4Addr::LOCALHOST, server).await
    }

    /// A link whose connections come from another address of this machine, for a server that tells
    /// its clients apart by that.
    ///
    /// # Panics
    /// As [`to`](Self::to).
    pub async fn from(source: Ipv4Addr, server: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("the loopback interface has a free port");
        let address = listener.local_addr();
        let (quality, seen) = watch::channel(Quality::Good);
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, source, server.to_owned(), seen));
        Self {
            address: address.expect("a bound socket has an address"),
            quality,
            _tasks: tasks,
        }
    }

    /// Where a program connects to, in place of the server.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on the link is like this.
    pub fn becomes(&self, quality: Quality) {
        self.quality.send_replace(quality);
    }
}

async fn accept(
    listener: TcpListener,
    source: Ipv4Addr,
    server: String,
    quality: watch::Receiver<Quality>,
) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let (server, mut quality) = (server.clone(), quality.clone());
        connections.spawn(async move {
            if is(&quality, Quality::HalfOpen) {
                was_half_open(&mut quality).await;
                reset(&client);
            } else if !is(&quality, Quality::Cut)
                && let Some(server) = connect(source, &server).await
            {
                carry(client, server, quality).await;
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

/// A connection to the server; none when it takes none.
async fn connect(source: Ipv4Addr, server: &str) -> Option<TcpStream> {
    let mut addresses = lookup_host(server).await.ok()?;
    let address = addresses.find(SocketAddr::is_ipv4)?;
    let socket = TcpSocket::new_v4().ok()?;
    // Left to the system for a server that is not on this machine.
    if address.ip().is_loopback() {
        socket.bind((IpAddr::V4(source), 0).into()).ok()?;
    }
    socket.connect(address).await.ok()
}

/// How a direction ends.
enum End {
    /// One side has closed.
    Closed,
    /// Both are told that nothing is known of the connection.
    Reset,
}

async fn carry(mut client: TcpStream, mut server: TcpStream, quality: watch::Receiver<Quality>) {
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let end = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let mut cut = quality.clone();
        tokio::select! {
            end = pump(from_client, to_server, quality.clone()) => end,
            end = pump(from_server, to_client, quality) => end,
            _ = cut.wait_for(|quality| *quality == Quality::Cut) => End::Closed,
        }
    };
    if matches!(end, End::Reset) {
        reset(&client);
        reset(&server);
    }
}

async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut quality: watch::Receiver<Quality>,
) -> End {
    let mut piece = vec![0; PIECE];
    loop {
        let most = if is(&quality, Quality::Slow) {
            SLOW_PIECE
        } else {
            PIECE
        };
        let length = match from.read(&mut piece[..most]).await {
            Ok(0) | Err(_) => return End::Closed,
            Ok(length) => length,
        };
        let now = *quality.borrow_and_update();
        let carried = match now {
            Quality::Good => length,
            Quality::Slow => {
                tokio::time::sleep(SLOW_PAUSE).await;
                length
            }
            Quality::HalfOpen => {
                was_half_open(&mut quality).await;
                return End::Reset;
            }
            Quality::Resetting => length / 2,
            Quality::Cut => return End::Closed,
        };
        if to.write_all(&piece[..carried]).await.is_err() {
            return End::Closed;
        }
        if now == Quality::Resetting {
            return End::Reset;
        }
    }
}

fn is(quality: &watch::Receiver<Quality>, this: Quality) -> bool {
    *quality.borrow() == this
}

async fn was_half_open(quality: &mut watch::Receiver<Quality>) {
    // The sender is gone only when the link is.
    let _ = quality
        .wait_for(|quality| *quality != Quality::HalfOpen)
        .await;
}

/// Has the drop of this connection tell the other side that it is no more.
fn reset(stream: &TcpStream) {
    // It may be gone already.
    let _ = stream.set_zero_linger();
}

#[cfg(test)]
mod tests;
