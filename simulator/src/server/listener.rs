//! The listening socket.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

/// What the system may hold of an answer that the client has not taken yet, in bytes. Small, as in
/// a real gateway; so that an answer does not count as handed over while much of it is still here.
const SEND_BUFFER: u32 = 16 * 1024;
/// Connections that may wait to be accepted.
const BACKLOG: u32 = 128;

/// Takes an address without listening on it: connections are refused, and nobody else can have it.
pub(super) fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A simulator that is started again gets its port back at once.
    socket.set_reuseaddr(true)?;
    // Accepted connections inherit it.
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Listens on an address that was taken.
pub(super) fn open(socket: TcpSocket) -> io::Result<TcpListener> {
    socket.listen(BACKLOG)
}
