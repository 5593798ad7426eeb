//! What was measured, kind by kind.

mod inverter;
mod site;

mod battery;
mod meter;

mod fields;

pub use battery::Battery;
pub use fields::Value;
pub(crate) use inverter::InverterPayload;
pub use inverter::{Detail, Inverter};
pub use meter::Meter;
pub use site::{Basis, Flow, Net, Site};

use crate::name::{JournalId, Serial};
use crate::reading::Reading;
use crate::subject::Subject;
use crate::time::ReportTime;

/// What a gateway has measured, of whichever kind, with the time of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Measured {
    /// A report of an inverter.
    Inverter(Inverter),
    /// What the site produces, on every firmware.
    Site(Site),
    /// What the site produces, measured.
    Production(Flow),
    /// What the site uses, measured.
    Consumption(Flow),
    /// What goes to the grid and comes from it, measured.
    Net(Net),
    /// What one meter shows.
    Meter(Meter),
    /// What one battery does.
    Battery(Battery),
}

impl Measured {
    /// What it is of.
    #[must_use]
    pub fn subject(&self) -> Subject {
        match self {
            Self::Inverter(inverter) => Subject::Inverter(inverter.serial.clone()),
            Self::Site(_) => Subject::Site,
            Self::Production(_) => Subject::Production,
            Self::Consumption(_) => Subject::Consumption,
            Self::Net(_) => Subject::Net,
            Self::Meter(meter) => Subject::Meter(meter.eid.clone()),
            Self::Battery(battery) => Subject::Battery(battery.serial.clone()),
        }
    }

    /// When it was, by the gateway's clock: of an inverter its report time.
    #[must_use]
    pub fn at(&self) -> ReportTime {
        match self {
            Self::Inverter(inverter) => inverter.reported_at,
            Self::Site(site) => site.measured_at,
            Self::Production(flow) | Self::Consumption(flow) => flow.measured_at,
            Self::Net(net) => net.measured_at,
            Self::Meter(meter) => meter.measured_at,
            Self::Battery(battery) => battery.measured_at,
        }
    }

    /// The same, at another time.
    #[must_use]
    pub fn taken_at(mut self, at: ReportTime) -> Self {
        let time = match &mut self {
            Self::Inverter(inverter) => &mut inverter.reported_at,
            Self::Site(site) => &mut site.measured_at,
            Self::Production(flow) | Self::Consumption(flow) => &mut flow.measured_at,
            Self::Net(net) => &mut net.measured_at,
            Self::Meter(meter) => &mut meter.measured_at,
            Self::Battery(battery) => &mut battery.measured_at,
        };
        *time = at;
        self
    }

    /// The reading that this is at its place in a journal.
    #[must_use]
    pub fn numbered(self, envoy: Serial, journal: JournalId, seq: u64) -> Reading {
        Reading {
            envoy,
            measured: self,
            journal,
            seq,
        }
    }

    /// The report of an inverter, if it is one.
    #[must_use]
    pub fn inverter(&self) -> Option<&Inverter> {
        match self {
            Self::Inverter(inverter) => Some(inverter),
            _ => None,
        }
    }
}

impl From<Inverter> for Measured {
    fn from(inverter: Inverter) -> Self {
        Self::Inverter(inverter)
    }
}

impl From<Site> for Measured {
    fn from(site: Site) -> Self {
        Self::Site(site)
    }
}
