//! AC batteries in the list of inverters, over real connections.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use serde_json::Value;
use simulator::{Options, OurTime, Simulator, SiteOptions, Source};

use crate::client::{start, with_password, with_token};

const NOON: &str = "2026-06-21T12:00:00Z";

/// Three AC batteries, and another battery that does as much as all of them do.
fn site(firmware: &str) -> SiteOptions {
    SiteOptions {
        firmware: firmware.parse().unwrap(),
        inverters: 5,
        batteries: 1,
        ac_batteries: 3,
        ..SiteOptions::default()
    }
}

async fn get(simulator: &Simulator, path: &str) -> Value {
    let answer = with_token(simulator, path).await;
    assert_eq!(answer.status(), 200, "{path}");
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

/// The rows of the list of this type.
async fn listed(simulator: &Simulator, kind: u64) -> Vec<Value> {
    let list = get(simulator, "/api/v1/production/inverters").await;
    let rows = list.as_array().unwrap().iter();
    rows.filter(|row| row["devType"] == kind).cloned().collect()
}

#[tokio::test]
async fn they_report_by_day_and_by_night_what_they_take_and_give() {
    let noon = NOON.parse::<Timestamp>().unwrap().as_second();
    let time = Arc::new(AtomicI64::new(noon));
    let read = time.clone();
    let options = Options {
        source: Source::Site(site("8.2.4382")),
        our_time: OurTime::new(move || {
            Timestamp::from_second(read.load(Ordering::Relaxed)).unwrap()
        }),
        ..Options::default()
    };
    let simulator = Simulator::start(options).await.unwrap();
    let mut reports: BTreeMap<String, BTreeMap<i64, i64>> = BTreeMap::new();
    for minutes in (0..24 * 60).step_by(5) {
        time.store(noon + minutes * 60, Ordering::Relaxed);
        let rows = listed(&simulator, 11).await;
        assert_eq!(rows.len(), 3);
        for row in rows {
            let serial = row["serialNumber"].as_str().unwrap().to_owned();
            let number = |key: &str| row[key].as_i64().unwrap();
            assert!(number("maxReportWatts") >= number("lastReportWatts"));
            let of = reports.entry(serial).or_default();
            let known = of.insert(number("lastReportDate"), number("lastReportWatts"));
            assert!(known.is_none_or(|known| known == number("lastReportWatts")));
        }
    }
    assert_eq!(reports.len(), 3);
    for (serial, reports) in reports {
        let times: Vec<i64> = reports.keys().copied().collect();
        assert!(
            times.windows(2).all(|pair| pair[1] - pair[0] < 700),
            "{serial} sleeps: {times:?}"
        );
        assert!(reports.values().any(|watts| *watts < -20), "it charges");
        assert!(reports.values().any(|watts| *watts > 20), "it gives");
    }
}

#[tokio::test]
async fn a_firmware_that_tells_no_types_lists_none() {
    let simulator = start(site("3.9.36")).await;
    let path = "/api/v1/production/inverters";
    let answer = with_password(&simulator, path, "envoy", "345678").await;
    let list: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 5);
}
