//! What is measured beside inverters, as the JSON has it.

use serde_json::json;

use super::*;

const ENVOY: &str = "122012345678";

/// The page of the other tests, whose Envoy has also measured, twice, five minutes apart.
async fn measuring(directory: &std::path::Path) -> Page {
    let quantity = |value| wire::Quantity::new(value).expect("a quantity");
    let page = page(directory).await;
    let store = Sqlite::open(directory.join("readings.sqlite")).expect("a store");
    let mut readings = Vec::new();
    for (at, counted) in [(1_795_000_200, 1_000.0), (1_795_000_500, 1_040.4)] {
        let measured_at = wire::ReportTime::from_unix_seconds(at).expect("a time");
        let measured = [
            wire::Measured::Consumption(wire::Flow {
                measured_at,
                power_w: quantity(412.5),
                energy_today_wh: None,
                energy_lifetime_wh: Some(quantity(counted)),
            }),
            wire::Measured::Net(wire::Net {
                measured_at,
                power_w: quantity(-530.0),
                energy_imported_wh: Some(quantity(7.0)),
                energy_exported_wh: None,
            }),
            wire::Measured::Battery(wire::Battery {
                serial: "492200000001".parse().expect("a serial"),
                measured_at,
                kind: "encharge".parse().expect("a word"),
                state_of_charge_pct: Some(quantity(64.0)),
                power_w: Some(quantity(-90.0)),
                energy_capacity_wh: Some(quantity(3_500.0)),
                temperature_c: None,
                state: None,
            }),
        ];
        let envoy: wire::Serial = ENVOY.parse().expect("a serial");
        let journal: wire::JournalId = "k3x9m2pq".parse().expect("an id");
        let numbered = measured.map(|one| one.numbered(envoy.clone(), journal.clone(), 1));
        readings.extend(numbered);
    }
    let _ = store
        .store(&readings, &Marks::default())
        .await
        .expect("stored");
    page
}

/// The JSON of an answer.
async fn json_of(page: &Page, path: &str) -> serde_json::Value {
    let answer = ask(page, &format!("/api/v1/{path}"), HERE).await;
    let body = answer.split("\r\n\r\n").nth(1).unwrap_or_default();
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

#[tokio::test]
async fn now_has_what_was_measured_last_and_says_that_it_is_old() {
    let directory = tempfile::tempdir().expect("a directory");
    let page = measuring(directory.path()).await;
    let measured = &json_of(&page, "now").await["measured"];
    let used = &measured["consumption"][0];
    assert_eq!(used["power_w"], 412.5);
    assert_eq!(used["envoy"], ENVOY);
    assert_eq!(used["measured_at"], "2026-11-18T11:15:00Z");
    assert_eq!(used["current"], false);
    assert_eq!(measured["net"][0]["power_w"], -530.0);
    assert_eq!(measured["battery"][0]["kind"], "encharge");
    assert_eq!(measured["battery"][0]["state_of_charge_pct"], 64.0);
    assert!(measured.get("production").is_none(), "{measured}");
}

#[tokio::test]
async fn flows_have_the_average_of_each_span_and_null_where_nothing_was_measured() {
    let directory = tempfile::tempdir().expect("a directory");
    let page = measuring(directory.path()).await;
    let range = "from=1795000200&until=1795000800&step=300";
    let flows = json_of(&page, &format!("flows?{range}")).await;
    for (key, power) in [("consumption_w", 413), ("net_w", -530), ("battery_w", -90)] {
        assert_eq!(flows[key], json!([power, null]), "{flows}");
    }
    assert!(flows.get("production_w").is_none(), "{flows}");
}

#[tokio::test]
async fn periods_have_what_was_counted_in_them_but_not_of_one_inverter() {
    let directory = tempfile::tempdir().expect("a directory");
    let page = measuring(directory.path()).await;
    for path in ["years?years=50", "months?months=240"] {
        let answer = json_of(&page, path).await;
        let list = path.split('?').next().unwrap_or_default();
        let periods = answer[list].as_array().expect("a list");
        let counted: Vec<_> = periods
            .iter()
            .filter(|period| period.get("consumed_wh").is_some())
            .collect();
        assert_eq!(counted.len(), 1, "{path}: {counted:?}");
        assert_eq!(counted[0]["consumed_wh"], 40);
        assert_eq!(counted[0]["imported_wh"], 0);
        assert!(counted[0].get("exported_wh").is_none(), "no such counter");
    }
    let of_one = ask(&page, "/api/v1/years?inverter=482012345678&years=50", HERE);
    let of_one = of_one.await;
    assert!(!of_one.contains("consumed_wh"), "{of_one}");
}
