use wire::{Basis, Detail, Quantity};

use super::*;

fn quantity(value: f64) -> Quantity {
    Quantity::new(value).expect("a value")
}

/// The record is in the file as `text`, and is read back as what it was.
fn is_kept_as(measured: &Measured, text: &str) {
    let bytes = encode(measured);
    assert_eq!(String::from_utf8_lossy(&bytes), text);
    assert_eq!(decode(&bytes).as_ref(), Some(measured));
}

#[test]
fn a_record_is_written_as_files_that_exist_have_it() {
    let text = r#"{"kind":"inverter","serial":"122","reported_at":"2026-11-23T09:15:00Z","device_type":1,"power_w":-2,"peak_power_w":290}"#;
    is_kept_as(&decode(text.as_bytes()).expect("a record"), text);
    let of_old_firmware = text.replace(r#""device_type":1,"#, "");
    let record = decode(of_old_firmware.as_bytes()).expect("a record");
    is_kept_as(&record, &of_old_firmware);
}

#[test]
fn what_a_gateway_says_beyond_power_is_kept_with_the_report() {
    let text = r#"{"kind":"inverter","serial":"122","reported_at":"2026-11-23T09:15:00Z","power_w":-2,"peak_power_w":290}"#;
    let Some(Measured::Inverter(mut inverter)) = decode(text.as_bytes()) else {
        panic!("an inverter's");
    };
    inverter.detail = Some(Detail {
        energy_wh: Some(quantity(17.667)),
        ..Detail::default()
    });
    let measured = Measured::Inverter(inverter);
    assert_eq!(decode(&encode(&measured)), Some(measured));
}

#[test]
fn a_site_is_written_under_its_kind() {
    let site = Site {
        measured_at: "2026-11-23T09:15:00Z".parse().expect("a time"),
        basis: Basis::Inverters,
        power_w: quantity(2544.0),
        energy_today_wh: None,
        energy_lifetime_wh: Some(quantity(0.5)),
        inverters_reporting: 11,
        inverters_total: 12,
    };
    is_kept_as(
        &Measured::Site(site),
        r#"{"kind":"site","of":{"measured_at":"2026-11-23T09:15:00Z","basis":"inverters","power_w":2544.0,"energy_today_wh":null,"energy_lifetime_wh":0.5,"inverters_reporting":11,"inverters_total":12}}"#,
    );
}

#[test]
fn the_kind_of_a_meter_is_not_that_of_its_record() {
    let text = r#"{"kind":"meter","of":{"eid":"7","measured_at":"2026-11-23T09:15:00Z","kind":"storage","power_w":1}}"#;
    let Some(measured @ Measured::Meter(_)) = decode(text.as_bytes()) else {
        panic!("a meter's");
    };
    assert_eq!(decode(&encode(&measured)), Some(measured));
}

#[test]
fn a_record_of_a_kind_to_come_is_passed_over() {
    assert_eq!(decode(br#"{"kind":"heat_pump","w":1}"#), None);
    assert_eq!(decode(b"\0\0\0"), None);
}

#[test]
fn an_inverter_by_the_name_of_another_kind_keeps_its_own_key() {
    let serial: Serial = "site".parse().expect("a serial");
    for of in [
        Subject::Site,
        Subject::Inverter(serial.clone()),
        Subject::Meter(serial),
    ] {
        assert_eq!(subject(&key(&of)), Some(of));
    }
    assert_eq!(
        key(&Subject::Inverter("122".parse().expect("a serial"))),
        "122"
    );
    assert_eq!(subject("/heat_pumps/1"), None);
}
