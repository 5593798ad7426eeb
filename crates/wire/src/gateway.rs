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
    /// Its firmware, as it says it (`D8.2.4345`).
    pub firmware: String,
    /// Its part number, as it says it.
    pub part_number: Option<String>,
    /// Where the scraper reaches it, such as `https://192.168.1.20`.
    pub address: String,
    /// The gateway's clock less the scraper's, in seconds: + when the gateway is ahead.
    pub clock_skew_s: Option<i64>,
    /// When its access token ends; unknown where it needs none.
    pub token_expires_at: Option<ClockTime>,
    /// The version of the scraper.
    pub scraper_version: String,
    /// When the gateway last answered with its inverters, by the scraper's clock; unknown until
    /// it did.
    pub last_poll_at: Option<ClockTime>,
    /// How many reports of inverters the gateway overwrote before the scraper could see them, since
    /// the scraper started: an estimate, from jumps in the report times.
    #[serde(default)]
    pub reports_overwritten: u64,
    /// Whether its readings can be had: false after some polls in a row that failed, so that a gateway that is
    /// slow once does not count, or after one that fails until somebody does something.
    #[serde(default = "yes")]
    pub reachable: bool,
    /// Why they can't, in words; `null` while they can.
    #[serde(default)]
    pub problem: Option<String>,
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
