//! The listening socket.

use std::io;
use std::net::SocketAddr;

use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket};

/// What the system may hold of an answer that the client has not taken yet, in bytes. Small, as in
/// a real gateway; so that an answer does not count as handed over while much of it is still here.
const SEND_BUFFER: u32 = 16 * 1024;
/// The most that one TCP segment carries, in bytes, as over Ethernet by IPv4. Over loopback it were 64 KiB: a few
/// segments fill the buffer, and the client's delayed acknowledgement then holds up the rest of a long answer
/// for 40 ms, which no home network does.
const SEGMENT: u32 = 1460;
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
    // Accepted connections inherit both.
    socket.set_send_buffer_size(SEND_BUFFER)?;
    SockRef::from(&socket).set_tcp_mss(SEGMENT)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Listens on an address that was taken.
pub(super) fn open(socket: TcpSocket) -> io::Result<TcpListener> {
    socket.listen(BACKLOG)
}
