//! What a simulator is to be.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil};
use thiserror::Error;

use crate::clock::{Clock, OurTime};
use crate::cloud::CloudOptions;
use crate::faults::FaultPlan;
use crate::firmware::Firmware;
use crate::gateway::battery_serial;
use crate::serial::Serial;
use crate::site::{History, PastFlow, PastReport, Plan, SERIALS, Site, Sun};

mod equipment;

pub(crate) use equipment::Equipment;
pub use equipment::{Meters, NotMeters};

/// Inverters that one site may have.
const MOST_INVERTERS: usize = SERIALS;
/// Batteries of each kind that a site may have.
const MOST_BATTERIES: usize = 40;
/// At this speed a day passes in a second.
const FASTEST: u32 = 86_400;
/// A fast clock without a given start begins as far back as it needs to run this long until it
/// catches up with ours.
const HEAD_START: SignedDuration = SignedDuration::from_hours(2);

/// What to simulate, where to listen, what to write.
#[derive(Clone, Debug)]
pub struct Options {
    /// A recording or a synthetic site.
    pub source: Source,
    /// Where to listen; port 0 takes a free one. Default `127.0.0.1:0`.
    pub listen: SocketAddr,
    /// A second address, in place of the gateway's port 80; `listen` then stands for its port 443, which
    /// is closed below firmware 7. From 7 on the second one has only `/info` and the way to the first,
    /// from 8.3.5286 on it is closed. Default none: `listen` stands for both, in clear below firmware 7
    /// and with TLS from 7 on.
    pub http_listen: Option<SocketAddr>,
    /// Where the gateway is once it has [moved](crate::Simulator::move_on): closed until then, as `listen` is
    /// afterwards. Its announcement and a second address do not move with it. Default none.
    pub next_listen: Option<SocketAddr>,
    /// A file (mode 0600) that keeps the gateway's certificate with its key, so that the next simulator
    /// has the same, as a real gateway after a restart or at another address. Default none: a new one
    /// with each start.
    pub certificate: Option<PathBuf>,
    /// A file to which every report that a client was shown is appended as a JSON line. One that
    /// exists is continued. Default none.
    pub ledger: Option<PathBuf>,
    /// A file (mode 0600) that gets a valid owner token before the simulator answers anything; it
    /// is of use from firmware 7 on. Default none.
    pub token_out: Option<PathBuf>,
    /// What goes wrong, and when: times count from the start. Default nothing.
    pub faults: Vec<FaultPlan>,
    /// Enphase's cloud beside the gateway, which hands out its tokens. Default none.
    pub cloud: Option<CloudOptions>,
    /// The port of mDNS, 5353 mostly, at which the gateway is announced. Default none: it is not.
    pub announce: Option<u16>,
    /// Whether the gateway's requests are noted, for [`Simulator::take_requests`](crate::Simulator::take_requests).
    /// Default no.
    pub note_requests: bool,
    /// What time it is. Default the system's.
    pub our_time: OurTime,
}

/// Where answers come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A directory with one recorded gateway: for each path a file (first slash dropped, `/` as `_`,
    /// `?details=1` as `_details_1`), its status and headers in `<name>_log.json`.
    Recording(PathBuf),
    /// A synthetic site.
    Site(SiteOptions),
}

/// A synthetic site. The same options always give the same reports at the same times.
#[derive(Clone, Debug)]
pub struct SiteOptions {
    /// Number of inverters that report, 1 to 10,000 together with `ghosts`. Default 12.
    pub inverters: usize,
    /// Number of further inverters that are listed but have never reported (date 0). Default 0.
    pub ghosts: usize,
    /// Firmware of the gateway, 3.9 to 8.x: it decides scheme, authentication, shapes and rhythm.
    /// Default 8.3.5169.
    pub firmware: Firmware,
    /// Serial of the gateway; with `seed` it also decides the inverters' serials. Default 122012345678.
    pub serial: Serial,
    /// Another seed gives other inverters, clouds and times. Default 1.
    pub seed: u64,
    /// How much faster than ours the gateway's clock runs, 1 to 86,400. It never passes ours: when
    /// it catches up it goes on at real time. Default 1.
    pub speed: u32,
    /// What the gateway's clock shows at the beginning; not before 2008, not in the future. Default:
    /// now at speed 1, else a dawn so far back that it takes two hours to catch up.
    pub start: Option<Timestamp>,
    /// Seconds between two reports of an inverter: 300, 900 or 3600, as Enphase sets it. Default 300.
    pub report_interval_s: u32,
    /// Solar noon, in UTC. Inverters report while the sun is up, some 9 (winter) to 15 hours
    /// (summer) around it. A demonstration at any hour sets it to about now. Default 12:00.
    pub noon: civil::Time,
    /// Which meters are connected. Default none.
    pub meters: Meters,
    /// Batteries with 3.5 kWh each, of firmware 5 or later, 0 to 40. Default none. With any of them, or
    /// AC batteries, the home's use and its exchange with the grid are simulated also where nothing
    /// meters them.
    pub batteries: usize,
    /// AC batteries with 1.2 kWh each, of firmware 4.10 or later, 0 to 40: each stands in the list of
    /// inverters with a type of its own, and `/production.json` has their sum. Default none.
    pub ac_batteries: usize,
    /// Each report stays on show until it stood in two complete answers to clients at this address,
    /// counted anew by [`Simulator::reader_started`](crate::Simulator::reader_started): for tests that
    /// compare the ledger with what arrived. Default none: as real gateways do, it shows the newest.
    pub hold_for: Option<IpAddr>,
}

/// An option has a value that can't be.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum OptionsError {
    #[error("inverters is {0}: give at least 1, and at most {MOST_INVERTERS} together with ghosts")]
    Inverters(usize),
    #[error("speed is {0}: give a whole number from 1 to {FASTEST}")]
    Speed(u32),
    #[error("report interval is {0} s: give 300, 900 or 3600")]
    ReportInterval(u32),
    #[error("firmware is {0}: a site can have 3.9 to 8.x")]
    Firmware(Firmware),
    #[error("start is {0}: give a time from 2008 to now")]
    Start(Timestamp),
    #[error("batteries is {0}: give 0 to {MOST_BATTERIES}, as for AC batteries")]
    Batteries(usize),
}

impl Default for Options {
    fn default() -> Self {
        Self {
            source: Source::Site(SiteOptions::default()),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            http_listen: None,
            next_listen: None,
            certificate: None,
            ledger: None,
            token_out: None,
            faults: Vec::new(),
            cloud: None,
            announce: None,
            note_requests: false,
            our_time: OurTime::default(),
        }
    }
}

impl Default for SiteOptions {
    fn default() -> Self {
        Self {
            inverters: 12,
            ghosts: 0,
            firmware: "8.3.5169".parse().expect("the default is a version"),
            serial: "122012345678".parse().expect("the default is a serial"),
            seed: 1,
            speed: 1,
            start: None,
            report_interval_s: 300,
            noon: civil::time(12, 0, 0, 0),
            meters: Meters::None,
            batteries: 0,
            ac_batteries: 0,
            hold_for: None,
        }
    }
}

impl SiteOptions {
    /// Refuses values that can't be; `now` is our time.
    pub(crate) fn check(&self, now: Timestamp) -> Result<(), OptionsError> {
        let listed = self.inverters.saturating_add(self.ghosts);
        if self.inverters == 0 || listed > MOST_INVERTERS {
            return Err(OptionsError::Inverters(self.inverters));
        }
        if !(1..=FASTEST).contains(&self.speed) {
            return Err(OptionsError::Speed(self.speed));
        }
        if ![300, 900, 3600].contains(&self.report_interval_s) {
            return Err(OptionsError::ReportInterval(self.report_interval_s));
        }
        for batteries in [self.batteries, self.ac_batteries] {
            if batteries > MOST_BATTERIES {
                return Err(OptionsError::Batteries(batteries));
            }
        }
        check_firmware(&self.firmware)?;
        match self.start {
            Some(start) if start > now || start < earliest() => Err(OptionsError::Start(start)),
            _ => Ok(()),
        }
    }

    /// The gateway's clock, begun at `now` by ours.
    pub(crate) fn clock(&self, ours: OurTime, now: Timestamp) -> Clock {
        let from = match self.start {
            Some(start) => start,
            None if self.speed == 1 => now,
            None => {
                let head_start = HEAD_START * i32::try_from(self.speed).unwrap_or(i32::MAX);
                let sun = Sun::new(self.noon);
                let back = now
                    .checked_sub(head_start)
                    .unwrap_or(earliest())
                    .max(earliest());
                let day = sun.day(back.as_second());
                // This day's dawn may still be to come; then the day before.
                let dawns = [sun.dawn(day), sun.dawn(day - 1)];
                let dawn = dawns.into_iter().find(|dawn| *dawn <= back.as_second());
                dawn.and_then(|dawn| Timestamp::from_second(dawn).ok())
                    .unwrap_or(back)
            }
        };
        Clock::new(ours, now, from, self.speed)
    }

    /// What this site has reported on the `days` before `until` and on that day: the same reports that its
    /// gateway would have shown, where its clock is ours.
    #[must_use]
    pub fn past(&self, until: Timestamp, days: u16) -> Vec<PastReport> {
        Site::new(&self.plan(), &self.firmware, &self.serial).past(until.as_second(), days.into())
    }

    /// What its meters and batteries have shown each five minutes on the `days` before `until`, with counters that
    /// go on where those of its gateway begin then; nothing where it has none.
    #[must_use]
    pub fn past_flows(&self, until: Timestamp, days: u16) -> Vec<PastFlow> {
        let site = Site::new(&self.plan(), &self.firmware, &self.serial);
        History::past_flows(&site, until.as_second(), days.into())
    }

    /// The serial numbers of its batteries, and what each holds, in Wh.
    #[must_use]
    pub fn battery_serials(&self) -> (Vec<String>, f64) {
        let serials = (0..self.batteries).map(|battery| battery_serial(&self.serial, battery));
        (serials.collect(), Equipment::BATTERY_WH)
    }

    pub(crate) fn plan(&self) -> Plan {
        Plan {
            inverters: self.inverters,
            ghosts: self.ghosts,
            seed: self.seed,
            report_interval_s: self.report_interval_s,
            noon: self.noon,
            metered: self.meters == Meters::Connected || self.equipment().has_batteries(),
            capacity_wh: self.equipment().capacity_wh(),
            ac_batteries: self.equipment().each_ac_battery(),
        }
    }

    /// What it has beside its inverters.
    pub(crate) fn equipment(&self) -> Equipment {
        Equipment {
            meters: self.meters,
            batteries: self.batteries,
            ac_batteries: self.ac_batteries,
        }
    }
}

/// Refuses versions of which there are no sites.
pub(crate) fn check_firmware(firmware: &Firmware) -> Result<(), OptionsError> {
    if firmware.is_at_least(&[3, 9]) && firmware.major() <= 8 {
        Ok(())
    } else {
        Err(OptionsError::Firmware(firmware.clone()))
    }
}

/// The first day on which an Envoy can have reported anything.
fn earliest() -> Timestamp {
    civil::date(2008, 1, 1)
        .to_zoned_datetime(TimeZone::UTC)
        .map_or(Timestamp::UNIX_EPOCH, |start| start.timestamp())
}
