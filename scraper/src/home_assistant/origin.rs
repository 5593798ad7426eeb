//! Who has announced a device: only our own are ever cleared.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
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
        // A struct is read from a list of its fields, too, which no device is announced by.
        let is_object = payload.trim_ascii_start().starts_with(b"{")
            && serde_json::from_slice::<Shape>(payload).is_ok();
        is_object && announced.is_ok_and(|announced| announced.origin.name == Self::NAME)
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

/// What is an object in it.
#[derive(Deserialize)]
#[expect(
    clippy::zero_sized_map_values,
    reason = "a set would be read from a list"
)]
struct Shape {
    #[serde(rename = "origin")]
    _origin: BTreeMap<String, IgnoredAny>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_is_what_names_us_as_its_origin_in_an_object() {
        let ours = serde_json::json!({"origin": Origin::default(), "device": {}}).to_string();
        assert!(Origin::is_ours(ours.as_bytes()), "{ours}");
        for others in [
            r#"{"origin": {"name": "somebody"}, "name": "envoy-scrape"}"#,
            r#"{"device": {"name": "envoy-scrape"}}"#,
            r#"{"origin": ["envoy-scrape"]}"#,
            r#"[{"name": "envoy-scrape"}]"#,
            r#"[["envoy-scrape"]]"#,
            "envoy-scrape",
            "",
        ] {
            assert!(!Origin::is_ours(others.as_bytes()), "{others}");
        }
    }
}
