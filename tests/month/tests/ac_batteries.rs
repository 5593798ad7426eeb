//! A day, a night and a morning of a site with AC batteries, which the Envoy lists among its inverters, through
//! the whole scraper: they are read like all others, and no inverter's sum, count or judgement has them.

#![cfg(target_os = "linux")]

use std::collections::{BTreeMap, BTreeSet};

use month::home::Home;
use month::log::Log;
use month::time::{Conductor, Time, runtime};
use simulator::SiteOptions;
use wire::{BaseTopic, Health, Inverter, Measured, Reading, Site, Topic};

const INVERTERS: usize = 4;
const AC_BATTERIES: usize = 3;
const MINUTES: u64 = 36 * 60;
/// Reports of an AC battery in that time, one each five minutes, but for a few that no poll has seen.
const REPORTS: usize = 400;
/// How much older than the newest report one in the site's sum may be, in seconds.
const TOGETHER: i64 = 65 * 60;

#[test]
fn ac_batteries_are_read_like_inverters_and_counted_as_none() {
    runtime().block_on(a_day_and_a_half());
}

async fn a_day_and_a_half() {
    // As each of our programs does.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let time = Time::beginning("2026-06-01T00:00:00Z".parse().expect("a time"));
    let log = Log::start(time.clone());
    let conductor = Conductor::new(time.clone(), log.clone());
    let site = SiteOptions {
        inverters: INVERTERS,
        ac_batteries: AC_BATTERIES,
        firmware: "8.2.4382".parse().expect("a firmware"),
        ..SiteOptions::default()
    };
    let home = Home::with(&time, site).await;
    let mut said = Said::default();
    for minute in 1..=MINUTES {
        conductor.until(minute * 60).await;
        drop(log.take_lines());
        drop(home.simulator.take_requests());
        for (topic, payload) in home.broker.take_published() {
            said.take(&topic, &payload);
        }
    }
    said.is_right();
    home.stop();
    conductor.until((MINUTES + 1) * 60).await;
    drop(conductor);
    assert_eq!(home.ended().await, Ok(()));
}

/// What was published.
#[derive(Default)]
struct Said {
    /// The newest report of each inverter.
    inverters: BTreeMap<String, Inverter>,
    /// How often each AC battery has reported.
    ac_batteries: BTreeMap<String, usize>,
    sums: usize,
    health: Option<Health>,
    /// The kinds of what batteries there are.
    batteries: BTreeSet<String>,
}

impl Said {
    fn take(&mut self, name: &str, payload: &[u8]) {
        let Ok(topic) = Topic::parse(&BaseTopic::default(), name) else {
            return;
        };
        match topic {
            Topic::Plain { .. } | Topic::Backlog { .. } => {
                match Reading::decode(&topic, payload).expect(name).measured {
                    Measured::Inverter(one) => self.inverter(one),
                    Measured::Site(site) => self.site(&site),
                    Measured::Battery(one) => {
                        self.batteries.insert(one.kind.to_string());
                    }
                    _ => {}
                }
            }
            Topic::Health { .. } => {
                let health = Health::decode(&topic, payload).expect(name);
                assert!(health.total <= 4, "{health:?}");
                assert_eq!(health.silent, 0, "{health:?}");
                self.health = Some(health);
            }
            _ => {}
        }
    }

    fn inverter(&mut self, one: Inverter) {
        let serial = one.serial.to_string();
        if one.is_ac_battery() {
            *self.ac_batteries.entry(serial).or_default() += 1;
        } else {
            self.inverters.insert(serial, one);
        }
    }

    /// The sum is of the inverters that were published before it, or nothing at night.
    fn site(&mut self, site: &Site) {
        assert_eq!(site.inverters_total, 4, "{site:?}");
        if site.inverters_reporting == 0 {
            assert!(site.power_w.get().abs() < 0.1, "{site:?}");
            return;
        }
        let newest = self.inverters.values().map(|one| one.reported_at).max();
        let since = newest.map_or(0, |newest| newest.unix_seconds() - TOGETHER);
        let together = self.inverters.values();
        let together = together.filter(|one| one.reported_at.unix_seconds() >= since);
        let sum: i32 = together.map(|one| one.power_w).sum();
        assert_eq!(site.power_w, sum.into(), "{site:?}");
        self.sums += 1;
    }

    fn is_right(&self) {
        assert_eq!(self.inverters.len(), INVERTERS);
        assert_eq!(self.ac_batteries.len(), AC_BATTERIES);
        for (serial, reports) in &self.ac_batteries {
            assert!(*reports >= REPORTS, "{serial}: {reports}");
        }
        assert!(self.sums > 300, "{}", self.sums);
        let health = self.health.as_ref().expect("it was published");
        let judged: Vec<String> = health.inverters.keys().map(ToString::to_string).collect();
        let inverters: Vec<String> = self.inverters.keys().cloned().collect();
        assert_eq!(judged, inverters);
        assert_eq!(self.batteries, BTreeSet::from(["acb".to_owned()]));
    }
}
