//! What a gateway measures beside its inverters' list, over real connections.

use serde_json::Value;
use simulator::{Fault, Meters, Simulator, SiteOptions};

use crate::client::{start, with_token};

fn site(firmware: &str) -> SiteOptions {
    SiteOptions {
        firmware: firmware.parse().unwrap(),
        start: Some("2026-06-15T12:00:00Z".parse().unwrap()),
        ..SiteOptions::default()
    }
}

fn metered(firmware: &str) -> SiteOptions {
    SiteOptions {
        meters: Meters::Connected,
        batteries: 2,
        ac_batteries: 3,
        ..site(firmware)
    }
}

async fn get(simulator: &Simulator, path: &str) -> Value {
    let response = with_token(simulator, path).await;
    assert_eq!(response.status(), 200, "{path}");
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}

#[tokio::test]
async fn device_data_exists_from_late_8_2_on_and_tells_of_the_reports_in_the_list() {
    for (firmware, expected) in [("7.6.175", 404), ("8.1.41", 404), ("8.2.4345", 200)] {
        let simulator = start(site(firmware)).await;
        let response = with_token(&simulator, "/ivp/pdm/device_data").await;
        assert_eq!(response.status(), expected, "{firmware}");
    }
    let simulator = start(SiteOptions {
        ghosts: 1,
        ..site("8.3.5169")
    })
    .await;
    let (list, devices) = (
        get(&simulator, "/api/v1/production/inverters").await,
        get(&simulator, "/ivp/pdm/device_data").await,
    );
    assert_eq!(
        (&devices["deviceCount"], &devices["deviceDataLimit"]),
        (&13.into(), &50.into())
    );
    let mut same = 0;
    for row in list.as_array().unwrap() {
        let mut all = devices.as_object().unwrap().values();
        let device = all
            .find(|device| device.get("sn") == row.get("serialNumber"))
            .unwrap();
        let channel = &device["channels"][0];
        let reported = row["lastReportDate"] != 0;
        assert_eq!(
            (&device["active"], &device["modGone"]),
            (&reported.into(), &(!reported).into())
        );
        // One may have come between the two answers.
        if reported && channel["lastReading"]["endDate"] == row["lastReportDate"] {
            assert_eq!(channel["watts"]["now"], row["lastReportWatts"]);
            assert_eq!(channel["watts"]["max"], row["maxReportWatts"]);
            same += 1;
        }
    }
    assert!(same >= 11, "{same}");
}

#[tokio::test]
async fn more_than_fifty_devices_are_cut_and_only_the_count_says_so() {
    let simulator = start(SiteOptions {
        inverters: 60,
        ..metered("8.3.5169")
    })
    .await;
    let devices = get(&simulator, "/ivp/pdm/device_data").await;
    assert_eq!(devices["deviceCount"], 50);
    assert_eq!(devices.as_object().unwrap().len(), 52);
    let list = get(&simulator, "/api/v1/production/inverters").await;
    assert_eq!(list.as_array().unwrap().len(), 63, "with AC batteries");
}

#[tokio::test]
async fn meters_totals_and_production_show_one_and_the_same_site() {
    for firmware in ["5.0.62", "7.6.175", "8.3.5169"] {
        let simulator = start(metered(firmware)).await;
        let info = with_token(&simulator, "/info").await.text().await.unwrap();
        assert!(info.contains("<imeter>true</imeter>"), "{info}");
        let meters = get(&simulator, "/ivp/meters").await;
        let readings = get(&simulator, "/ivp/meters/readings").await;
        let production = get(&simulator, "/production.json?details=1").await;
        let of = |kind: &str| {
            let mut meters = meters.as_array().unwrap().iter();
            let meter = meters
                .find(|meter| meter["measurementType"] == kind)
                .unwrap();
            assert_eq!(meter["state"], "enabled");
            let mut readings = readings.as_array().unwrap().iter();
            readings
                .find(|reading| reading["eid"] == meter["eid"])
                .unwrap()
        };
        let (made, net) = (of("production"), of("net-consumption"));
        let (eim, consumption) = (&production["production"][1], &production["consumption"]);
        let near = |left: f64, right: f64| {
            assert!((left - right).abs() < 2.0, "{firmware}: {left} {right}");
        };
        // Powers stand still for a minute of the site's day, which has begun just now.
        near(number(&eim["wNow"]), number(&made["activePower"]));
        near(number(&consumption[1]["wNow"]), number(&net["activePower"]));
        near(
            number(&consumption[0]["wNow"]),
            number(&made["activePower"]) + number(&net["activePower"]),
        );
        near(number(&eim["whLifetime"]), number(&made["actEnergyDlvd"]));
        near(
            number(&consumption[1]["whLifetime"]),
            number(&net["actEnergyDlvd"]) - number(&net["actEnergyRcvd"]),
        );
        let phases = made["channels"].as_array().unwrap();
        near(
            phases
                .iter()
                .map(|phase| number(&phase["activePower"]))
                .sum(),
            number(&made["activePower"]),
        );
        assert_eq!(eim["lines"].as_array().unwrap().len(), 3);
        let totals = get(&simulator, "/api/v1/production").await;
        near(number(&totals["wattsNow"]), number(&made["activePower"]));
        assert_eq!(production["storage"][0]["activeCount"], 3);
        let extra = usize::from(firmware.starts_with("8.3"));
        assert_eq!(readings.as_array().unwrap().len(), 3 + extra);
        let storage = of("storage");
        let counted = |key: &str| number(&storage[key]);
        assert!(counted("actEnergyDlvd") >= 0.0 && counted("actEnergyRcvd") >= 0.0);
    }
}

#[tokio::test]
async fn late_firmware_overwrites_the_total_consumption_with_the_net_one() {
    let simulator = start(metered("8.3.5433")).await;
    let consumption = &get(&simulator, "/production.json").await["consumption"];
    for key in ["wNow", "whLifetime"] {
        assert_eq!(consumption[0][key], consumption[1][key]);
    }
    assert!(consumption[0].get("lines").is_none());
}

#[tokio::test]
async fn meters_that_are_not_connected_show_noise_and_the_totals_nothing_of_use() {
    for (firmware, lifetime) in [("7.6.175", 0), ("8.3.5169", 1_583)] {
        let simulator = start(SiteOptions {
            meters: Meters::Disabled,
            ..site(firmware)
        })
        .await;
        let meters = get(&simulator, "/ivp/meters").await;
        assert!(
            meters
                .as_array()
                .unwrap()
                .iter()
                .all(|meter| meter["state"] == "disabled")
        );
        let production = get(&simulator, "/production.json").await;
        assert_eq!(production["production"][1]["activeCount"], 0);
        assert!(number(&production["production"][1]["wNow"]) < -6_000.0);
        assert!(
            number(&production["production"][0]["wNow"]) > 100.0,
            "of the inverters"
        );
        let totals = get(&simulator, "/api/v1/production").await;
        assert_eq!(totals["wattHoursLifetime"], lifetime);
    }
}

#[tokio::test]
async fn one_firmware_without_meters_has_totals_of_nothing() {
    for (firmware, is_zero) in [("8.3.5422", true), ("8.3.5433", false)] {
        let simulator = start(site(firmware)).await;
        let totals = get(&simulator, "/api/v1/production").await;
        for key in ["wattsNow", "wattHoursLifetime"] {
            assert_eq!(totals[key] == 0, is_zero, "{firmware}: {totals}");
        }
        let production = get(&simulator, "/production.json").await;
        assert!(number(&production["production"][0]["wNow"]) > 100.0);
    }
}

#[tokio::test]
async fn batteries_tell_of_their_charge_and_power_one_by_one_and_together() {
    let simulator = start(metered("8.3.5169")).await;
    let inventory = get(&simulator, "/ivp/ensemble/inventory").await;
    let power = get(&simulator, "/ivp/ensemble/power").await;
    let summary = get(&simulator, "/ivp/ensemble/secctrl").await;
    let (devices, powers) = (
        &inventory[0]["devices"],
        power["devices:"].as_array().unwrap(),
    );
    assert_eq!((devices.as_array().unwrap().len(), powers.len()), (2, 2));
    for (device, power) in devices.as_array().unwrap().iter().zip(powers) {
        assert_eq!(device["serial_num"], power["serial_num"]);
        assert_eq!(device["percentFull"], power["soc"]);
        assert_eq!(device["percentFull"], summary["ENC_agg_soc"]);
        assert!(number(&power["real_power_mw"]) <= 0.0, "it is noon");
    }
    assert_eq!(
        (
            &summary["Max_energy"],
            &summary["Enc_max_available_capacity"]
        ),
        (&10_600.into(), &7_000.into())
    );
    // Below 7 this is there only with batteries, whatever else there is.
    let older = start(metered("5.0.62")).await;
    assert_eq!(
        get(&older, "/ivp/ensemble/inventory").await[0]["type"],
        "ENCHARGE"
    );
}

#[tokio::test]
async fn counters_are_set_back_and_wrap() {
    let simulator = start(metered("7.6.175")).await;
    let inverters = async || {
        let production = get(&simulator, "/production.json").await;
        number(&production["production"][0]["whLifetime"])
    };
    simulator.count_from(1_193_045);
    assert!((inverters().await - 1_193_045.0).abs() < 1.0);
    simulator.count_from(1_193_050);
    assert!(inverters().await < 10.0, "it has wrapped");
    simulator.count_from(0);
    let readings = get(&simulator, "/ivp/meters/readings").await;
    for key in ["actEnergyDlvd", "actEnergyRcvd"] {
        assert!(number(&readings[0][key]) < 50.0, "{readings}");
    }
}

#[tokio::test]
async fn after_a_reboot_the_last_readings_are_empty_until_the_inverters_were_heard() {
    let simulator = start(site("8.3.5169")).await;
    // What a reboot ends with, for as long as the inverters were not heard.
    simulator.inject(Fault::EmptyList.into());
    let devices = get(&simulator, "/ivp/pdm/device_data").await;
    let inverters = devices.as_object().unwrap().values();
    let readings: Vec<&Value> = inverters
        .filter(|device| device["devName"] == "pcu")
        .map(|device| &device["channels"][0]["lastReading"])
        .collect();
    assert_eq!(readings.len(), 12);
    assert!(
        readings
            .iter()
            .all(|reading| **reading == serde_json::json!({}))
    );
    simulator.heal();
    let devices = get(&simulator, "/ivp/pdm/device_data").await;
    assert!(devices.to_string().contains("joulesProduced"));
}
