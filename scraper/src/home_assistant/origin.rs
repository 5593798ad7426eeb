//! Who has announced a device: only our own are ever cleared.

use serde::{Deserialize, Serialize};

/// Who announces a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Origin {
    name: &'static str,
    sw_version: &'static str,
}

impl Origin {
    /// What it is called.
    const NAME: &str = "envoy-scrape";

    /// Whether a device was announced by us, by the payload that announces it: others may announce devices of an Envoy,
    /// too, on topics like ours.
    #[must_use]
    pub fn is_ours(payload: &[u8]) -> bool {
        let announced: Result<Announced, _> = serde_json::from_slice(payload);
        announced.is_ok_and(|announced| announced.origin.name == Self::NAME)
    }
}

impl Default for Origin {
    fn default() -> Self {
        Self {
            name: Self::NAME,
            sw_version: env!("CARGO_PKG_VERSION"),
        }
    }
}

/// What of an announcement tells whose it is.
#[derive(Deserialize)]
struct Announced {
    origin: Name,
}

#[derive(Deserialize)]
struct Name {
    name: String,
}
