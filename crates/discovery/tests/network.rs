//! Simulated Envoys on the loopback interface announce themselves, and are found. Each test has an mDNS port
//! of its own, so that it hears nobody else's.
#![allow(clippy::unwrap_used)]

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use discovery::{Browser, FindError, Found, NotFound};
use rig::servers::skip;
use simulator::{Options, Simulator, SiteOptions, Source};

const LISTEN: &str = "127.0.0.1:0";

/// A port at which nobody speaks mDNS.
fn quiet_port() -> u16 {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    socket.local_addr().unwrap().port()
}

async fn envoy(port: u16, serial: &str, firmware: &str, listen: SocketAddr) -> Simulator {
    let site = SiteOptions {
        serial: serial.parse().unwrap(),
        firmware: firmware.parse().unwrap(),
        ..SiteOptions::default()
    };
    let options = Options {
        source: Source::Site(site),
        listen,
        announce: Some(port),
        ..Options::default()
    };
    Simulator::start(options).await.unwrap()
}

fn address_of(simulator: &Simulator) -> String {
    simulator.url().split("://").nth(1).unwrap().to_owned()
}

/// Looks until the Envoys look as they should; no single announcement is sure to be heard.
async fn heard(browser: &Browser, what: &str, good: impl Fn(&[Found]) -> bool) -> Vec<Found> {
    let mut found = Vec::new();
    for _ in 0..10 {
        found = browser.look(Duration::from_secs(2)).await.unwrap();
        if good(&found) {
            return found;
        }
    }
    panic!("{what}, but heard was {found:?}");
}

#[tokio::test]
async fn an_envoy_is_found_with_its_serial_firmware_and_address() {
    let port = quiet_port();
    let envoy = envoy(port, "122000000001", "5.0.62", LISTEN.parse().unwrap()).await;
    let found = heard(&Browser::at_port(port), "one Envoy is there", |found| {
        !found.is_empty()
    })
    .await;
    let expected = Found {
        serial: "122000000001".to_owned(),
        firmware: Some("5.0.62".to_owned()),
        addresses: vec![address_of(&envoy)],
    };
    assert_eq!(found, [expected]);
    let one = Browser::at_port(port).find(None).await.unwrap();
    assert_eq!(one, found[0]);
}

#[tokio::test]
async fn of_two_envoys_that_both_call_themselves_envoy_each_is_found_by_its_serial() {
    let port = quiet_port();
    let first = envoy(port, "122000000001", "8.3.5169", LISTEN.parse().unwrap()).await;
    let second = envoy(port, "122000000002", "5.0.62", LISTEN.parse().unwrap()).await;
    let browser = Browser::at_port(port);
    heard(&browser, "two Envoys are there", |found| found.len() == 2).await;
    for (serial, simulator) in [("122000000001", &first), ("122000000002", &second)] {
        let found = browser.find(Some(serial)).await.unwrap();
        assert_eq!(found.address(), Some(address_of(simulator).as_str()));
    }
    let neither = browser.find(None).await.unwrap_err();
    let FindError::NotFound(NotFound::Several { found }) = neither else {
        panic!("{neither}");
    };
    assert_eq!(found.len(), 2);
}

#[tokio::test]
async fn an_envoy_with_an_ipv6_address_alone_is_found() {
    let Some(address) = ipv6() else {
        let test = "an Envoy with an IPv6 address alone is found";
        let reason = "this machine has none in a network";
        return skip(test, "IPv6 address", reason).unwrap_or_default();
    };
    let port = quiet_port();
    let envoy = envoy(port, "122000000001", "8.3.5169", address).await;
    let found = heard(&Browser::at_port(port), "one Envoy is there", |found| {
        !found.is_empty()
    })
    .await;
    assert_eq!(found[0].addresses, [address_of(&envoy)]);
}

/// An IPv6 address of this machine with a free port: the loopback interface has no multicast for IPv6.
fn ipv6() -> Option<SocketAddr> {
    let socket = UdpSocket::bind("[::]:0").ok()?;
    // Sends nothing, but chooses the address to send from.
    socket.connect("[2001:db8::1]:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    let IpAddr::V6(v6) = address else { return None };
    (!v6.is_loopback() && !v6.is_unicast_link_local()).then(|| SocketAddr::new(address, 0))
}

#[tokio::test]
async fn an_update_changes_what_is_announced() {
    let port = quiet_port();
    let envoy = envoy(port, "122000000001", "5.0.62", LISTEN.parse().unwrap()).await;
    envoy.update("7.6.175".parse().unwrap()).unwrap();
    heard(
        &Browser::at_port(port),
        "firmware 7.6 is announced",
        |found| {
            found
                .iter()
                .any(|one| one.firmware.as_deref() == Some("7.6.175"))
        },
    )
    .await;
}

#[tokio::test]
async fn where_no_envoy_is_nothing_is_found_in_bounded_time() {
    let error = Browser::at_port(quiet_port()).find(None).await.unwrap_err();
    assert!(
        matches!(error, FindError::NotFound(NotFound::Nobody)),
        "{error}"
    );
}

#[tokio::test]
async fn an_envoy_that_is_stopped_takes_its_announcement_back() {
    let port = quiet_port();
    let envoy = envoy(port, "122000000001", "5.0.62", LISTEN.parse().unwrap()).await;
    let browser = Browser::at_port(port);
    heard(&browser, "one Envoy is there", |found| !found.is_empty()).await;
    envoy.stop().await;
    heard(&browser, "nobody is there any more", <[Found]>::is_empty).await;
}
