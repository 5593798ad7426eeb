//! What a reading is of: the part of its topic below the Envoy's.

use std::fmt;

use crate::name::{InvalidName, Serial};

/// What is measured: it has one plain topic, and at one time it has one reading.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// An inverter, by its serial number.
    Inverter(Serial),
    /// The whole site.
    Site,
    /// What the site produces, measured.
    Production,
    /// What the site uses, measured.
    Consumption,
    /// What the site takes from the grid or gives to it, measured.
    Net,
    /// A meter, by the number (`eid`) that its gateway has given it.
    Meter(Serial),
    /// A battery, by its serial number.
    Battery(Serial),
}

/// The kinds of what is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Reports of inverters.
    Inverter,
    /// What the whole site produces.
    Site,
    /// Measured production.
    Production,
    /// Measured consumption.
    Consumption,
    /// Measured exchange with the grid.
    Net,
    /// Meters.
    Meter,
    /// Batteries.
    Battery,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Inverter,
        Self::Site,
        Self::Production,
        Self::Consumption,
        Self::Net,
        Self::Meter,
        Self::Battery,
    ];

    /// The kind's name: `inverter`, `site`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inverter => "inverter",
            Self::Site => "site",
            Self::Production => "production",
            Self::Consumption => "consumption",
            Self::Net => "net",
            Self::Meter => "meter",
            Self::Battery => "battery",
        }
    }
}

impl Subject {
    /// The levels of the topic of each kind of subject, with `+` for the name where there is one.
    pub(crate) const PATHS: [&str; 7] = [
        "inverters/+",
        "site",
        "production",
        "consumption",
        "net",
        "meters/+",
        "batteries/+",
    ];

    /// The subject whose topic has these levels below the Envoy's; none when there is no such kind.
    pub(crate) fn from_levels(levels: &[&str]) -> Option<Result<Self, InvalidName>> {
        Some(match levels {
            ["inverters", name] => name.parse().map(Self::Inverter),
            ["site"] => Ok(Self::Site),
            ["production"] => Ok(Self::Production),
            ["consumption"] => Ok(Self::Consumption),
            ["net"] => Ok(Self::Net),
            ["meters", name] => name.parse().map(Self::Meter),
            ["batteries", name] => name.parse().map(Self::Battery),
            _ => return None,
        })
    }

    /// The subject that was [written](fmt::Display) as `text`; none when that is no subject.
    #[must_use]
    pub fn from_path(text: &str) -> Option<Self> {
        let levels: Vec<&str> = text.splitn(3, '/').collect();
        Self::from_levels(&levels)?.ok()
    }

    /// The inverter, if it is one.
    #[must_use]
    pub fn inverter(&self) -> Option<&Serial> {
        match self {
            Self::Inverter(serial) => Some(serial),
            _ => None,
        }
    }
}

/// As in the topic: `inverters/482012345678`, `site`.
impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inverter(serial) => write!(formatter, "inverters/{serial}"),
            Self::Site => formatter.write_str("site"),
            Self::Production => formatter.write_str("production"),
            Self::Consumption => formatter.write_str("consumption"),
            Self::Net => formatter.write_str("net"),
            Self::Meter(eid) => write!(formatter, "meters/{eid}"),
            Self::Battery(serial) => write!(formatter, "batteries/{serial}"),
        }
    }
}
