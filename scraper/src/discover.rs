//! `discover`: lists the Envoys that announce themselves, and says what to set.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use daemon::exit::with_causes;
use discovery::{Browser, BrowserError, Found, NotFound};
use envoy::{Gateway, Host, Settings};
use serde::Serialize;

use crate::print::Format;
use crate::reach::MOST;

/// How long an Envoy may take to say who it is; some need seconds for a TLS connection.
const ANSWER: Duration = Duration::from_secs(10);

/// Why nothing is listed.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// The network can't be asked.
    #[error(transparent)]
    Browser(#[from] BrowserError),
    /// Nobody is there.
    #[error("{0} (setting: ENVOY_HOST)")]
    Nobody(NotFound),
    /// Standard output is closed.
    #[error("standard output can't be written")]
    Output(#[from] std::io::Error),
}

/// An Envoy as it is listed.
#[derive(Debug, Serialize)]
struct Listed {
    serial: String,
    /// The best address; null where it has none of use.
    address: Option<String>,
    /// All of them, the best first.
    addresses: Vec<String>,
    /// As it says itself when it is asked, else as it announces.
    firmware: Option<String>,
    /// Whether it answers at one of them, and has the serial that it announces.
    answers: bool,
    /// Why not.
    reason: Option<String>,
}

/// Lists all Envoys that are heard within `time`. Each is asked who it is, one after the other; that needs no
/// password and no token.
///
/// # Errors
/// When none is there.
pub async fn discover(
    browser: Browser,
    time: Duration,
    format: Format,
) -> Result<(), DiscoverError> {
    let mut listed = Vec::new();
    for found in browser.look(time).await? {
        listed.push(ask(found).await);
    }
    let text = match format {
        Format::Table if listed.is_empty() => String::new(),
        Format::Table => table(&listed),
        Format::Json => {
            serde_json::to_string(&listed).expect("texts and truths can be written as JSON") + "\n"
        }
    };
    std::io::stdout().write_all(text.as_bytes())?;
    if listed.is_empty() {
        return Err(DiscoverError::Nobody(NotFound::Nobody));
    }
    Ok(())
}

async fn ask(found: Found) -> Listed {
    let mut listed = Listed {
        serial: found.serial,
        address: found.addresses.first().cloned(),
        addresses: found.addresses,
        firmware: found.firmware,
        answers: false,
        reason: None,
    };
    for address in listed.addresses.iter().take(MOST) {
        let Ok(host) = address.parse::<Host>() else {
            continue;
        };
        let mut settings = Settings::new(host);
        settings.serial = Some(listed.serial.clone());
        settings.connect_timeout = ANSWER;
        settings.read_timeout = ANSWER;
        match Gateway::new(settings).info().await {
            Ok(info) => {
                listed.address = Some(address.clone());
                listed.firmware = Some(info.firmware.to_string());
                listed.answers = true;
                listed.reason = None;
                break;
            }
            Err(error) => listed.reason = listed.reason.or_else(|| Some(with_causes(&error))),
        }
    }
    if listed.addresses.is_empty() {
        let reason =
            "it announces only an address of one network interface (fe80::), which can't be used";
        listed.reason = Some(reason.to_owned());
    }
    listed
}

fn table(listed: &[Listed]) -> String {
    let address = |one: &Listed| one.address.clone().unwrap_or_else(|| "none".to_owned());
    let width = |text: fn(&Listed) -> usize, head: &str| {
        listed.iter().map(text).max().unwrap_or(0).max(head.len())
    };
    let serials = width(|one| one.serial.len(), "serial");
    let addresses = width(|one| one.address.as_ref().map_or(0, String::len), "address");
    // Writing to a string does not fail.
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{:serials$}  {:addresses$}  firmware",
        "serial", "address"
    );
    for one in listed {
        let firmware = one.firmware.as_deref().unwrap_or("unknown");
        let _ = writeln!(
            text,
            "{:serials$}  {:addresses$}  {firmware}",
            one.serial,
            address(one)
        );
    }
    for one in listed {
        if let Some(reason) = &one.reason {
            let _ = writeln!(text, "\n{} does not answer: {reason}", one.serial);
        }
    }
    let _ = writeln!(text, "\n{}", advice(listed));
    text
}

/// What to set.
fn advice(listed: &[Listed]) -> String {
    match listed {
        [
            Listed {
                address: Some(_),
                answers: false,
                ..
            },
        ] => "See to what keeps it from answering; a firewall or a router between two networks may pass on \
              announcements, but no connections. Then nothing has to be set."
            .to_owned(),
        [Listed {
            address: Some(address),
            ..
        }] => format!(
            "Nothing has to be set: without ENVOY_HOST the scraper finds it, also where its address changes. \
             To do without mDNS, set ENVOY_HOST={address}"
        ),
        [_] => "Give the Envoy an address in your router, or its name in ENVOY_HOST.".to_owned(),
        _ => "Set ENVOY_SERIAL to the serial of the one to read; each Envoy has a scraper of its own, with a \
              STATE_DIR of its own."
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envoy(serial: &str, address: Option<&str>) -> Listed {
        Listed {
            serial: serial.to_owned(),
            address: address.map(str::to_owned),
            addresses: address.map(str::to_owned).into_iter().collect(),
            firmware: Some("8.3.5169".to_owned()),
            answers: true,
            reason: None,
        }
    }

    #[test]
    fn one_envoy_needs_no_setting() {
        let text = table(&[envoy("122012345678", Some("192.168.1.20"))]);
        assert_eq!(
            text.lines().take(2).collect::<Vec<_>>(),
            [
                "serial        address       firmware",
                "122012345678  192.168.1.20  8.3.5169"
            ]
        );
        assert!(text.contains("Nothing has to be set"), "{text}");
        assert!(text.contains("ENVOY_HOST=192.168.1.20"), "{text}");
    }

    #[test]
    fn one_that_is_heard_and_does_not_answer_is_not_called_well() {
        let mut heard = envoy("122012345678", Some("192.168.1.20"));
        heard.answers = false;
        heard.reason = Some("it refuses connections".to_owned());
        let text = table(&[heard]);
        assert!(
            text.contains("122012345678 does not answer: it refuses connections"),
            "{text}"
        );
        assert!(
            text.contains("a firewall or a router between two networks"),
            "{text}"
        );
        assert!(!text.contains("Nothing has to be set"), "{text}");
    }

    #[test]
    fn of_several_a_serial_has_to_be_set() {
        let text = table(&[
            envoy("1", Some("192.168.1.20")),
            envoy("2", Some("[fd00::20]")),
        ]);
        assert!(text.contains("Set ENVOY_SERIAL"), "{text}");
    }
}
