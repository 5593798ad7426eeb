//! What a reading tells of a device.

use wire::{Measured, Meter};

use super::{Announcer, InverterFacts};
use crate::home_assistant::battery::BatteryFacts;
use crate::home_assistant::gateway::{Measures, Site};

/// So much later than the meter of batteries that is announced another one was measured, in seconds, where it has taken
/// its place: an hour. Two that are both there are both measured in that time, and the first one stays.
const REPLACED: i64 = 3600;

impl Announcer {
    /// This was read: what it carries is announced.
    pub fn reading(&mut self, measured: &Measured) {
        let nothing = Measures::default();
        match measured {
            Measured::Inverter(inverter) => {
                let name = match self.inverters.get(&inverter.serial) {
                    Some(known) => known.name.as_deref(),
                    None => self.names.name(&inverter.serial),
                };
                let facts = InverterFacts {
                    name: name.map(str::to_owned),
                    detail: inverter.detail.is_some(),
                    is_ac_battery: inverter.is_ac_battery(),
                };
                self.inverter(&inverter.serial, facts);
            }
            Measured::Site(site) => {
                let site = match site.energy_lifetime_wh {
                    Some(_) => Site::Energy,
                    None => Site::Power,
                };
                self.measures(Measures { site, ..nothing });
            }
            Measured::Consumption(_) => self.measures(Measures {
                consumption: true,
                ..nothing
            }),
            Measured::Net(_) => self.measures(Measures {
                net: true,
                ..nothing
            }),
            Measured::Battery(battery) => {
                self.battery(&battery.serial, BatteryFacts::of(battery));
            }
            // The batteries tell no energy, the one meter of all of them does; its phases are a part of it.
            Measured::Meter(meter) if meter.is_storage() && meter.phase.is_none() => {
                self.storage(meter);
            }
            // The site's power is the production, and its energy that of the meter.
            Measured::Production(flow) if flow.energy_lifetime_wh.is_some() => {
                self.measures(Measures {
                    site: Site::Energy,
                    ..nothing
                });
            }
            // Other meters are for those who look for them.
            Measured::Production(_) | Measured::Meter(_) => {}
        }
    }

    /// The meter of batteries was read. One that is replaced is on the broker, and in the journal, for ever.
    fn storage(&mut self, meter: &Meter) {
        let is_announced = self.measures.storage.as_ref() == Some(&meter.eid);
        let since = self.storage_at.map_or(i64::MAX, |at| {
            meter.measured_at.unix_seconds() - at.unix_seconds()
        });
        if since > REPLACED || (is_announced && since >= 0) {
            self.storage_at = Some(meter.measured_at);
            self.measures(Measures {
                storage: Some(meter.eid.clone()),
                ..Measures::default()
            });
        }
    }
}
