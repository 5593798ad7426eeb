//! The faults that there are.

use std::fmt;

/// Something that goes wrong with a gateway, as it was seen with real ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The port is closed and every connection ended: new ones are refused.
    Refuse,
    /// A request is read and never answered, as on many gateways at 23:00.
    Hang,
    /// A second request on a connection is answered by a reset, as firmware 3 does: before that, the
    /// connection was kept although this firmware closes it otherwise.
    ResetSecond,
    /// 503, "resource busy", to everything, as after a start.
    Busy,
    /// 401 to everybody, also with the right password or token, where one is asked for.
    Unauthorized,
    /// A web page with status 200 in place of everything but `/info`, as after some updates.
    Html,
    /// 404, as for what this firmware does not have, to everything but `/info`.
    Missing,
    /// The list of inverters is `[]`, as after a restart.
    EmptyList,
    /// The connection ends in the middle of a body.
    Truncate,
    /// A body comes byte by byte, ten in a second.
    Drip,
    /// `Content-Length` promises more than the body has; the connection then ends where this
    /// firmware ends it, and stays open in silence where not.
    LengthTooLong,
    /// `Content-Length` is half of what the body has; all of it is sent.
    LengthTooShort,
    /// Shortly after 23:00 by the gateway's clock, whose noon is that of its sun, requests hang for half
    /// a minute and more, for two to five minutes.
    Nightly,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Refuse,
        Self::Hang,
        Self::ResetSecond,
        Self::Busy,
        Self::Unauthorized,
        Self::Html,
        Self::Missing,
        Self::EmptyList,
        Self::Truncate,
        Self::Drip,
        Self::LengthTooLong,
        Self::LengthTooShort,
        Self::Nightly,
    ];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Hang => "hang",
            Self::ResetSecond => "reset-second",
            Self::Busy => "busy",
            Self::Unauthorized => "unauthorized",
            Self::Html => "html",
            Self::Missing => "missing",
            Self::EmptyList => "empty-list",
            Self::Truncate => "truncate",
            Self::Drip => "drip",
            Self::LengthTooLong => "length-too-long",
            Self::LengthTooShort => "length-too-short",
            Self::Nightly => "nightly",
        }
    }

    /// All names, for messages.
    pub(crate) fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
