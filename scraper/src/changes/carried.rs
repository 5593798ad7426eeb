//! What the gateway's client has read, as the contract carries it. What the contract can't carry is refused
//! with the reason.

use std::fmt::Display;

use envoy::{InverterReport, Poll};
use wire::{Battery, Detail, Flow, Inverter, Measured, Meter, Net, Quantity, ReportTime};

/// A report of an inverter, with what else is known of it.
pub(super) fn inverter(
    report: &InverterReport,
    detail: Option<&envoy::Detail>,
) -> Result<Inverter, String> {
    let refused = |error: &dyn Display| format!("inverter {:?}: {error}", report.serial);
    Ok(Inverter {
        serial: report.serial.parse().map_err(|error| refused(&error))?,
        reported_at: time(report.reported_at).map_err(|error| refused(&error))?,
        device_type: report.device_type,
        power_w: report.power_w,
        peak_power_w: report.peak_power_w,
        detail: detail.map(self::detail),
    })
}

/// One value out of bounds is unknown, and costs no other.
fn detail(detail: &envoy::Detail) -> Detail {
    Detail {
        interval_s: known(detail.interval_s),
        energy_wh: known(detail.energy_wh),
        energy_lifetime_wh: known(detail.energy_lifetime_wh),
        energy_today_wh: known(detail.energy_today_wh),
        ac_voltage_v: known(detail.ac_voltage_v),
        ac_current_a: known(detail.ac_current_a),
        ac_frequency_hz: known(detail.ac_frequency_hz),
        dc_voltage_v: known(detail.dc_voltage_v),
        dc_current_a: known(detail.dc_current_a),
        temperature_c: known(detail.temperature_c),
    }
}

/// All that a poll brought beside the inverters. What it did not ask for is not in it.
pub(super) fn rest(poll: &Poll) -> Vec<Result<Measured, String>> {
    let production = poll.production.iter().map(|read| {
        let flow = flow(read).map(Measured::Production);
        flow.map_err(|error| format!("production: {error}"))
    });
    let consumption = poll.consumption.iter().map(|read| {
        let flow = flow(read).map(Measured::Consumption);
        flow.map_err(|error| format!("consumption: {error}"))
    });
    let net = poll.net.iter().map(|read| {
        let net = net(read).map(Measured::Net);
        net.map_err(|error| format!("exchange with the grid: {error}"))
    });
    let meters = poll.meters.iter().filter_map(|read| {
        // Nothing to say without its power.
        let power_w = read.power_w?;
        let meter = meter(read, power_w).map(Measured::Meter);
        Some(meter.map_err(|error| format!("meter {}: {error}", read.eid)))
    });
    let batteries = poll.batteries.iter().map(|read| {
        let battery = battery(read).map(Measured::Battery);
        battery.map_err(|error| format!("battery {:?}: {error}", read.serial))
    });
    production
        .chain(consumption)
        .chain(net)
        .chain(meters)
        .chain(batteries)
        .collect()
}

/// Production or consumption.
pub(super) fn flow(flow: &envoy::Flow) -> Result<Flow, String> {
    Ok(Flow {
        measured_at: time(flow.measured_at)?,
        power_w: quantity(flow.power_w)?,
        energy_today_wh: known(flow.energy_today_wh),
        energy_lifetime_wh: known(flow.energy_lifetime_wh),
    })
}

fn net(net: &envoy::Net) -> Result<Net, String> {
    Ok(Net {
        measured_at: time(net.measured_at)?,
        power_w: quantity(net.power_w)?,
        energy_imported_wh: known(net.energy_imported_wh),
        energy_exported_wh: known(net.energy_exported_wh),
    })
}

fn meter(meter: &envoy::Meter, power_w: f64) -> Result<Meter, String> {
    Ok(Meter {
        eid: meter.eid.to_string().parse().map_err(text)?,
        measured_at: time(meter.measured_at)?,
        kind: meter.kind.parse().map_err(text)?,
        phase: meter.phase.map(str::parse).transpose().map_err(text)?,
        power_w: quantity(power_w)?,
        reactive_power_var: known(meter.reactive_power_var),
        apparent_power_va: known(meter.apparent_power_va),
        voltage_v: known(meter.voltage_v),
        current_a: known(meter.current_a),
        frequency_hz: known(meter.frequency_hz),
        power_factor: known(meter.power_factor),
        energy_delivered_wh: known(meter.energy_delivered_wh),
        energy_received_wh: known(meter.energy_received_wh),
    })
}

fn battery(battery: &envoy::Battery) -> Result<Battery, String> {
    Ok(Battery {
        serial: battery.serial.parse().map_err(text)?,
        measured_at: time(battery.measured_at)?,
        kind: battery.kind.parse().map_err(text)?,
        state_of_charge_pct: known(battery.state_of_charge_pct),
        power_w: known(battery.power_w),
        energy_capacity_wh: known(battery.energy_capacity_wh),
        temperature_c: known(battery.temperature_c),
        state: battery
            .state
            .as_deref()
            .and_then(|state| state.parse().ok()),
    })
}

fn time(unix_seconds: i64) -> Result<ReportTime, String> {
    ReportTime::from_unix_seconds(unix_seconds).map_err(text)
}

fn quantity(value: f64) -> Result<Quantity, String> {
    Quantity::new(value).map_err(text)
}

fn known(value: Option<f64>) -> Option<Quantity> {
    Quantity::new(value?).ok()
}

fn text(error: impl Display) -> String {
    error.to_string()
}
