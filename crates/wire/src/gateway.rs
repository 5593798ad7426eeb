//! What is known of the gateway itself.

use serde::{Deserialize, Serialize};

use crate::name::Serial;
use crate::payload::{PayloadError, from_json, same_serial};
use crate::time::ClockTime;
use crate::topic::Topic;

/// The content of the retained `gateway` topic. What is unknown is `null`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayState {
    /// The gateway's serial number.
    pub envoy: Serial,
    /// Its firmware, as it says it (`D8.2.4345`); unknown until it did.
    pub firmware: Option<String>,
    /// Its part number, as it says it.
    pub part_number: Option<String>,
    /// Where the scraper reaches it, or last did, such as `https://192.168.1.20`.
    pub address: Option<String>,
    /// The gateway's clock less the scraper's, in seconds: + when the gateway is ahead.
    pub clock_skew_s: Option<i64>,
    /// When its access token ends; unknown where it needs none.
    pub token_expires_at: Option<ClockTime>,
    /// The version of the scraper.
    pub scraper_version: String,
    /// When the gateway last answered with its inverters, by the scraper's clock; unknown until
    /// it did. A start of the scraper does not forget it while the broker retains it.
    pub last_poll_at: Option<ClockTime>,
    /// How many reports of inverters the gateway overwrote before the scraper could see them, since
    /// the scraper started: an estimate, from jumps in the report times.
    #[serde(default)]
    pub reports_overwritten: u64,
    /// Whether its readings can be had: false after ten minutes in which none could, three polls at least, so that a
    /// gateway that is slow or pauses does not count; after one poll that fails until somebody does something, or
    /// where none has succeeded since the scraper started.
    #[serde(default = "yes")]
    pub reachable: bool,
    /// Why they can't, in words; `null` while they can.
    #[serde(default)]
    pub problem: Option<String>,
    /// Whose topics do not show what is so now, although the gateway answers: what was measured once and can't be read
    /// any more, and while the gateway's clock is behind what they show, all that stand still. The rest of those topics,
    /// such as `net` or `batteries/492012345678`. Inverters have [`Health`](crate::Health) for that.
    #[serde(default)]
    pub stale: Vec<String>,
    /// Inverters whose `energy_today_wh` is of a day that is over: the gateway has begun to count anew, at midnight or
    /// with the first report of the day, and they have not reported since. In this day they have made nothing yet.
    #[serde(default)]
    pub not_of_today: Vec<Serial>,
}

/// What scrapers meant that said nothing of it.
fn yes() -> bool {
    true
}

impl GatewayState {
    /// The payload, one line of JSON.
    #[must_use]
    pub fn encode(&self) -> String {
        serde_json::to_string(self)
            .expect("text and whole numbers under text keys can always be written as JSON")
    }

    /// The state that was published as `payload` on `topic`.
    pub fn decode(topic: &Topic, payload: &[u8]) -> Result<Self, PayloadError> {
        let Topic::Gateway { envoy } = topic else {
            return Err(PayloadError::OtherKind("state of a gateway"));
        };
        let state: Self = from_json("the state of a gateway", payload)?;
        same_serial("envoy", &state.envoy, envoy)?;
        Ok(state)
    }
}
