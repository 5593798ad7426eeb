//! The Envoy makes itself a new certificate.

use jiff::Timestamp;
use rig::programs::Program;

use super::{POLLED, Scene, said, says_more};

const CHANGED: &str = "another certificate than before, which is pinned from now on";

/// The warnings about another certificate.
fn warnings(scraper: &Program) -> Vec<String> {
    let lines = scraper.stderr().into_iter();
    lines.filter(|line| line.contains(CHANGED)).collect()
}

#[tokio::test]
async fn new_certificates_of_the_envoy_are_accepted_each_with_one_warning_that_names_both() {
    let scene = Scene::new("202400000041", "accept-new");
    let gateway = scene.gateway().await;
    let mut scraper = scene.scraper(&gateway).spawn();
    scraper.stderr_line(POLLED).await;
    let mut pins = vec![scene.pinned()];

    gateway.renew_certificate().await;
    says_more(&scraper, CHANGED, 1).await;
    // It is pinned before it is polled with, and after it was said.
    says_more(&scraper, POLLED, 2).await;
    pins.push(scene.pinned());

    // Once more, and while it was away.
    let beginning: Timestamp = "2026-06-20T13:00:00Z".parse().expect("a time");
    let gateway = gateway.stop().await.start_again(beginning).await;
    says_more(&scraper, CHANGED, 1).await;
    // It is pinned before it is polled with, and after it was said.
    says_more(&scraper, POLLED, 2).await;
    pins.push(scene.pinned());

    let warned = warnings(&scraper);
    assert_eq!(warned.len(), 2, "{warned:#?}");
    for (line, pair) in warned.iter().zip(pins.windows(2)) {
        assert_ne!(pair[0], pair[1]);
        for part in ["WARN", scene.serial, &pair[0], &pair[1]] {
            assert!(line.contains(part), "{line} lacks {part}");
        }
    }

    // The last one is known to the next process.
    assert!(scraper.terminate().await.success());
    let mut next = scene.scraper(&gateway).spawn();
    next.stderr_line(POLLED).await;
    assert_eq!(said(&next, CHANGED), 0);
    assert!(next.terminate().await.success());
    assert_eq!(scene.pinned(), pins[2]);
}

#[tokio::test]
async fn a_state_directory_that_can_not_be_written_costs_one_warning_and_no_poll() {
    let scene = Scene::new("202400000042", "pinned");
    let gateway = scene.gateway().await;
    let mut scraper = scene.scraper(&gateway).on_a_full_disk().spawn();
    scraper.stderr_line("can't be pinned on disk").await;
    says_more(&scraper, POLLED, 3).await;
    assert_eq!(said(&scraper, "can't be pinned on disk"), 1);
    // What is pinned in memory is pinned all the same.
    gateway.renew_certificate().await;
    let line = scraper.stderr_line("is pinned, so nothing secret").await;
    assert!(line.contains("start again"), "{line}");
    scraper.terminate().await;
}

#[tokio::test]
async fn firmware_below_7_has_no_certificate_and_needs_none() {
    let scene = Scene::new("121500000043", "pinned");
    let own = ["--serial", scene.serial, "--firmware", "5.0.62"];
    let gateway = rig::gateway::Gateway::start(&[&own, &crate::WITH_SUN[..]].concat()).await;
    let mut scraper = scene.scraper(&gateway).spawn();
    scraper.stderr_line(POLLED).await;
    assert!(!scene.pin_file().exists());
    assert!(scraper.terminate().await.success());
}
