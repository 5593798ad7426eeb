//! The gateway's addresses, and what each of them does on which firmware.
//!
//! | | below 7 | from 7 on | from 8.3.5286 on |
//! |---|---|---|---|
//! | port 443 | closed | TLS | TLS |
//! | port 80 | everything | `/info`; 301 for the rest | closed |
//! | the only one | everything, in clear | TLS | TLS |

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

use super::listener;
use crate::firmware::Firmware;

/// Which of the gateway's addresses one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// It stands for both ports of a real gateway.
    Only,
    /// It stands for port 443.
    Secure,
    /// It stands for port 80; the number is that of the other one.
    Clear { secure_port: u16 },
}

/// What an address does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conduct {
    /// Connections are refused.
    Closed,
    /// HTTP in clear.
    Clear,
    /// HTTP over TLS.
    Secure,
    /// HTTP in clear for `/info`; for the rest the way to the other port, which has this number.
    Redirects { secure_port: u16 },
}

impl Side {
    pub(crate) fn conduct(self, firmware: &Firmware) -> Conduct {
        match (self, firmware.uses_tokens()) {
            (Self::Only | Self::Secure, true) => Conduct::Secure,
            (Self::Only | Self::Clear { .. }, false) => Conduct::Clear,
            (Self::Secure, false) => Conduct::Closed,
            (Self::Clear { .. }, true) if firmware.is_at_least(&[8, 3, 5286]) => Conduct::Closed,
            (Self::Clear { secure_port }, true) => Conduct::Redirects { secure_port },
        }
    }
}

/// An address that is taken, and open or closed.
#[derive(Debug)]
pub(crate) struct Door {
    pub(super) address: SocketAddr,
    pub(super) state: State,
}

#[derive(Debug)]
pub(super) enum State {
    /// Connections are refused, and nobody else can have the address.
    Closed(TcpSocket),
    Open(TcpListener),
}

impl Door {
    /// Takes an address; port 0 takes a free one.
    pub(crate) fn take(address: SocketAddr) -> io::Result<Self> {
        let socket = listener::bind(address)?;
        Ok(Self {
            address: socket.local_addr()?,
            state: State::Closed(socket),
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections are accepted by the system from now on.
    pub(crate) fn open(self) -> io::Result<Self> {
        let state = match self.state {
            State::Closed(socket) => State::Open(listener::open(socket)?),
            open @ State::Open(_) => open,
        };
        Ok(Self { state, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_side_does_what_its_firmware_does_there() {
        let clear = Side::Clear { secure_port: 8443 };
        let redirects = Conduct::Redirects { secure_port: 8443 };
        for (firmware, only, secure, on_80) in [
            ("3.9.36", Conduct::Clear, Conduct::Closed, Conduct::Clear),
            ("5.0.62", Conduct::Clear, Conduct::Closed, Conduct::Clear),
            ("7.0.88", Conduct::Secure, Conduct::Secure, redirects),
            ("8.3.5285", Conduct::Secure, Conduct::Secure, redirects),
            (
                "8.3.5286",
                Conduct::Secure,
                Conduct::Secure,
                Conduct::Closed,
            ),
        ] {
            let firmware: Firmware = firmware.parse().expect("a version");
            let conducts = [Side::Only, Side::Secure, clear].map(|side| side.conduct(&firmware));
            assert_eq!(conducts, [only, secure, on_80], "{firmware}");
        }
    }
}
