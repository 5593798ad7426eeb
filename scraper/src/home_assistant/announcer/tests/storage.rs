//! Which meter of batteries the gateway's device shows.

use super::*;

/// What a meter of batteries shows.
fn storage(eid: &str, minute: i64) -> Measured {
    Measured::Meter(wire::Meter {
        eid: serial(eid),
        measured_at: at(minute),
        kind: "storage".parse().expect("a word"),
        phase: None,
        power_w: wire::Quantity::ZERO,
        reactive_power_var: None,
        apparent_power_va: None,
        voltage_v: None,
        current_a: None,
        frequency_hz: None,
        power_factor: None,
        energy_delivered_wh: None,
        energy_received_wh: None,
    })
}

/// Whether the gateway's device shows this meter, where it is announced now.
fn shows_meter(announcer: &mut Announcer, eid: &str) -> Option<bool> {
    let (_, gateway) = announcer.next_message()?;
    Some(gateway.contains(&format!("meters/{eid}\"")))
}

#[test]
fn the_energy_of_batteries_is_that_of_the_meter_that_was_measured_last() {
    let (old, new) = (storage("704643840", 0), storage("704643841", 24 * 60));
    for shown in [[&old, &new], [&new, &old]] {
        let newest = shown.map(|measured| read_at_night(measured.clone()));
        let mut announcer = announcer();
        announcer.recall(&newest, false, &Names::default());
        announcer.gateway(&state("D8.2.4345"));
        assert_eq!(shows_meter(&mut announcer, "704643841"), Some(true));
        // What the broker still has of the one that was replaced.
        announcer.reading(&old);
        assert_eq!(shows_meter(&mut announcer, "704643841"), None);
    }
}

#[test]
fn of_two_meters_of_batteries_that_are_both_read_the_first_one_stays() {
    let mut announcer = announcer();
    announcer.gateway(&state("D8.2.4345"));
    announcer.reading(&storage("704643840", 0));
    assert_eq!(shows_meter(&mut announcer, "704643840"), Some(true));
    for minute in (0..240).step_by(15) {
        announcer.reading(&storage("704643841", minute));
        announcer.reading(&storage("704643840", minute + 15));
        assert_eq!(shows_meter(&mut announcer, "704643840"), None);
    }
}
