//! An Envoy that was found by mDNS, and what becomes of it.

use std::net::{IpAddr, UdpSocket};

use rig::servers::skip;

use super::{Neighbourhood, OLD, goes_on, moved};
use crate::WITH_SUN;
use crate::alone::{POLLED, says_more};
use crate::envoy_account::{PASSWORD, USERNAME};

#[tokio::test]
async fn an_envoy_that_moves_is_followed_without_a_restart_also_to_ipv6() {
    let Some(ipv6) = ipv6() else {
        let test = "an Envoy that moves is followed without a restart, also to IPv6";
        let reason = "this machine has none in a network";
        return skip(test, "IPv6 address", reason).unwrap_or_default();
    };
    let here = Neighbourhood::new();
    let mut envoy = here.envoy("122000000001", &OLD).await;
    let mut scraper = here.scraper(None).spawn();
    goes_on(&envoy).await;
    for (address, day) in [("127.0.0.1:0", "2026-06-21"), (&ipv6, "2026-06-22")] {
        envoy = moved(envoy, address, day).await;
        let line = format!("address={}", envoy.address());
        let line = scraper.stderr_line(&line).await;
        assert!(line.contains("the Envoy has another address"), "{line}");
        goes_on(&envoy).await;
    }
    assert!(scraper.terminate().await.success());
}

/// An IPv6 address of this machine: the loopback interface has no multicast for IPv6.
fn ipv6() -> Option<String> {
    let socket = UdpSocket::bind("[::]:0").ok()?;
    // Sends nothing, but chooses the address to send from.
    socket.connect("[2001:db8::1]:9").ok()?;
    let IpAddr::V6(address) = socket.local_addr().ok()?.ip() else {
        return None;
    };
    let is_of_use = !address.is_loopback() && !address.is_unicast_link_local();
    is_of_use.then(|| format!("[{address}]:0"))
}

#[tokio::test]
async fn whoever_announces_a_pinned_envoy_s_serial_does_not_keep_the_scraper_from_it() {
    let here = Neighbourhood::new();
    let certificate = here.directory.path().join("certificate");
    let certificate = format!("--certificate={}", certificate.display());
    let new = [&[certificate.as_str()], &WITH_SUN[..]].concat();
    let envoy = here.envoy("122000000001", &new).await;
    let mut envoy = moved(envoy, "127.0.0.2:0", "2026-06-21").await;
    let token = envoy.token_file().expect("firmware 8 has tokens");
    let scraper = here.scraper(Some(&token));
    let scraper = scraper.env("ENVOY_CERTIFICATE", "pinned");
    let mut before = scraper.spawn();
    goes_on(&envoy).await;
    assert!(before.terminate().await.success());

    // With certificates of their own, and at addresses that are tried first: more than any real one has.
    let mut others = Vec::new();
    for _ in 0..5 {
        others.push(here.envoy("122000000001", &WITH_SUN).await);
    }
    let mut scraper = scraper.spawn();
    goes_on(&envoy).await;
    for (address, day) in [("127.0.0.3:0", "2026-06-22"), ("127.0.0.2:0", "2026-06-23")] {
        envoy = moved(envoy, address, day).await;
        goes_on(&envoy).await;
    }
    assert!(others.iter().all(|other| other.ledger().is_empty()));
    assert!(scraper.terminate().await.success());
}

#[tokio::test]
async fn a_pinned_envoy_that_moves_with_a_new_certificate_is_named_with_how_to_accept_it() {
    let here = Neighbourhood::new();
    let envoy = here.envoy("122000000001", &WITH_SUN).await;
    let token = envoy.token_file().expect("firmware 8 has tokens");
    let scraper = here.scraper(Some(&token));
    let mut scraper = scraper.env("ENVOY_CERTIFICATE", "pinned").spawn();
    goes_on(&envoy).await;
    let envoy = moved(envoy, "127.0.0.2:0", "2026-06-21").await;
    let line = scraper.stderr_line("is pinned").await;
    for part in [
        "ERROR",
        envoy.address(),
        "remove ",
        "certificate-122000000001",
    ] {
        assert!(line.contains(part), "{part} is not in {line}");
    }
    let pin = "state/certificate-122000000001";
    std::fs::remove_file(here.directory.path().join(pin)).expect("a pin");
    goes_on(&envoy).await;
    assert!(scraper.terminate().await.success());
}

#[tokio::test]
async fn an_envoy_goes_through_updates_a_new_certificate_and_a_reboot_without_a_restart() {
    let here = Neighbourhood::new();
    let envoy = here
        .envoy(
            "122000000001",
            &[&OLD[..], &["--cloud", "127.0.0.1:0"]].concat(),
        )
        .await;
    let cloud = envoy.cloud().await;
    let mut scraper = here
        .scraper(None)
        .env("ENLIGHTEN_USERNAME", USERNAME)
        .env("ENLIGHTEN_PASSWORD", PASSWORD)
        .env("ENLIGHTEN_URL", &cloud)
        .env("ENTREZ_URL", &cloud)
        .env("RUST_LOG", "info,scraper=debug")
        .spawn();
    says_more(&scraper, POLLED, 1).await;
    for firmware in ["7.6.175", "8.3.5433"] {
        envoy.update(firmware).await;
        scraper.stderr_line(&format!("firmware=D{firmware}")).await;
        says_more(&scraper, POLLED, 1).await;
    }
    envoy.renew_certificate().await;
    scraper.stderr_line("another certificate").await;
    says_more(&scraper, POLLED, 1).await;
    envoy.reboot("3s+0s").await;
    scraper
        .stderr_line("the Envoy's readings are there again")
        .await;
    assert!(scraper.terminate().await.success());
}
