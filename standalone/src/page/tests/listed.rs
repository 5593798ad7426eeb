//! What else is listed among inverters, and how many of them there can be.

use super::*;

fn report(serial: &str, at: i64, device_type: u32) -> wire::Reading {
    let inverter = wire::Inverter {
        serial: serial.parse().expect("a serial"),
        reported_at: wire::ReportTime::from_unix_seconds(at).expect("a time"),
        device_type: Some(device_type),
        power_w: 1_000,
        peak_power_w: 1_000,
        detail: None,
    };
    let envoy = "122012345678".parse().expect("a serial");
    let journal = "k3x9m2pq".parse().expect("an id");
    wire::Measured::Inverter(inverter).numbered(envoy, journal, 1)
}

async fn page_with(directory: &std::path::Path, readings: &[wire::Reading]) -> Page {
    let page = page(directory).await;
    let store = Sqlite::open(directory.join("readings.sqlite")).expect("a store");
    let stored = store.store(readings, &Marks::default()).await;
    let _ = stored.expect("stored");
    page
}

#[tokio::test]
async fn what_an_ac_battery_gives_is_made_by_nobody() {
    let directory = tempfile::tempdir().expect("a directory");
    let battery = "492200000001";
    let readings = [1_795_000_200, 1_795_000_500].map(|at| report(battery, at, 11));
    let page = page_with(directory.path(), &readings).await;
    for path in [
        "site?from=1795000200&until=1795000800&step=300",
        "site?from=1795000200&until=1795000800&step=3600",
        "years?years=50",
    ] {
        let answer = ask(&page, &format!("/api/v1/{path}"), HERE).await;
        assert!(answer.contains(r#""energy_wh":10"#), "{path}: {answer}");
    }
    let now = ask(&page, "/api/v1/now", HERE).await;
    assert!(!now.contains(battery), "{now}");
    let answer = ask(&page, &format!("/api/v1/inverters/{battery}"), HERE).await;
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
}

#[tokio::test]
async fn a_month_of_a_large_site_is_to_be_had_by_hours_only() {
    let directory = tempfile::tempdir().expect("a directory");
    let serial = |number| format!("4820999{number:05}");
    let readings: Vec<_> = (0..50)
        .map(|number| report(&serial(number), 1_795_000_200, 1))
        .collect();
    let page = page_with(directory.path(), &readings).await;
    let range = "from=1793000000&until=1795700000";
    let fine = ask(&page, &format!("/api/v1/site?{range}&step=1800"), HERE).await;
    assert!(fine.starts_with("HTTP/1.1 400"), "{fine}");
    assert!(fine.contains("a step of whole hours"), "{fine}");
    let hours = ask(&page, &format!("/api/v1/site?{range}&step=3600"), HERE).await;
    assert!(hours.starts_with("HTTP/1.1 200"), "{hours}");
}
