//! Which entities a device has: what was ever told, and from then on.

use super::*;

#[test]
fn a_detail_that_is_missing_for_a_while_takes_no_entity_away() {
    let mut announcer = with_an_inverter();
    let inverter = serial("482012345678");
    announcer.inverter(
        &inverter,
        InverterFacts {
            detail: true,
            ..InverterFacts::default()
        },
    );
    topics(&mut announcer);
    announcer.inverter(&inverter, InverterFacts::default());
    announcer.connected();
    let (_, payload) = std::iter::from_fn(|| announcer.next_message())
        .last()
        .expect("the inverter");
    assert!(payload.contains("energy_lifetime"), "{payload}");
}

#[test]
fn a_meter_of_production_that_counted_once_has_the_sites_energy_announced() {
    let flow = wire::Flow {
        measured_at: wire::ReportTime::from_unix_seconds(1_780_315_200).expect("a time"),
        power_w: wire::Quantity::ZERO,
        energy_today_wh: None,
        energy_lifetime_wh: Some(9000.into()),
    };
    let mut announcer = announcer();
    announcer.gateway(&state("D8.2.4345"));
    announcer.reading(&Measured::Production(flow));
    let (_, gateway) = announcer.next_message().expect("the gateway");
    assert!(gateway.contains("site_energy_lifetime"), "{gateway}");
}

#[test]
fn a_power_from_the_grid_or_of_a_battery_that_can_not_be_had_is_not_shown() {
    let mut announcer = announcer();
    announcer.gateway(&state("D8.2.4345"));
    announcer.measures(Measures {
        net: true,
        ..Measures::default()
    });
    announcer.reading(&Measured::Battery(battery("492012345678")));
    let said: Vec<String> = std::iter::from_fn(|| announcer.next_message())
        .map(|(_, payload)| payload)
        .collect();
    for (payload, path) in said.iter().zip(["net", "batteries/492012345678"]) {
        let condition = format!("and '{path}' not in value_json.get('stale', [])");
        assert!(payload.contains(&condition), "{payload}");
    }
}

/// The entities of the next device.
fn entities(announcer: &mut Announcer) -> Vec<String> {
    let (_, payload) = announcer.next_message().expect("a device");
    let payload: Value = serde_json::from_str(&payload).expect("JSON");
    check(&payload);
    let components = payload["components"].as_object().expect("components");
    components.keys().cloned().collect()
}

#[test]
fn when_a_token_ends_is_there_once_the_gateway_has_one_and_from_then_on() {
    let is_there =
        |announcer: &mut Announcer| entities(announcer).contains(&"token_expiry".to_owned());
    let mut announcer = announcer();
    announcer.gateway(&state("D5.0.62"));
    assert!(!is_there(&mut announcer));
    announcer.gateway(&GatewayState {
        token_expires_at: Some("2027-11-23T09:15:00Z".parse().expect("a time")),
        ..state("D7.6.175")
    });
    assert!(is_there(&mut announcer));
    announcer.gateway(&state("D7.6.175"));
    announcer.connected();
    assert!(is_there(&mut announcer));
}

#[test]
fn a_battery_has_the_entities_that_its_gateway_ever_told_of() {
    let mut announcer = announcer();
    announcer.gateway(&state("D8.2.4345"));
    topics(&mut announcer);
    announcer.reading(&Measured::Battery(battery("122112345678")));
    assert_eq!(entities(&mut announcer), ["state_of_charge"]);
    announcer.reading(&Measured::Battery(wire::Battery {
        power_w: Some(wire::Quantity::ZERO),
        temperature_c: Some(17.into()),
        ..battery("122112345678")
    }));
    let more = ["power", "state_of_charge", "temperature"];
    assert_eq!(entities(&mut announcer), more);
    announcer.reading(&Measured::Battery(battery("122112345678")));
    assert_eq!(topics(&mut announcer), [""; 0]);
}

#[test]
fn an_ac_battery_in_the_gateways_list_is_not_called_an_inverter() {
    let mut announcer = with_an_inverter();
    topics(&mut announcer);
    let battery = wire::Inverter {
        serial: serial("122112345678"),
        reported_at: wire::ReportTime::from_unix_seconds(1_780_315_200).expect("a time"),
        device_type: Some(wire::Inverter::AC_BATTERY),
        power_w: -120,
        peak_power_w: 260,
        detail: None,
    };
    announcer.reading(&Measured::Inverter(battery));
    let (_, payload) = announcer.next_message().expect("its device");
    let payload: Value = serde_json::from_str(&payload).expect("JSON");
    check(&payload);
    assert_eq!(payload["device"]["name"], "AC Battery 122112345678");
    assert_eq!(payload["device"]["model"], "AC Battery");
    // What it is known by stays, whatever it is called.
    assert_eq!(
        payload["device"]["identifiers"][0],
        "envoy_122012345678_122112345678"
    );
    // Others know nothing of its kind.
    announcer.inverter(&serial("122112345678"), InverterFacts::default());
    assert_eq!(topics(&mut announcer), [""; 0]);
}
