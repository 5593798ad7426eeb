//! The Envoys that are there, with the address to try.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::announcement::Announcement;

/// The ports that every Envoy has, whichever of them it announces: both are tried anyway, https first.
const USUAL_PORTS: [u16; 3] = [0, 80, 443];

/// An Envoy that announces itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its serial number.
    pub serial: String,
    /// Its firmware without the letter, if it says it.
    pub firmware: Option<String>,
    /// Where to ask it, the best first: `192.168.1.20`, `[fd00::20]`, with a port where that is not one of
    /// every Envoy. Empty where it has only an IPv6 address that counts on one network interface alone
    /// (`fe80::`), which no URL can name.
    pub addresses: Vec<String>,
}

impl Found {
    /// The best address, if it has one of use.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        self.addresses.first().map(String::as_str)
    }

    /// Makes one Envoy of all that was said under one serial, sorted by serial.
    #[must_use]
    pub fn of(announcements: &[Announcement]) -> Vec<Self> {
        let mut by_serial: BTreeMap<&str, Vec<&Announcement>> = BTreeMap::new();
        for announcement in announcements {
            let same = by_serial.entry(&announcement.serial).or_default();
            same.push(announcement);
        }
        by_serial
            .into_iter()
            .map(|(serial, said)| Self {
                serial: serial.to_owned(),
                firmware: said.iter().find_map(|one| one.firmware.clone()),
                addresses: addresses(&said),
            })
            .collect()
    }
}

/// All addresses once, the best first.
fn addresses(said: &[&Announcement]) -> Vec<String> {
    let mut places: Vec<(u8, IpAddr, Option<u16>)> = said
        .iter()
        .flat_map(|one| {
            let port = Some(one.port).filter(|port| !USUAL_PORTS.contains(port));
            one.addresses.iter().map(move |address| (*address, port))
        })
        .filter_map(|(address, port)| Some((rank(address)?, address, port)))
        .collect();
    places.sort_unstable();
    places.dedup();
    places
        .into_iter()
        .map(|(_, address, port)| {
            let host = match address {
                IpAddr::V4(address) => address.to_string(),
                IpAddr::V6(address) => format!("[{address}]"),
            };
            match port {
                None => host,
                Some(port) => format!("{host}:{port}"),
            }
        })
        .collect()
}

/// The lower, the better; none for what can't be used. An IPv4 address that a machine gives itself
/// (169.254.0.0/16) is often a left-over of the Envoy's start, and so is tried last.
fn rank(address: IpAddr) -> Option<u8> {
    match address {
        IpAddr::V4(address) if address.is_link_local() => Some(2),
        IpAddr::V4(_) => Some(0),
        IpAddr::V6(address) if address.is_unicast_link_local() => None,
        IpAddr::V6(_) => Some(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(serial: &str, addresses: &[&str], port: u16) -> Announcement {
        let addresses = addresses
            .iter()
            .map(|address| address.parse().expect("an address"));
        Announcement::new(serial, Some("8.3.5169"), addresses, port).expect("an announcement")
    }

    fn addresses_of(addresses: &[&str], port: u16) -> Vec<String> {
        let found = Found::of(&[said("1", addresses, port)]);
        assert_eq!(found.len(), 1);
        found.into_iter().flat_map(|one| one.addresses).collect()
    }

    #[test]
    fn ipv4_goes_before_ipv6_and_what_a_machine_gave_itself_comes_last() {
        let all = ["fe80::1", "169.254.10.1", "fd00::20", "192.168.1.20"];
        assert_eq!(
            addresses_of(&all, 80),
            ["192.168.1.20", "[fd00::20]", "169.254.10.1"]
        );
        assert_eq!(addresses_of(&all[..3], 443), ["[fd00::20]", "169.254.10.1"]);
    }

    #[test]
    fn an_address_of_one_interface_alone_is_of_no_use() {
        let found = Found::of(&[said("1", &["fe80::1"], 80)]);
        assert_eq!(found[0].address(), None);
    }

    #[test]
    fn a_port_counts_where_it_is_not_one_of_every_envoy() {
        let v4 = ["192.168.1.20"];
        for usual in [80, 443] {
            assert_eq!(addresses_of(&v4, usual), ["192.168.1.20"]);
        }
        assert_eq!(addresses_of(&v4, 8443), ["192.168.1.20:8443"]);
        assert_eq!(addresses_of(&["fd00::20"], 8443), ["[fd00::20]:8443"]);
    }

    #[test]
    fn an_address_that_is_announced_with_several_of_the_usual_ports_is_named_once() {
        let v4 = &["192.168.1.20"][..];
        let found = Found::of(&[said("1", v4, 443), said("1", v4, 80), said("1", v4, 8443)]);
        assert_eq!(found[0].addresses, ["192.168.1.20", "192.168.1.20:8443"]);
    }

    #[test]
    fn what_comes_one_by_one_under_one_serial_is_one_envoy() {
        let said = [
            said("2", &["fd00::20"], 80),
            said("1", &["192.168.1.21"], 80),
            said("2", &["192.168.1.20"], 80),
            said("2", &["192.168.1.20"], 80),
        ];
        let found = Found::of(&said);
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].serial.as_str(), found[0].address()),
            ("1", Some("192.168.1.21"))
        );
        assert_eq!(found[1].addresses, ["192.168.1.20", "[fd00::20]"]);
    }
}
