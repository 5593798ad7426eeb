//! The meter of batteries, and meters of other kinds.

use wire::Meter;

use super::*;

/// What a meter of this kind shows: what was delivered and received, in watt-hours.
fn meter(at: i64, kind: &str, delivered: f64, received: f64) -> Measured {
    Measured::Meter(Meter {
        eid: "704643840".parse().expect("a number"),
        measured_at: time(at),
        kind: kind.parse().expect("a word"),
        phase: None,
        power_w: 500.into(),
        reactive_power_var: None,
        apparent_power_va: None,
        voltage_v: None,
        current_a: None,
        frequency_hz: None,
        power_factor: None,
        energy_delivered_wh: Some(quantity(delivered)),
        energy_received_wh: Some(quantity(received)),
    })
}

/// What is summed up of what a storage meter shows each minute: delivered, and received, in watt-hours.
fn summed_up_of_storage(shown: &[(f64, f64)]) -> [Quantity; 2] {
    let mut tallies = Tallies::default();
    let (delivered, received): (Vec<f64>, Vec<f64>) = (0..)
        .zip(shown)
        .map(|(minute, (delivered, received))| {
            let meter = meter(NOON + 60 * minute, "storage", *delivered, *received);
            let (delivered, received) = said(&mut tallies, meter);
            (delivered.expect("known"), received.expect("known"))
        })
        .unzip();
    [delivered, received].map(|states| quantity(summed_up(&states)))
}

#[test]
fn what_is_summed_up_of_a_storage_meter_that_shows_something_else_for_minutes_is_no_life() {
    let other = [
        (900_000.0, 500_000.0),
        (3000.0, 200.0),
        (3010.0, 200.0),
        (900_120.0, 500_000.0),
    ];
    assert_eq!(
        summed_up_of_storage(&other),
        [quantity(120.0), Quantity::ZERO]
    );
    // So little can have been delivered since it began anew, and it goes on from there.
    let little = [
        (900_000.0, 500_000.0),
        (300.0, 500_000.0),
        (310.0, 500_000.0),
        (900_120.0, 500_000.0),
    ];
    assert_eq!(
        summed_up_of_storage(&little),
        [quantity(310.0), Quantity::ZERO]
    );
}

#[test]
fn meters_of_other_kinds_stay_as_the_gateway_gives_them() {
    let mut tallies = Tallies::default();
    for delivered in [900_000.0, 300.0] {
        let shown = meter(NOON, "evse", delivered, 5.0);
        let mut said = shown.clone();
        tallies.carry(&mut said);
        assert_eq!(said, shown);
    }
}
