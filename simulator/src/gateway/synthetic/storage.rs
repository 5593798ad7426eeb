//! `/ivp/ensemble`: batteries. AC batteries are no part of it: they are in the list of inverters.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Synthetic;
use super::meters::below_ivp;
use super::production::{percent, whole};
use crate::answer::Answer;
use crate::options::Equipment;
use crate::serial::Serial;
use crate::site::Row;

/// When all batteries were installed: 2024-04-01.
const INSTALLED: i64 = 1_711_929_600;
/// What is kept for outages, in per cent.
const RESERVE_PCT: i64 = 10;

impl Synthetic {
    /// Below 7 only a gateway with batteries has this.
    pub(super) fn has_storage(&self) -> bool {
        let batteries = self.equipment.batteries;
        self.firmware.uses_tokens() || (self.firmware.major() >= 5 && batteries > 0)
    }

    pub(super) fn batteries(&self, now: Timestamp) -> Answer {
        let Some(metered) = self.metered(now).filter(|_| self.equipment.batteries > 0) else {
            return super::none();
        };
        let devices = (0..self.equipment.batteries).map(|battery| {
            json!({
                "part_num": "830-00703-r83",
                "installed": INSTALLED,
                "serial_num": battery_serial(&self.serial, battery),
                "device_status": ["envoy.global.ok", "prop.done"],
                "last_rpt_date": now.as_second(),
                "admin_state": 6,
                "admin_state_str": "ENCHG_STATE_READY",
                "created_date": INSTALLED,
                "img_load_date": INSTALLED,
                "img_pnum_running": "2.6.5973_rel/22.11",
                "bmu_fw_version": "2.1.34",
                "communicating": true,
                "sleep_enabled": false,
                "percentFull": percent(&metered),
                "temperature": 21,
                "maxCellTemp": 23,
                "comm_level_sub_ghz": 4,
                "comm_level_2_4_ghz": 4,
                "led_status": 14,
                "dc_switch_off": false,
                "encharge_rev": 2,
                "encharge_capacity": whole(Equipment::BATTERY_WH),
            })
        });
        let devices: Vec<Value> = devices.collect();
        below_ivp(&json!([{ "type": "ENCHARGE", "devices": devices }]))
    }

    pub(super) fn battery_power(&self, now: Timestamp) -> Answer {
        let devices: Vec<Value> = match self.metered(now) {
            Some(metered) => (0..self.equipment.batteries)
                .map(|battery| {
                    let share = 1.0 - self.equipment.share_of_ac_batteries();
                    #[expect(clippy::cast_precision_loss, reason = "40 at most")]
                    let each_w = metered.power.battery * share / self.equipment.batteries as f64;
                    json!({
                        "serial_num": battery_serial(&self.serial, battery),
                        "real_power_mw": whole(each_w * 1_000.0),
                        "apparent_power_mva": whole(each_w.abs() * 1_010.0),
                        "soc": percent(&metered),
                    })
                })
                .collect(),
            None => Vec::new(),
        };
        // The colon belongs to its name.
        below_ivp(&json!({ "devices:": devices }))
    }

    pub(super) fn storage_summary(&self, now: Timestamp) -> Answer {
        let metered = self
            .metered(now)
            .filter(|metered| metered.capacity_wh > 0.0);
        let ac = self.equipment.share_of_ac_batteries();
        let wh = |wh: f64| if ac < 1.0 { whole(wh * (1.0 - ac)) } else { 0 };
        let (percent, stored_wh, capacity_wh) = metered.map_or((0, 0.0, 0.0), |metered| {
            (percent(&metered), metered.stored_wh, metered.capacity_wh)
        });
        let has = |count: usize| if count > 0 { percent } else { 0 };
        below_ivp(&json!({
            "shutdown": false,
            "freq_bias_hz": 0.0,
            "voltage_bias_v": 0.0,
            "configured_backup_soc": RESERVE_PCT,
            "adjusted_backup_soc": RESERVE_PCT,
            "agg_soc": percent,
            "Max_energy": whole(capacity_wh),
            "ENC_agg_soc": has(self.equipment.batteries),
            "ENC_agg_soh": 100,
            "ENC_agg_backup_energy": wh(capacity_wh) * RESERVE_PCT / 100,
            "ENC_agg_avail_energy": wh(stored_wh),
            "Enc_commissioned_capacity": wh(capacity_wh),
            "Enc_max_available_capacity": wh(capacity_wh),
            "ACB_agg_soc": has(self.equipment.ac_batteries),
            "ACB_agg_energy": whole(stored_wh * ac),
        }))
    }

    /// The AC batteries as the list of inverters has them.
    pub(super) fn ac_battery_rows(&self, now: Timestamp) -> Vec<Row> {
        let reports = self.history(|history| history.ac_batteries(self.site_time(now)));
        let rows = reports
            .into_iter()
            .enumerate()
            .map(|(battery, report)| Row {
                inverter: serial_of(&self.serial, "4923", battery),
                reported_at: report.at,
                power_w: report.power_w,
                peak_power_w: report.peak_power_w,
            });
        self.held(rows.collect())
    }
}

/// The serial of a battery of this gateway.
pub(crate) fn battery_serial(gateway: &Serial, battery: usize) -> String {
    serial_of(gateway, "4922", battery)
}

/// Serials of batteries are like those of inverters, and none of theirs.
fn serial_of(gateway: &Serial, kind: &str, battery: usize) -> String {
    let gateway = gateway.as_str().as_bytes();
    let digits = gateway.iter().rev().filter(|byte| byte.is_ascii_digit());
    let sum = digits.fold(0_usize, |sum, digit| {
        (sum * 7 + usize::from(*digit)) % 10_000
    });
    format!("{kind}{sum:04}{battery:04}")
}
