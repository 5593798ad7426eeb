//! Two midnights of a site without a meter, through the whole scraper, and the second one while it is stopped: what the
//! inverters made is of today until then, and of the day before until they report again.

#![cfg(target_os = "linux")]

use std::collections::BTreeSet;

use month::home::Home;
use month::log::Log;
use month::time::{Conductor, Time, runtime};
use simulator::SiteOptions;
use wire::{BaseTopic, GatewayState, Measured, Reading, Site, Topic};

const INVERTERS: usize = 4;
const HOUR: u64 = 60;
const DAY: u64 = 24 * HOUR;
/// What a cloudy day of these inverters is more than, in watt-hours.
const MUCH_WH: f64 = 1000.0;

#[test]
fn what_was_made_yesterday_is_of_today_for_nobody() {
    runtime().block_on(two_midnights());
}

async fn two_midnights() {
    // As each of our programs does.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let time = Time::beginning("2026-06-01T00:00:00Z".parse().expect("a time"));
    let log = Log::start(time.clone());
    let conductor = Conductor::new(time.clone(), log.clone());
    let site = SiteOptions {
        inverters: INVERTERS,
        firmware: "8.2.4382".parse().expect("a firmware"),
        ..SiteOptions::default()
    };
    let mut home = Home::with(&time, site).await;
    let mut said = Said::default();
    for minute in 1..=2 * DAY + 12 * HOUR {
        if minute == 2 * DAY - 20 {
            home.stop();
        }
        if minute == 2 * DAY + 20 {
            home.start_again().await;
        }
        conductor.until(minute * 60).await;
        drop(log.take_lines());
        drop(home.simulator.take_requests());
        for (topic, payload) in home.broker.take_published() {
            said.take(&topic, &payload);
        }
        match (minute / DAY, minute % DAY / HOUR, minute % HOUR) {
            (_, 12, 0) => said.is_midday(),
            (0 | 1, 23, 30) => said.is_evening(),
            (1 | 2, 1, 0) => said.is_after_midnight(),
            _ => {}
        }
    }
    home.stop();
    conductor.until((2 * DAY + 12 * HOUR + 1) * 60).await;
    drop(conductor);
    assert_eq!(home.ended().await, Ok(()));
}

/// What was published last.
#[derive(Default)]
struct Said {
    inverters: BTreeSet<String>,
    site: Option<Site>,
    not_of_today: BTreeSet<String>,
}

impl Said {
    fn take(&mut self, name: &str, payload: &[u8]) {
        let Ok(topic) = Topic::parse(&BaseTopic::default(), name) else {
            return;
        };
        match topic {
            Topic::Plain { .. } => match Reading::decode(&topic, payload).expect(name).measured {
                Measured::Inverter(one) => {
                    self.inverters.insert(one.serial.to_string());
                }
                Measured::Site(site) => self.site = Some(site),
                _ => {}
            },
            Topic::Gateway { .. } => {
                let state = GatewayState::decode(&topic, payload).expect(name);
                let serials = state.not_of_today.iter();
                self.not_of_today = serials.map(ToString::to_string).collect();
            }
            _ => {}
        }
    }

    /// What the site made today, in watt-hours.
    fn today_wh(&self) -> f64 {
        let site = self.site.as_ref().expect("a site");
        site.energy_today_wh.expect("it counts").get()
    }

    fn is_midday(&self) {
        assert_eq!(self.not_of_today, BTreeSet::new());
        assert!(self.today_wh() > 0.0);
    }

    fn is_evening(&self) {
        assert_eq!(self.not_of_today, BTreeSet::new());
        assert!(self.today_wh() > MUCH_WH, "{}", self.today_wh());
    }

    fn is_after_midnight(&self) {
        assert_eq!(self.inverters.len(), INVERTERS);
        assert_eq!(self.not_of_today, self.inverters);
        assert!(self.today_wh().abs() < 0.1, "{}", self.today_wh());
    }
}
