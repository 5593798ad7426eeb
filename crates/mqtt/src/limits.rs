//! The bounds that several parts share.

use std::time::Duration;

/// The largest packet that is sent or taken, in bytes. rumqttc's default of 10 KiB makes one larger
/// retained message an endless loop of reconnects.
pub const MAX_PACKET: usize = 1024 * 1024;

/// How long the whole way to the broker's CONNACK may take, in seconds: name, TCP, TLS, MQTT. rumqttc
/// lets a write take as long, too.
pub(crate) const CONNECT_WITHIN: u64 = 10;

/// What the broker may have delivered on one connection without an acknowledgement from us: packet
/// identifiers have 16 bits, and 0 is none (MQTT 3.1.1, 2.3.1).
pub(crate) const UNACKNOWLEDGED: usize = u16::MAX as usize;

/// How long a broker may answer pings, and nothing else, while it owes us an answer.
pub(crate) const OWED_WITHIN: Duration = Duration::from_mins(1);

/// A connection that held this long was a sound one.
pub(crate) const SOUND_AFTER: Duration = Duration::from_mins(1);

/// So many connections in a row, each closed by the broker before it was a sound one, are no broker
/// that restarts: there is something that closes them.
pub(crate) const THROWN_OUT_AFTER: u32 = 3;
