//! Which of the Envoys is read.

use crate::found::Found;

/// What to do where no announcement reaches this machine.
const UNHEARD: &str = "it may be off, or in another network or VLAN, or this may be a container or pod \
     without its host's network, into which mDNS does not reach: look in your router for the Envoy's address \
     and give it";

/// Why there is none to read. Each message lists what was heard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFound {
    /// Nothing was heard.
    #[error("no Envoy announces itself here by mDNS; {UNHEARD}")]
    Nobody,
    /// Others were heard, but not the one that is wanted.
    #[error(
        "the Envoy {wanted} does not announce itself here by mDNS, only {}; {UNHEARD}, or give the serial of \
         one of those if it took the place of the other",
        listed(found)
    )]
    Another {
        /// The serial that is looked for.
        wanted: String,
        /// The ones that were heard.
        found: Vec<Found>,
    },
    /// Several, and nothing says which.
    #[error(
        "several Envoys announce themselves by mDNS, {}: give the serial of the one to read; each has a \
         scraper of its own",
        listed(found)
    )]
    Several {
        /// The ones that were heard.
        found: Vec<Found>,
    },
    /// It is there, but not at an address of use.
    #[error(
        "the Envoy {serial} announces only an IPv6 address of one network interface (fe80::), which can't be \
         used: see to it that it gets another one from your router, or give its name"
    )]
    NoAddress {
        /// Its serial.
        serial: String,
    },
}

/// Picks the Envoy with the serial that is `wanted`; without one the only one that is there.
///
/// # Errors
/// When it is not there, or not clear which.
pub fn choose(mut found: Vec<Found>, wanted: Option<&str>) -> Result<Found, NotFound> {
    if found.is_empty() {
        return Err(NotFound::Nobody);
    }
    let chosen = match wanted {
        Some(wanted) => match found.iter().position(|one| one.serial == wanted) {
            Some(at) => found.swap_remove(at),
            None => {
                return Err(NotFound::Another {
                    wanted: wanted.to_owned(),
                    found,
                });
            }
        },
        None if found.len() == 1 => found.remove(0),
        None => return Err(NotFound::Several { found }),
    };
    if chosen.addresses.is_empty() {
        return Err(NotFound::NoAddress {
            serial: chosen.serial,
        });
    }
    Ok(chosen)
}

/// The Envoys in one line.
fn listed(found: &[Found]) -> String {
    let one = |one: &Found| format!("{} at {}", one.serial, one.address().unwrap_or("fe80::"));
    found.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envoy(serial: &str, address: &str) -> Found {
        Found {
            serial: serial.to_owned(),
            firmware: None,
            addresses: vec![address.to_owned()],
        }
    }

    fn two() -> Vec<Found> {
        vec![envoy("1", "192.168.1.21"), envoy("2", "192.168.1.22")]
    }

    fn chosen(found: Vec<Found>, wanted: Option<&str>) -> Result<String, String> {
        let chosen = choose(found, wanted);
        chosen
            .map(|one| one.serial)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_only_one_needs_no_serial_and_of_several_the_serial_decides() {
        assert_eq!(chosen(two()[..1].to_vec(), None), Ok("1".to_owned()));
        assert_eq!(chosen(two(), Some("2")), Ok("2".to_owned()));
    }

    #[test]
    fn of_several_none_is_picked_by_chance() {
        let said = chosen(two(), None).expect_err("either could be meant");
        assert!(
            said.contains("1 at 192.168.1.21, 2 at 192.168.1.22: give the serial"),
            "{said}"
        );
    }

    #[test]
    fn another_one_never_passes_for_the_one_that_is_wanted() {
        let said = chosen(two()[..1].to_vec(), Some("2")).expect_err("it is another");
        assert!(
            said.contains(
                "the Envoy 2 does not announce itself here by mDNS, only 1 at 192.168.1.21"
            ),
            "{said}"
        );
    }

    #[test]
    fn where_nothing_is_heard_the_likely_reasons_are_named() {
        let said = chosen(Vec::new(), None).expect_err("nobody is there");
        assert!(
            said.contains("VLAN") && said.contains("container"),
            "{said}"
        );
    }

    #[test]
    fn an_envoy_without_an_address_of_use_is_named() {
        let mut envoy = envoy("1", "");
        envoy.addresses.clear();
        let said = chosen(vec![envoy], Some("1")).expect_err("no address");
        assert!(said.contains("the Envoy 1 announces only"), "{said}");
    }
}
