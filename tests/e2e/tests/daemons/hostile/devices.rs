//! A gateway that invents inverters, others with each poll.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rig::wait;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

use super::gateway::{BEGAN, INFO, INVERTERS, asked, reply, scraper};
use super::{is_well, told};
use crate::ARRIVAL;
use crate::alone::{POLLED, SETTINGS, said};
use crate::health::address;

/// Inverters that it lists, and that are others with each poll.
const INVENTED: usize = 700;

/// One that is real.
const REAL: &str = "482012345678";

/// The scraper's bound.
const MOST: usize = 2000;

const FULL: &str = "the Envoy names more inverters, meters and batteries than any has";

/// Answers with the real inverter, which reports in each poll, and with others as many as `invents` says.
async fn answer(
    mut stream: TcpStream,
    polls: &AtomicUsize,
    invents: &AtomicUsize,
) -> std::io::Result<()> {
    match asked(&mut stream).await?.as_str() {
        "/info" => reply(&mut stream, 200, INFO).await,
        INVERTERS => {
            let poll = polls.fetch_add(1, Ordering::Relaxed);
            let invented = (0..invents.load(Ordering::Relaxed)).map(|one| format!("p{poll}n{one}"));
            let serials = std::iter::once(REAL.to_owned()).chain(invented);
            let reported_at = 1_795_425_300 + poll;
            let entries = serials.map(|serial| {
                format!(r#"{{"serialNumber":"{serial}","lastReportDate":{reported_at},"lastReportWatts":1,"maxReportWatts":2}}"#)
            });
            let list = entries.collect::<Vec<_>>().join(",");
            reply(&mut stream, 200, &format!("[{list}]")).await
        }
        _ => reply(&mut stream, 404, "").await,
    }
}

/// A gateway that answers so, at this address, until it is dropped.
pub(super) async fn gateway(invents: Arc<AtomicUsize>) -> (String, AbortOnDropHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let polls = Arc::new(AtomicUsize::new(0));
    let gateway = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            let (polls, invents) = (Arc::clone(&polls), Arc::clone(&invents));
            tokio::spawn(async move { answer(stream, &polls, &invents).await });
        }
    });
    (url, AbortOnDropHandle::new(gateway))
}

#[tokio::test]
async fn a_gateway_that_invents_inverters_with_each_poll_fills_nothing_and_its_real_ones_go_on() {
    let invents = Arc::new(AtomicUsize::new(INVENTED));
    let (url, _gateway) = gateway(Arc::clone(&invents)).await;
    let folder = tempfile::tempdir().expect("a directory");
    let mut scraper = scraper(&url, SETTINGS, &folder);
    let address = address(&scraper).await;

    let line = scraper.stderr_line(FULL).await;
    assert!(line.contains(&format!("{MOST} are known")), "{line}");
    assert!(line.contains("STATE_DIR"), "{line}");
    // From then on only the real one is taken in, with each of its reports.
    wait::until_true("five polls more", ARRIVAL, async || {
        said(&scraper, "listed=1 changed=1") >= 5
    })
    .await;
    is_well(&scraper, &address).await;
    assert_eq!(told(&scraper, FULL), 1);
    let taken: usize = scraper
        .stderr()
        .iter()
        .filter_map(|line| changed(line))
        .sum();
    let polled = said(&scraper, POLLED);
    assert!(
        taken <= MOST + 2 * polled,
        "{taken} readings in {polled} polls"
    );

    invents.store(0, Ordering::Relaxed);
    scraper.stderr_line("names no new inverters").await;
    assert!(scraper.terminate().await.success());
}

/// The last Envoy that a scraper goes over to.
const LAST: usize = 16;

#[tokio::test]
async fn what_is_another_envoy_again_and_again_makes_no_journals_without_end() {
    const OTHER: &str = "this is another Envoy than before";
    const ENOUGH: &str = "another Envoy again and again";
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let gateway = tokio::spawn(async move {
        // Long enough for one that stays.
        const EACH: usize = 5;
        let mut times = 0;
        loop {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            // Errors are a client that went away.
            let Ok(path) = asked(&mut stream).await else {
                continue;
            };
            if path != "/info" {
                let _ = reply(&mut stream, 400, "").await;
                continue;
            }
            let info = INFO.replace(
                "202400000099",
                &(202_400_000_100 + times / EACH).to_string(),
            );
            times += 1;
            let _ = reply(&mut stream, 200, &info).await;
        }
    });
    let _gateway = AbortOnDropHandle::new(gateway);
    let folder = tempfile::tempdir().expect("a directory");
    let mut scraper = scraper(&url, SETTINGS, &folder);
    let address = address(&scraper).await;

    wait::until_true("the last one", ARRIVAL, async || {
        told(&scraper, ENOUGH) == 1
    })
    .await;
    let before = said(&scraper, BEGAN);
    wait::until_true("ten polls more", ARRIVAL, async || {
        said(&scraper, BEGAN) >= before + 10
    })
    .await;
    assert_eq!(told(&scraper, OTHER), LAST, "{:#?}", scraper.stderr());
    assert_eq!(told(&scraper, ENOUGH), 1);
    is_well(&scraper, &address).await;
    assert!(scraper.terminate().await.success());
}

/// How many new readings a poll brought, as it is logged.
fn changed(line: &str) -> Option<usize> {
    let (_, rest) = line.split_once("changed=")?;
    rest.split(' ').next()?.parse().ok()
}
