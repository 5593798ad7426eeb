//! Connections: accepting them, TLS, HTTP, and their end; and the faults of ports and connections.

use std::future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::board::Boot;
use crate::faults::{Fault, Faults};

mod client;
mod connection;
mod deviation;
mod door;
mod handover;
mod listener;
mod requests;

use client::Client;
pub(crate) use client::Record;
use connection::Connection;
use door::State;
pub(crate) use door::{Conduct, Door, Side};
pub use requests::GatewayRequest;
pub(crate) use requests::Requests;
use requests::UnderWay;

/// Connections at a time; a gateway has few to give, and its clients need one.
const CONNECTIONS: usize = 64;
/// How long a connection may wait for the next request, as openresty does by default.
const IDLE: Duration = Duration::from_secs(75);
/// Between two attempts at what the system refuses.
const PAUSE: Duration = Duration::from_millis(100);
/// What an answer under way may take when the simulator stops.
const GRACE: Duration = Duration::from_secs(1);

/// Everything that a connection needs.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) boots: watch::Receiver<Arc<Boot>>,
    /// Which of the gateway's addresses it serves.
    pub(crate) side: Side,
    /// Whether that is its next address, at which it is once it has moved.
    pub(crate) next: bool,
    pub(crate) record: Record,
    pub(crate) faults: Arc<Faults>,
}

/// Why an address is not served any more.
enum Ended {
    /// The simulator is to stop.
    Stopped,
    /// Connections are to be refused.
    Closed,
}

impl Server {
    /// Serves at a door until `stop` says so (or its sender is gone), then lets answers under way
    /// finish.
    pub(crate) async fn run(mut self, door: Door, stop: watch::Receiver<bool>) {
        let Door { address, mut state } = door;
        let mut connections = JoinSet::new();
        loop {
            let listener = match state {
                State::Open(listener) => listener,
                State::Closed(socket) => {
                    tokio::select! {
                        () = stopped(stop.clone()) => return,
                        () = self.until_open(true) => {}
                    }
                    match listener::open(socket) {
                        Ok(listener) => listener,
                        Err(error) => {
                            tracing::warn!(%error, %address, "can't listen again");
                            sleep(PAUSE).await;
                            match closed(address, &stop).await {
                                Some(closed) => state = closed,
                                None => return,
                            }
                            continue;
                        }
                    }
                }
            };
            let ended = self.accept(&listener, &mut connections, &stop).await;
            drop(listener);
            if let Ended::Stopped = ended {
                break;
            }
            // The port is kept, but closed.
            connections.shutdown().await;
            match closed(address, &stop).await {
                Some(closed) => state = closed,
                None => return,
            }
        }
        let finished = async { while connections.join_next().await.is_some() {} };
        if timeout(GRACE, finished).await.is_err() {
            connections.shutdown().await;
        }
    }

    /// Accepts connections for as long as the door is open.
    async fn accept(
        &mut self,
        listener: &TcpListener,
        connections: &mut JoinSet<()>,
        stop: &watch::Receiver<bool>,
    ) -> Ended {
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        let this = self.clone();
        loop {
            let accepted = tokio::select! {
                () = stopped(stop.clone()) => return Ended::Stopped,
                () = this.until_open(false) => return Ended::Closed,
                changed = self.boots.changed() => match changed {
                    Ok(()) => None,
                    Err(_) => return Ended::Stopped,
                },
                accepted = accept(listener, &room) => Some(accepted),
            };
            // Also before a new connection that comes together with a boot: it belongs to that one.
            let booted = accepted.is_none() || self.boots.has_changed().unwrap_or(true);
            if booted {
                self.boots.mark_unchanged();
                connections.shutdown().await;
            }
            while connections.try_join_next().is_some() {}
            let (stream, client, permit) = match accepted {
                None => continue,
                Some(Ok(accepted)) => accepted,
                Some(Err(error)) => {
                    // Out of file descriptors, most likely: some come back as connections end.
                    tracing::warn!(%error, "can't accept a connection");
                    sleep(PAUSE).await;
                    continue;
                }
            };
            let boot = self.boots.borrow().clone();
            let connection = Connection::new(self.clone(), boot);
            let (client, stop) = (Client::new(client, self.record.clone()), stop.clone());
            connections.spawn(async move {
                connection.run(stream, client, stop).await;
                drop(permit);
            });
        }
    }

    /// What is done at this address after this boot.
    fn conduct(&self, boot: &Boot) -> Conduct {
        if boot.moved == self.next {
            self.side.conduct(boot.firmware())
        } else {
            Conduct::Closed
        }
    }

    /// Returns once connections are to be accepted, or are to be refused.
    async fn until_open(&self, open: bool) {
        let mut boots = self.boots.clone();
        loop {
            let closed = self.conduct(&boots.borrow_and_update()) == Conduct::Closed;
            let booted = async {
                // Without a board there are no boots any more; then the simulator stops too.
                if boots.changed().await.is_err() {
                    future::pending::<()>().await;
                }
            };
            // A port that its firmware has closed is no matter of faults.
            tokio::select! {
                () = self.faults.until(Fault::Refuse, !open), if !closed => return,
                () = future::ready(()), if closed && !open => return,
                () = booted => {}
            }
        }
    }
}

/// The address once more, closed. It is nobody's for a moment, in which somebody else may take it. None
/// when the simulator was stopped meanwhile.
async fn closed(address: SocketAddr, stop: &watch::Receiver<bool>) -> Option<State> {
    loop {
        match listener::bind(address) {
            Ok(socket) => return Some(State::Closed(socket)),
            Err(error) => tracing::warn!(%error, %address, "can't have the port again"),
        }
        tokio::select! {
            () = stopped(stop.clone()) => return None,
            () = sleep(PAUSE) => {}
        }
    }
}

/// Returns once the simulator is to stop, or was dropped.
async fn stopped(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, IpAddr, tokio::sync::OwnedSemaphorePermit)> {
    let permit = room
        .clone()
        .acquire_owned()
        .await
        .expect("the semaphore is never closed");
    let (stream, address) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, address.ip(), permit))
}
