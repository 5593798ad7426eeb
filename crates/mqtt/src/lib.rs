//! A guarded MQTT 3.1.1 session on rumqttc.
//!
//! ```text
//!               ┌─ supervisor: back-off ─► connect ─► watch ─► end ─► back-off … ┐
//!               │                            │                                   │
//!               │            one connection: │ spawns                            │
//!               │                            ▼                                   │
//!  publish ─────┼─► window ─► requests ─► polling ◄──────► rumqttc ◄────────────┼──► broker
//!  subscribe ───┘   (in order)  ▲            │                                   │
//!  acknowledge ─────────────────┘            └─► deliveries ─► Events::next ─────┴──► consumer
//! ```
//!
//! A [`Session`] keeps one client connected to one broker. It promises little, and keeps it:
//!
//! - Every connection is made with a new rumqttc client, so nothing is ever sent again by itself and
//!   nothing is silently dropped: what a connection had not confirmed when it ended is answered with
//!   [`Gone`], and its owner decides.
//! - A [`Receipt`] is done at the broker's PUBACK, not before.
//! - An [`Acknowledgement`] works on the connection that its message came from, and on no other.
//! - The broker is read no further while a thousand messages wait for the consumer; pings go on. But whatever is
//!   asked of it is answered, for which reading goes on up to 65,535 messages or 16 MiB ahead of the consumer. That
//!   is more than it may send, or needs no acknowledgement, or is large. Then polling waits up to two seconds for
//!   the room that each message takes.
//! - [`Events`] say why there is no connection. Nothing of that is logged here above `debug`: only the
//!   consumer knows what an outage costs.
//!
//! Subscriptions belong to a connection: whoever needs one makes it on each [`Event::Connected`].
//!
//! # Where each fault of rumqttc is guarded against
//!
//! | fault | guard |
//! |---|---|
//! | a reconnect drops what is queued, or sends it again by itself | `supervisor`: a new client for each connection |
//! | no back-off | `backoff`; `rivalry` for a client that is thrown out again and again |
//! | `publish().await` hangs in the task that polls; `poll()` is not cancel-safe | `polling`: a task that only polls |
//! | an acknowledgement held across a reconnect names another message | `delivery`: an `Acknowledgement` holds its own connection |
//! | PUBACKs out of order wedge the client | `window`: packet identifiers never collide; and a new client for each connection |
//! | small packets, delayed segments, a request queue that stands still | `client`: its options, `limits` |
//! | pings go unanswered while the consumer is slow | `polling`: where it waits for the consumer, it pings |
//! | each acknowledgement is a write of its own | `client`: those that come together follow the first in one |
//! | subscriptions are not made again, nor checked | `connection`: `subscribe` reads the SUBACK; [`Event::Connected`] asks for it |
//!
//! `tests/session/guards.rs` has each of them twice: rumqttc alone fails, the session does not.

mod session;

mod connection;
mod delivery;
mod link;
mod window;

mod broker;
mod config;
mod tls;

mod reason;

mod backoff;
mod polling;
mod rivalry;
mod supervisor;

mod client;
mod limits;

pub use broker::{BrokerUrl, BrokerUrlError};
pub use config::{Config, ConfigError, Credentials, Message};
pub use connection::{Connection, Receipt, SubscribeError};
pub use delivery::{Acknowledgement, Delivery};
pub use limits::MAX_PACKET;
pub use link::Gone;
pub use reason::{Reason, Stage};
pub use session::{Event, Events, Session, start};
pub use tls::{Authorities, Certificates, OutOfDate, PrivateKey, Tls, TlsError};
