//! What an Envoy says of itself.

use std::net::IpAddr;

/// One answer to the question who is there. Whatever sits in the network may have sent it, so nothing of it
/// is taken for more than a hint: the Envoy's own `/info` has the last word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// Its serial number (TXT `serialnum`).
    pub serial: String,
    /// Its firmware without the letter (TXT `protovers`), such as `8.3.5169`.
    pub firmware: Option<String>,
    /// Where it is. Some Envoys announce addresses of 169.254.0.0/16 that nothing answers at.
    pub addresses: Vec<IpAddr>,
    /// The port of its service; 80, also where firmware 7 and later is spoken to at 443.
    pub port: u16,
}

/// The longest serial and firmware that are taken: real ones have 12 and some 10 characters.
const LONGEST: usize = 32;

impl Announcement {
    /// The announcement, if it has the marks of an Envoy's: a serial that can be one, and an address.
    #[must_use]
    pub fn new(
        serial: &str,
        firmware: Option<&str>,
        addresses: impl IntoIterator<Item = IpAddr>,
        port: u16,
    ) -> Option<Self> {
        let addresses: Vec<IpAddr> = addresses
            .into_iter()
            .filter(|address| !address.is_unspecified() && !address.is_multicast())
            .collect();
        let is_word = |text: &str| {
            (1..=LONGEST).contains(&text.len())
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
        };
        if !is_word(serial) || addresses.is_empty() {
            return None;
        }
        Some(Self {
            serial: serial.to_owned(),
            firmware: firmware
                .filter(|firmware| is_word(firmware))
                .map(str::to_owned),
            addresses,
            port,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 1, 20));

    #[test]
    fn what_has_no_serial_or_no_address_is_no_envoy() {
        assert!(Announcement::new("122015061668", None, [ADDRESS], 80).is_some());
        let unspecified = "0.0.0.0".parse().expect("an address");
        for (serial, addresses) in [
            ("", vec![ADDRESS]),
            ("122015061668", vec![]),
            ("122015061668", vec![unspecified]),
            ("12201506\u{1b}[2J", vec![ADDRESS]),
            (&"1".repeat(33), vec![ADDRESS]),
        ] {
            assert_eq!(
                Announcement::new(serial, None, addresses, 80),
                None,
                "{serial:?}"
            );
        }
    }

    #[test]
    fn a_firmware_that_is_none_is_left_out() {
        let firmware =
            |text| Announcement::new("1", Some(text), [ADDRESS], 80).map(|it| it.firmware);
        assert_eq!(firmware("4.10.35"), Some(Some("4.10.35".to_owned())));
        assert_eq!(firmware("4.10.35\nWARN all is lost"), Some(None));
    }
}
