//! The contract: MQTT topics and JSON payloads, pure.
//!
//! This page is for people who write subscribers, in any language. The types below are the same
//! contract for programs in Rust; the exact bytes are pinned by the tests of this crate.
//!
//! # Topics
//!
//! The base is `envoy` unless it was configured otherwise; [`EVERYTHING`] subscribes to all that
//! the scrapers say. Everything is published with quality of service 1, "at least once".
//!
//! | topic | retained | payload |
//! |---|---|---|
//! | `envoy/<envoy>/inverters/<inverter>` | yes | the newest [`Reading`] of that inverter ([`Inverter`]) |
//! | `envoy/<envoy>/site` | yes | what the whole site does now ([`Site`]): measured, or the sum of its inverters |
//! | `envoy/<envoy>/production`, `…/consumption` | yes | what is produced and used ([`Flow`]), where the gateway measures it |
//! | `envoy/<envoy>/net` | yes | what comes from the grid and goes to it ([`Net`]), where the gateway measures it |
//! | `envoy/<envoy>/meters/<eid>` | yes | what one meter shows ([`Meter`]) |
//! | `envoy/<envoy>/batteries/<battery>` | yes | what one battery does ([`Battery`]) |
//! | `envoy/<envoy>/backlog/<the rest of one of these topics>` | no | a [`Reading`] delivered late: `envoy/<envoy>/backlog/site` |
//! | `envoy/<envoy>/journal` | yes | the [`Announcement`] of what the scraper's journals hold |
//! | `envoy/<envoy>/gateway` | yes | the [`GatewayState`] |
//! | `envoy/<envoy>/health` | yes | the [`Health`] of its inverters |
//! | `envoy/<envoy>/status` | yes | the [`Status`] of that Envoy's scraper |
//! | `envoy-receiver/<name>/status` | yes | the [`Status`] of a receiver |
//! | `envoy-receiver/<name>/replay/<envoy>` | no | a receiver's [`ReplayRequest`] to that Envoy's scraper |
//! | `envoy/<envoy>/check`, `envoy-receiver/<name>/check` | no | a random word, while somebody runs `check`; ignore it |
//!
//! `<envoy>`, `<inverter>`, `<eid>`, `<battery>` and `<name>` match `[A-Za-z0-9_-]{1,32}`. Topics are only ever added,
//! so ignore those you don't know.
//!
//! # A reading of an inverter
//!
//! ```json
//! {"serial":"482012345678","envoy":"122012345678","reported_at":"2026-11-23T09:15:00Z","device_type":1,"power_w":212,"peak_power_w":296,"journal":"k3x9m2pq","seq":1841}
//! ```
//!
//! | key | content |
//! |---|---|
//! | `serial` | the inverter's serial number, as in the topic |
//! | `envoy` | the gateway's serial number, as in the topic |
//! | `reported_at` | when the inverter reported, by the gateway's clock: RFC 3339, UTC, whole seconds |
//! | `device_type` | the gateway's number for the kind of device (1: inverter, 11: AC battery); `null` when unknown |
//! | `power_w` | watts, average over the report interval; + produced, − used (some inverters at night) |
//! | `peak_power_w` | watts, the highest value that the gateway has on record for that inverter; signed too |
//! | `journal`, `seq` | the reading's place in the scraper's journal, `seq` counting from 1 |
//!
//! Where the gateway says more of its inverters, `peak_power_w` is followed by `interval_s`,
//! `energy_wh` (of that interval), `energy_lifetime_wh`, `energy_today_wh`, `ac_voltage_v`,
//! `ac_current_a`, `ac_frequency_hz`, `dc_voltage_v`, `dc_current_a`, `temperature_c`: all of them or
//! none.
//!
//! # The other readings
//!
//! ```json
//! {"envoy":"122012345678","measured_at":"2026-11-23T09:15:00Z","basis":"inverters","power_w":2544.0,"energy_today_wh":null,"energy_lifetime_wh":null,"inverters_reporting":12,"inverters_total":12,"journal":"k3x9m2pq","seq":1842}
//! ```
//!
//! Each has `envoy` first, `journal` and `seq` last as above, and between them:
//!
//! | topic | keys | sign |
//! |---|---|---|
//! | `site` | `measured_at`, `basis` (`meter`, `inverters`), `power_w`, `energy_today_wh`, `energy_lifetime_wh`, `inverters_reporting`, `inverters_total` | + produced |
//! | `production`, `consumption` | `measured_at`, `power_w`, `energy_today_wh`, `energy_lifetime_wh` | + produced; + used, with what batteries take and without what they give |
//! | `net` | `measured_at`, `power_w`, `energy_imported_wh`, `energy_exported_wh` | + from the grid, − to it |
//! | `meters/<eid>` | `eid`, `measured_at`, `kind`, `phase` (`null`: all), `power_w`, `reactive_power_var`, `apparent_power_va`, `voltage_v`, `current_a`, `frequency_hz`, `power_factor`, `energy_delivered_wh`, `energy_received_wh` | as the gateway gives it; of `storage` delivered is what batteries gave |
//! | `batteries/<battery>` | `serial`, `measured_at`, `kind`, `state_of_charge_pct`, `power_w`, `energy_capacity_wh`, `temperature_c`, `state` | + discharging |
//!
//! Units are the ends of the names: W, Wh, s, V, A, Hz, var, VA, °C, percent. These values have up to
//! three decimals, and lie between −10¹² and 10¹² ([`Quantity`]).
//!
//! Energies of a lifetime, imported and exported ones never fall, and those of today only with a new day: where a
//! gateway's counter was set back, has wrapped or has jumped, they go on from their last value. Those of `meters` are
//! the gateway's, but for meters of kind `storage`: nothing else tells the energy of batteries.
//!
//! # What holds for all
//!
//! * **`null` and missing.** A field that a reading carries is `null` while its value is unknown,
//!   and not left out; a subscriber takes a missing key to mean the same as `null`. Never `null` are
//!   the names, the times, `basis`, the counts of inverters, `journal`, `seq`, a meter's and a
//!   battery's `kind`, and `power_w` and `peak_power_w` except a battery's `power_w`.
//! * **Fields are only ever added**; their meaning, unit and sign never change. Ignore keys that
//!   you don't know.
//! * **Time.** `reported_at` or `measured_at` is the only time of a reading, and it is the gateway's. Nobody's
//!   clock but the gateway's is in it: neither the scraper's nor yours has to be right for it,
//!   and a reading received twice is the same reading.
//! * **Identity.** The same reading carries the same `journal` and `seq`, however often it is
//!   sent, and one such pair never names two readings. A scraper that has lost its journal begins a
//!   new one; what identifies a reading for good is its Envoy, the rest of its topic and its time.
//! * **Late readings** (after an outage, or sent again on request) come on the backlog topics
//!   only. A plain topic never steps back in time: what it shows is newer than what it showed
//!   before. Who shows current values subscribes to the plain topics; who keeps history, to both.
//! * A payload whose serials differ from those of its topic is to be refused.
//!
//! # Status
//!
//! The payload is the bare word `online` or `offline`, no JSON. A scraper says `online` after each
//! connect, once the `gateway` topic says whether the gateway answers; `offline` comes from itself when it ends, and as its last will from the broker when
//! it was cut off. `offline` says nothing about the Envoy: when the gateway last answered is
//! `last_poll_at` on its `gateway` topic.

mod announcement;
mod gateway;
mod health;
mod measured;
mod name;
mod payload;
mod quantity;
mod reading;
mod replay;
mod status;
mod subject;
mod text;
mod time;
mod topic;

pub use announcement::{Announcement, InvalidSpan, JournalSpan, MAX_JOURNALS};
pub use gateway::GatewayState;
pub use health::{Health, InverterHealth, InverterState};
pub use measured::{Basis, Battery, Detail, Flow, Inverter, Measured, Meter, Net, Site, Value};
pub use name::{InstanceId, InvalidName, JournalId, ReceiverName, Serial, Word};
pub use payload::{MAX_HEALTH, MAX_PAYLOAD, MAX_SEQ, PayloadError};
pub use quantity::{InvalidQuantity, Quantity};
pub use reading::Reading;
pub use replay::{InvalidRequest, MAX_RANGES, ReplayRequest};
pub use status::Status;
pub use subject::{Kind, Subject};
pub use time::{ClockTime, InvalidTime, ReportTime, SET_BACK_S, is_set_back};
pub use topic::{BaseTopic, EVERYTHING, InvalidBase, Topic, TopicError};
