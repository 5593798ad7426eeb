//! A week of a simulated gateway, read over real connections: which inverters report, sleep or are silent, what
//! they make of what their siblings do, what becomes of a counter that falls, and whether every watt-hour is there.
//! Once with reports each quarter of an hour, and once with one an hour.
//!
//! Nothing waits here: both sides' clocks are handed in and stand still while a poll is under way.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use envoy::{Clock, Gateway, Poll, Settings, TokenSource};
use jiff::Timestamp;
use scraper::changes::{Changes, Judged};
use scraper::condition::{Condition, Listed};
use scraper::names::Names;
use simulator::{Fault, Options, OurTime, Simulator, SiteOptions, Source};
use wire::InverterState::{self, Asleep, Reporting, Silent};
use wire::{Health, Measured, Quantity, Serial};

/// Monday, 2026-06-01T00:00:00Z; noon is at 12:00 UTC.
const MONDAY: i64 = 1_780_272_000;
const HOUR: i64 = 3_600;
const INVERTERS: usize = 10;
/// Between two polls, in seconds.
const POLL: usize = 300;
/// After an interval as long as this, in seconds, the report before it was on show in a poll: the list shows
/// some up to 100 s late.
const SEEN_S: f64 = 400.0;

/// What happens, in hours after the beginning of the week.
#[derive(Clone, Copy, PartialEq)]
enum Event {
    /// Something gets into the light of one, for the whole week.
    Shade,
    /// In the middle of the week into that of another.
    LateShade,
    /// One dies.
    Death,
    /// The gateway is busy for a while, as at its restart.
    Busy,
    /// Then it has not heard of any inverter yet.
    Waking,
    Healed,
    /// The gateway's counter of all energy wraps: it goes on from little.
    Wrap,
}

const EVENTS: [(i64, Event); 9] = [
    (0, Event::Shade),
    (47, Event::Busy),
    (48, Event::Healed),
    (52, Event::LateShade),
    (60, Event::Death),
    (82, Event::Busy),
    (83, Event::Waking),
    (84, Event::Healed),
    (106, Event::Wrap),
];

/// What is known at those hours, of one that is well, the shaded one, and the dead one.
const WEEK: [(&str, i64, [InverterState; 3]); 11] = [
    ("Monday noon", 12, [Reporting; 3]),
    ("Monday night", 23, [Asleep; 3]),
    ("Tuesday noon", 36, [Reporting; 3]),
    ("the night, after an outage", 49, [Asleep; 3]),
    ("Wednesday, before it dies", 60, [Reporting; 3]),
    ("hours after it died", 64, [Reporting, Reporting, Silent]),
    ("the night after that", 71, [Asleep, Asleep, Silent]),
    ("after the restart", 85, [Reporting, Reporting, Silent]),
    ("Thursday night", 95, [Asleep, Asleep, Silent]),
    ("Sunday noon", 156, [Reporting, Reporting, Silent]),
    ("Sunday night", 167, [Asleep, Asleep, Silent]),
];

/// What one that is well, the shaded one, the dead one and the late one have made of late of what the middle one
/// of their siblings did, in per cent; nothing before there is enough to compare. What was seen three days ago
/// counts half.
const OUTPUT: [(&str, i64, [Share; 4]); 7] = [
    ("Monday morning", 7, [None, None, None, None]),
    ("Tuesday night", 47, [WELL, SHADED, WELL, WELL]),
    ("Wednesday night", 71, [WELL, SHADED, WELL, Some(60..=90)]),
    ("Thursday night", 95, [WELL, SHADED, WELL, Some(45..=65)]),
    ("Friday night", 119, [WELL, SHADED, WELL, Some(40..=60)]),
    ("Saturday night", 143, [WELL, SHADED, WELL, Some(38..=55)]),
    ("Sunday night", 167, [WELL, SHADED, WELL, Some(36..=50)]),
];
type Share = Option<RangeInclusive<u32>>;
const WELL: Share = Some(85..=115);
/// It gets 40 %.
const SHADED: Share = Some(34..=46);

/// The time of both sides.
#[derive(Clone)]
struct Now(Arc<AtomicI64>);

impl Now {
    fn get(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

async fn gateway(now: &Now, report_interval_s: u32) -> (Simulator, Gateway) {
    let (ours, clock) = (now.clone(), now.clone());
    let site = SiteOptions {
        inverters: INVERTERS,
        ghosts: 1,
        report_interval_s,
        ..SiteOptions::default()
    };
    let options = Options {
        source: Source::Site(site),
        our_time: OurTime::new(move || ours.get()),
        ..Options::default()
    };
    let simulator = Simulator::start(options).await.unwrap();
    let mut settings = Settings::new(simulator.url().parse().unwrap());
    settings.token = Some(TokenSource::given(simulator.token().clone()));
    settings.clock = Clock::new(move || clock.get());
    (simulator, Gateway::new(settings))
}

fn happen(event: Event, simulator: &Simulator, [_, shaded, dead, late]: &[String; 4]) {
    simulator.heal();
    match event {
        Event::Shade => simulator.shade(shaded, 40).unwrap(),
        Event::LateShade => simulator.shade(late, 40).unwrap(),
        Event::Death => simulator.kill(dead).unwrap(),
        Event::Busy => simulator.inject(Fault::Busy.into()),
        Event::Waking => simulator.inject(Fault::EmptyList.into()),
        Event::Healed => {}
        Event::Wrap => simulator.count_from(12),
    }
}

fn listed(poll: &Poll) -> Vec<Listed> {
    let reports = poll.inverters.reports.iter();
    let listed = reports.map(|report| Listed {
        serial: report.serial.parse().unwrap(),
        at: report.reported_at,
        power_w: report.power_w,
        peak_power_w: report.peak_power_w,
    });
    listed.collect()
}

/// One report in detail.
#[derive(Clone, Copy)]
struct Detailed {
    interval_s: f64,
    energy_wh: f64,
    /// The inverter's lifetime counter.
    lifetime_wh: f64,
}

/// What the polls of a week have brought.
#[derive(Default)]
struct Brought {
    /// By inverter and time.
    details: BTreeMap<String, BTreeMap<i64, Detailed>>,
    /// The gateway's counter of all, in each poll; none where it was not sound.
    total_wh: Vec<Option<f64>>,
    /// What was said to be made by the site ever, each time that it was said.
    site_wh: Vec<f64>,
}

impl Brought {
    fn take(&mut self, poll: &Poll, judged: &Judged) {
        for report in &poll.inverters.reports {
            if let Some(detail) = poll.detail(report) {
                let detailed = Detailed {
                    interval_s: detail.interval_s.unwrap(),
                    energy_wh: detail.energy_wh.unwrap(),
                    lifetime_wh: detail.energy_lifetime_wh.unwrap(),
                };
                let of = self.details.entry(report.serial.clone()).or_default();
                of.insert(report.reported_at, detailed);
            }
        }
        if let Some(total) = poll.inverter_total {
            self.total_wh.push(total.energy_lifetime_wh);
        }
        for measured in &judged.new {
            if let Measured::Site(site) = measured {
                let wh = site.energy_lifetime_wh.map(Quantity::get);
                self.site_wh.push(wh.expect("its gateway counts"));
            }
        }
    }
}

#[tokio::test]
async fn a_week_with_a_dead_panel_shaded_ones_nights_a_restart_and_a_counter_that_wraps() {
    live_through_a_week(900, 183).await;
}

#[tokio::test]
async fn the_same_week_with_one_report_an_hour() {
    live_through_a_week(3_600, 27).await;
}

/// The dead one misses so many reports: those of the days, from Wednesday noon on, and none of a night.
async fn live_through_a_week(report_interval_s: u32, missed: u64) {
    // As each of our programs does.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let now = Now(Arc::new(AtomicI64::new(MONDAY)));
    let (simulator, mut gateway) = gateway(&now, report_interval_s).await;
    let (mut condition, names) = (Condition::default(), Names::default());
    let (mut brought, mut changes) = (Brought::default(), Changes::new());
    let first = gateway.poll().await.unwrap();
    let four = [0, 1, 2, 3].map(|place| first.inverters.reports[place].serial.clone());

    for since in (0..7 * 24 * HOUR).step_by(POLL) {
        let at = MONDAY + since;
        now.0.store(at, Ordering::Relaxed);
        for (_, event) in EVENTS.iter().filter(|(hour, _)| hour * HOUR == since) {
            happen(*event, &simulator, &four);
        }
        // A gateway that does not answer changes nothing.
        if let Ok(poll) = gateway.poll().await {
            condition.poll(&listed(&poll), poll.inverters.never_reported, at, &names);
            brought.take(&poll, &changes.take(&poll, Some(at)));
        }
        if since % HOUR == 0 {
            let health = condition.health(&simulator.serial().parse().unwrap(), &names);
            is_judged_rightly(&health, since / HOUR, &four);
        }
    }

    let health = condition.health(&simulator.serial().parse().unwrap(), &names);
    for (serial, inverter) in &health.inverters {
        assert_eq!(inverter.interval_s, Some(report_interval_s));
        if !four[1..].contains(&serial.to_string()) {
            let percent = inverter.relative_output_pct.unwrap();
            assert!((80..=125).contains(&percent), "{serial}: {percent} %");
        }
        if serial.as_str() == four[2] {
            assert_eq!(inverter.missed_reports, missed, "{inverter:?}");
        }
    }
    tuesday_adds_up(&brought);
    wraps_once(&brought);
    simulator.stop().await;
}

/// What the tables say of this hour of the week.
fn is_judged_rightly(health: &Health, hour: i64, four: &[String; 4]) {
    let of = |serial: &String| &health.inverters[&serial.parse::<Serial>().unwrap()];
    for (when, _, expected) in WEEK.iter().filter(|(_, of, _)| *of == hour) {
        let found = [0, 1, 2].map(|place| of(&four[place]).state);
        assert_eq!(found, *expected, "{when}, hour {hour}");
        let dead = u32::from(hour > 60);
        assert_eq!(
            (health.total, health.silent, health.never_reported),
            (10, dead, 1),
            "{when}"
        );
    }
    for (when, _, expected) in OUTPUT.iter().filter(|(_, of, _)| *of == hour) {
        for (serial, expected) in four.iter().zip(expected) {
            let percent = of(serial).relative_output_pct;
            let is_right = match (percent, expected) {
                (Some(percent), Some(range)) => range.contains(&percent),
                (percent, None) => percent.is_none(),
                (None, Some(_)) => false,
            };
            assert!(
                is_right,
                "{when}: {serial} makes {percent:?} %, not {expected:?}"
            );
        }
    }
}

/// The energies of all intervals of a day are the difference of the lifetime counter, for each inverter.
fn tuesday_adds_up(brought: &Brought) {
    let (begins, ends) = (MONDAY + 24 * HOUR, MONDAY + 46 * HOUR);
    assert_eq!(brought.details.len(), INVERTERS);
    for (serial, details) in &brought.details {
        let (_, before) = details.range(..begins).next_back().unwrap();
        let mut day: Vec<Detailed> = details.range(begins..ends).map(|(_, each)| *each).collect();
        // At dusk an inverter may report twice between two polls; the first of the two is never seen.
        if day.last().unwrap().interval_s < SEEN_S {
            day.pop();
        }
        let energy_wh: f64 = day.iter().map(|each| each.energy_wh).sum();
        let difference_wh = day.last().unwrap().lifetime_wh - before.lifetime_wh;
        assert!(
            (energy_wh - difference_wh).abs() < 0.001,
            "{serial}: {energy_wh} {difference_wh}"
        );
        assert!(energy_wh > 100.0, "{serial}: {energy_wh}");
    }
}

/// A counter that wraps is passed on by the client as it is. The scraper has it go on from what it said before, so that
/// the site made what it made before that and after.
fn wraps_once(brought: &Brought) {
    let sound: Vec<f64> = brought.total_wh.iter().filter_map(|wh| *wh).collect();
    assert_eq!(
        sound.len(),
        brought.total_wh.len(),
        "it is known in each poll"
    );
    let falls = |pair: &&[f64]| pair[1] < pair[0] - 1.0;
    assert_eq!(sound.windows(2).filter(falls).count(), 1);
    let steps = sound.windows(2).filter(|pair| !falls(pair));
    let counted: f64 = steps.map(|pair| pair[1] - pair[0]).sum();
    let said = &brought.site_wh;
    assert!(said.is_sorted(), "it only counts up: {said:?}");
    let made = said.last().unwrap() - said[0];
    // Nobody knows what was made in the minutes of the step.
    assert!((made - counted).abs() < 100.0, "{made} for {counted} Wh");
    assert!(made > 10_000.0, "{made}");
}
