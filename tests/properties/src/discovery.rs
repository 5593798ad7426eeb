//! Who is there, by mDNS.

use std::collections::BTreeSet;
use std::net::IpAddr;

use discovery::{Announcement, Found, choose};
use envoy::Host;

use crate::{Input, logged};

/// The serial that is looked for.
const WANTED: &str = "122012345678";

/// In each line what an answer says, with tabs between: serial, firmware, port and addresses. What is made of all of them has
/// each serial once, and only addresses that can be asked; it and what is said of it are fit for a log.
pub(crate) fn discovery(data: &[u8]) -> Input {
    let Ok(text) = str::from_utf8(data) else {
        return Input::Refused;
    };
    let announced: Vec<_> = text.lines().map(announcement).collect();
    let is_understood = announced.iter().all(Option::is_some);
    let heard: Vec<_> = announced.into_iter().flatten().collect();
    let found = Found::of(&heard);
    assert!(found.is_sorted_by(|one, next| one.serial < next.serial));
    for one in &found {
        let said: Vec<_> = heard
            .iter()
            .filter(|said| said.serial == one.serial)
            .collect();
        assert!(!said.is_empty(), "{one:?} was not heard");
        let firmware = said.iter().any(|said| said.firmware == one.firmware);
        assert!(firmware || one.firmware.is_none());
        let once: BTreeSet<_> = one.addresses.iter().collect();
        assert_eq!(once.len(), one.addresses.len(), "{one:?}");
        let all = said.iter().flat_map(|said| &said.addresses);
        let is_of_use =
            |address: &&IpAddr| !matches!(address, IpAddr::V6(it) if it.is_unicast_link_local());
        assert_eq!(
            all.filter(is_of_use).count() == 0,
            once.is_empty(),
            "{one:?}"
        );
        for address in &one.addresses {
            let host: Result<Host, _> = address.parse();
            assert!(host.is_ok(), "{address} can't be asked: {host:?}");
        }
        logged::is_fit(&one.serial);
        logged::is_fit(one.firmware.as_deref().unwrap_or_default());
    }
    for wanted in [None, Some(WANTED)] {
        match choose(found.clone(), wanted) {
            Ok(chosen) => {
                assert!(found.contains(&chosen) && chosen.address().is_some());
                let is_wanted = wanted.map_or(found.len() == 1, |wanted| chosen.serial == wanted);
                assert!(is_wanted, "{chosen:?} of {found:?}");
            }
            Err(error) => logged::is_fit_error(&error),
        }
    }
    Input::understood_if(is_understood)
}

fn announcement(line: &str) -> Option<Announcement> {
    let mut words = line.split('\t');
    let (serial, firmware, port) = (words.next()?, words.next()?, words.next()?);
    let addresses: Result<Vec<IpAddr>, _> = words.map(str::parse).collect();
    Announcement::new(
        serial,
        Some(firmware).filter(|firmware| !firmware.is_empty()),
        addresses.ok()?,
        port.parse().ok()?,
    )
}
