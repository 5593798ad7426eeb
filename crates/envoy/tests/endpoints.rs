//! Every other endpoint of a simulated gateway is slow, broken, missing or refused, alone and together with
//! all others, over real connections: the inverters' reports are complete all the same.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use envoy::{Clock, Failure, Gateway, Poll, Settings, TokenSource};
use jiff::Timestamp;
use simulator::{
    Endpoint, Fault, FaultPlan, Meters, Options, OurTime, Simulator, SiteOptions, Source,
};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// A poll waits half a minute at most for all else beside the inverters.
const LONGEST_POLL: Duration = Duration::from_secs(45);

/// What goes wrong, and how the client notes it.
const FAULTS: [(Fault, Failure); 7] = [
    (Fault::Hang, Failure::Slow),
    (Fault::Drip, Failure::Slow),
    (Fault::Html, Failure::Missing),
    (Fault::Missing, Failure::Missing),
    (Fault::Unauthorized, Failure::Missing),
    (Fault::Truncate, Failure::Broken),
    (Fault::Busy, Failure::Broken),
];

/// What is asked beside the inverters, by its path.
const OTHERS: [(Endpoint, &str); 7] = [
    (Endpoint::DeviceData, "/ivp/pdm/device_data"),
    (Endpoint::Totals, "/api/v1/production"),
    (Endpoint::Meters, "/ivp/meters"),
    (Endpoint::MeterReadings, "/ivp/meters/readings"),
    (Endpoint::Batteries, "/ivp/ensemble/inventory"),
    (Endpoint::BatteryPower, "/ivp/ensemble/power"),
    (Endpoint::Production, "/production.json"),
];

/// A summer's noon, at which all clocks stand, so that every poll has the same reports to bring.
fn noon() -> Timestamp {
    "2026-06-15T12:00:00Z".parse().unwrap()
}

async fn gateway(inverters: usize, meters: Meters) -> Simulator {
    let site = SiteOptions {
        inverters,
        meters,
        batteries: 2,
        ..SiteOptions::default()
    };
    start(site).await
}

async fn start(site: SiteOptions) -> Simulator {
    let options = Options {
        source: Source::Site(site),
        our_time: OurTime::new(noon),
        ..Options::default()
    };
    Simulator::start(options).await.unwrap()
}

async fn poll(simulator: &Simulator) -> Poll {
    let mut settings = Settings::new(simulator.url().parse().unwrap());
    settings.token = Some(TokenSource::given(simulator.token().clone()));
    settings.clock = Clock::new(noon);
    let mut gateway = Gateway::new(settings);
    timeout(LONGEST_POLL, gateway.poll())
        .await
        .unwrap()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_endpoint_that_fails_costs_only_itself() {
    let mut cases = JoinSet::new();
    for (endpoint, path) in OTHERS {
        for (fault, failure) in FAULTS {
            // Those with meters are not asked for their totals.
            let meters = if endpoint == Endpoint::Totals {
                Meters::None
            } else {
                Meters::Connected
            };
            let simulator = gateway(30, meters).await;
            // One after another: only what waits for an answer waits together.
            let sound = poll(&simulator).await;
            assert_eq!(sound.notes, [], "nothing is wrong yet");
            simulator.inject(FaultPlan::from(fault).of(endpoint));
            cases.spawn(async move {
                let poll = poll(&simulator).await;
                assert_eq!(poll.inverters, sound.inverters, "{fault} of {path}");
                assert_eq!(poll.inverters.reports.len(), 30);
                let noted: Vec<_> = poll
                    .notes
                    .iter()
                    .map(|note| (note.endpoint, note.failure))
                    .collect();
                assert_eq!(noted, [(path, failure)], "{fault} of {path}");
                let has_details = endpoint != Endpoint::DeviceData;
                assert_eq!(poll.details.len(), if has_details { 30 } else { 0 });
            });
        }
    }
    while let Some(case) = cases.join_next().await {
        case.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_fail_together_cost_no_inverter_and_half_a_minute_at_most() {
    let mut cases = JoinSet::new();
    for (inverters, faults) in [
        (1, &[Fault::Hang, Fault::Html][..]),
        (30, &[Fault::Hang, Fault::Missing, Fault::Unauthorized]),
        (
            30,
            &[Fault::Drip, Fault::Truncate, Fault::Busy, Fault::Html],
        ),
        (60, &[Fault::Hang, Fault::Html]),
        (300, &[Fault::Hang, Fault::Busy]),
    ] {
        let simulator = gateway(inverters, Meters::Connected).await;
        let sound = poll(&simulator).await;
        cases.spawn(async move {
            for fault in faults {
                simulator.heal();
                for (endpoint, _) in OTHERS {
                    simulator.inject(FaultPlan::from(*fault).of(endpoint));
                }
                let poll = poll(&simulator).await;
                assert_eq!(poll.inverters, sound.inverters, "{fault}, {inverters}");
                assert_eq!(poll.inverters.reports.len(), inverters);
                assert!(!poll.notes.is_empty(), "{fault}");
                let others = (poll.details.len(), poll.meters.len(), poll.batteries.len());
                assert_eq!(others, (0, 0, 0), "{fault}");
                assert_eq!((poll.production, poll.net), (None, None), "{fault}");
            }
        });
    }
    while let Some(case) = cases.join_next().await {
        case.unwrap();
    }
}

#[tokio::test]
async fn fifty_devices_have_details_and_the_others_their_reports_all_the_same() {
    for (inverters, details) in [(1, 1), (30, 30), (60, 50), (300, 50)] {
        let simulator = gateway(inverters, Meters::None).await;
        let poll = poll(&simulator).await;
        assert_eq!(poll.inverters.reports.len(), inverters);
        let found = poll.inverters.reports.iter().filter_map(|report| {
            let detail = poll.detail(report)?;
            let average_w = detail.energy_wh? * 3_600.0 / detail.interval_s?;
            assert!(
                (average_w - f64::from(report.power_w)).abs() < 0.6,
                "{detail:?}"
            );
            Some(())
        });
        assert_eq!(found.count(), details, "of {inverters}");
    }
}

/// One that has no meters and says nothing in its totals, though its inverters work.
#[tokio::test]
async fn totals_that_are_zero_for_good_give_way_to_the_sum_that_is_not() {
    let site = SiteOptions {
        inverters: 60,
        firmware: "8.3.5422".parse().unwrap(),
        ..SiteOptions::default()
    };
    let simulator = start(site).await;
    let poll = poll(&simulator).await;
    assert_eq!(poll.notes, []);
    let total = poll.inverter_total.unwrap();
    let inverters_w: i32 = poll
        .inverters
        .reports
        .iter()
        .map(|report| report.power_w)
        .sum();
    assert!(inverters_w > 1_000, "it is noon");
    assert!((total.power_w - f64::from(inverters_w)).abs() < 1.0);
    assert!(total.energy_lifetime_wh.unwrap() > 1_000_000.0);
}

#[tokio::test]
async fn meters_and_batteries_are_consistent_with_the_inverters_and_each_other() {
    let simulator = gateway(30, Meters::Connected).await;
    let poll = poll(&simulator).await;
    let (production, net) = (poll.production.unwrap(), poll.net.unwrap());
    let consumption = poll.consumption.unwrap();
    let inverters_w: i32 = poll
        .inverters
        .reports
        .iter()
        .map(|report| report.power_w)
        .sum();
    let ratio = production.power_w / f64::from(inverters_w);
    assert!(
        (0.5..2.0).contains(&ratio),
        "a cloud may pass between: {ratio}"
    );
    let exchanged_w = consumption.power_w - production.power_w;
    assert!(
        (exchanged_w - net.power_w).abs() < 0.01,
        "{exchanged_w} {net:?}"
    );
    // Of the panels, the grid and the batteries, each with its three phases.
    assert_eq!(poll.meters.len(), 12);
    assert_eq!(poll.batteries.len(), 2);
    for battery in &poll.batteries {
        assert!((10.0..=100.0).contains(&battery.state_of_charge_pct.unwrap()));
        assert!(
            battery.power_w.unwrap() <= 0.0,
            "the sun shines: none is needed"
        );
    }
    assert_eq!(poll.inverter_total, None, "there is a meter");
}
