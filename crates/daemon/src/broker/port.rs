//! Ports that are hardly a broker's.

use mqtt::BrokerUrl;

/// Why a broker is hardly reached at this address. Any program may listen on any port, so it is
/// no mistake.
pub(super) fn doubt(url: &BrokerUrl) -> Option<&'static str> {
    match (url.port(), url.is_tls()) {
        (8086, _) => Some("8086 is the port of InfluxDB; brokers have 1883, with TLS 8883"),
        (8883, false) => {
            Some("8883 is the port for TLS; write mqtts:// if the broker has TLS there")
        }
        (1883, true) => Some(
            "1883 is the port without TLS; leave the port out, or write mqtt:// if the broker has no TLS",
        ),
        (80 | 443 | 8080 | 9001, _) => Some(
            "this is a port of web servers, and MQTT over WebSocket is not spoken here; brokers have 1883, with TLS 8883",
        ),
        (8123, _) => {
            Some("8123 is the port of Home Assistant's page; its broker has 1883, with TLS 8883")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_of_something_else_is_doubted() {
        let doubted = |url: &str| doubt(&url.parse().expect(url)).is_some();
        for url in [
            "mqtt://a:8086",
            "mqtt://a:8883",
            "mqtts://a:1883",
            "mqtt://a:9001",
        ] {
            assert!(doubted(url), "{url}");
        }
        for url in ["mqtt://a", "mqtts://a", "mqtt://a:1884", "mqtts://a:8884"] {
            assert!(!doubted(url), "{url}");
        }
    }
}
