//! A simulator that goes by a test's time, and notes what it was asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::header::{COOKIE, SET_COOKIE};
use secrecy::ExposeSecret;
use simulator::{Fault, Options, OurTime, Simulator, SiteOptions, Source};

use crate::client::{http, with_token};

const INVERTERS: &str = "/api/v1/production/inverters";
const NOON: &str = "2026-06-21T12:00:00Z";

/// A simulator of the newest firmware whose time stands at a noon until the test moves it, in seconds.
async fn at_noon() -> (Simulator, Arc<AtomicI64>) {
    let noon: Timestamp = NOON.parse().unwrap();
    let time = Arc::new(AtomicI64::new(noon.as_second()));
    let read = time.clone();
    let options = Options {
        source: Source::Site(SiteOptions::default()),
        note_requests: true,
        our_time: OurTime::new(move || {
            Timestamp::from_second(read.load(Ordering::Relaxed)).unwrap()
        }),
        ..Options::default()
    };
    (Simulator::start(options).await.unwrap(), time)
}

async fn newest_report(simulator: &Simulator) -> i64 {
    let answer = with_token(simulator, INVERTERS).await;
    assert_eq!(answer.status(), 200);
    let body = answer.text().await.unwrap();
    let rows: Vec<serde_json::Value> = serde_json::from_str(&body).unwrap();
    let dates = rows
        .iter()
        .map(|row| row["lastReportDate"].as_i64().unwrap());
    dates.max().unwrap()
}

#[tokio::test]
async fn reports_and_tokens_come_and_go_by_the_time_that_was_handed_in() {
    let (simulator, time) = at_noon().await;
    let noon = time.load(Ordering::Relaxed);
    let newest = newest_report(&simulator).await;
    assert!((noon - 300..=noon).contains(&newest), "{newest}");
    time.fetch_add(3_600, Ordering::Relaxed);
    let newest = newest_report(&simulator).await;
    assert!((noon + 3_300..=noon + 3_600).contains(&newest), "{newest}");
    time.fetch_add(366 * 24 * 3_600, Ordering::Relaxed);
    assert_eq!(with_token(&simulator, INVERTERS).await.status(), 401);
}

#[tokio::test]
async fn a_session_ends_after_ten_idle_minutes_of_the_time_that_was_handed_in() {
    let (simulator, time) = at_noon().await;
    let answer = with_token(&simulator, INVERTERS).await;
    let cookie = answer.headers()[SET_COOKIE].to_str().unwrap().to_owned();
    let with_cookie = async || {
        let request = http().get(format!("{}{INVERTERS}", simulator.url()));
        let answer = request.header(COOKIE, &cookie).send().await;
        answer.unwrap().status()
    };
    time.fetch_add(590, Ordering::Relaxed);
    assert_eq!(with_cookie().await, 200);
    time.fetch_add(610, Ordering::Relaxed);
    assert_eq!(with_cookie().await, 401);
}

#[tokio::test]
async fn each_request_is_noted_with_its_time_and_what_it_showed() {
    let (simulator, time) = at_noon().await;
    let info = http().get(format!("{}/info", simulator.url()));
    assert_eq!(info.send().await.unwrap().status(), 200);
    time.fetch_add(60, Ordering::Relaxed);
    with_token(&simulator, INVERTERS)
        .await
        .text()
        .await
        .unwrap();

    let requests = simulator.take_requests();
    let noted: Vec<_> = requests
        .iter()
        .map(|request| (&*request.path, request.status, request.alongside))
        .collect();
    assert_eq!(noted, [("/info", Some(200), 0), (INVERTERS, Some(200), 0)]);
    assert_eq!(
        requests[1].came.duration_since(requests[0].came).as_secs(),
        60
    );
    let shown = requests[1].authorization.as_ref().unwrap();
    let token = simulator.token().expose_secret();
    assert_eq!(shown.expose_secret(), format!("Bearer {token}"));
    assert!(requests[0].authorization.is_none() && requests[1].cookie.is_none());
    assert!(!format!("{requests:?}").contains(token), "{requests:?}");
    assert!(simulator.take_requests().is_empty(), "they were taken");
}

#[tokio::test]
async fn a_request_that_another_one_does_not_wait_for_is_seen() {
    let (simulator, _) = at_noon().await;
    simulator.inject(Fault::Hang.into());
    let info = || http().get(format!("{}/info", simulator.url()));
    let hangs = tokio::spawn(info().send());
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let given_up = info().timeout(Duration::from_millis(50)).send().await;
        assert!(given_up.is_err_and(|error| error.is_timeout()));
        let requests = simulator.take_requests();
        if requests.iter().any(|request| request.alongside > 0) {
            assert!(requests.iter().all(|request| request.status.is_none()));
            break;
        }
        assert!(Instant::now() < deadline, "{requests:?}");
    }
    hangs.abort();
}
