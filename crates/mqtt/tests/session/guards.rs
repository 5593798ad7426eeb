//! Each fault of rumqttc that the session guards against, twice: as it befalls a plain rumqttc
//! client, and how the session fares in the same situation.
//!
//! The first half is what justifies a guard. If it fails after an update of rumqttc, the fault is
//! gone, and its guard may go as well.
//!
//! | fault | in |
//! |---|---|
//! | a reconnect without a session drops what was queued, unconfirmed, to be subscribed; one with a session sends again by itself; subscriptions are not made again | `reconnect` |
//! | no back-off | `attempts` |
//! | a publish in the task that polls waits for ever; a poll that is cancelled loses a packet | `polling` |
//! | an acknowledgement held across a reconnect names another message | `acknowledgements` |
//! | PUBACKs out of order, and then a lost session, wedge the client | `wedge` |
//! | a packet above 10 KiB ends each connection anew; small segments wait for each other | `transport` |
//! | the connection ends, although packets flow, when the consumer is slow | `keep_alive` |
//!
//! The one fault that has no test is an advisory about a crate in rumqttc's tree: `deny.toml` has it.

mod acknowledgements;
mod attempts;
mod keep_alive;
mod plain;
mod polling;
mod reconnect;
mod transport;
mod wedge;
