//! The README's table of metrics has exactly those that the programs show, and their names are as
//! Prometheus wants them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use daemon::health::Board;
use daemon::service::Service;

const BEGIN: &str = "<!-- metrics -->\n";
const END: &str = "<!-- /metrics -->";

/// What is said of one metric.
#[derive(Debug, Default, Clone)]
struct Metric {
    name: String,
    kind: String,
    unit: String,
    help: String,
}

/// When it reported.
const NOON: i64 = 1_781_956_800;

/// One that is to be seen: an inverter without a reading has no series.
fn reading() -> wire::Reading {
    wire::Reading {
        envoy: "202400000001".parse().expect("a serial"),
        measured: wire::Inverter {
            serial: "482000000001".parse().expect("a serial"),
            reported_at: wire::ReportTime::from_unix_seconds(NOON).expect("a time"),
            device_type: Some(1),
            power_w: 212,
            peak_power_w: 296,
            detail: None,
        }
        .into(),
        journal: "k3x9m2pq".parse().expect("an id"),
        seq: 1,
    }
}

/// Those of the single process are those of both daemons.
fn exposition() -> String {
    let mut board = Board::new(Service::none());
    let scraper = scraper::metrics::Metrics::register(&mut board, true);
    // A series comes with the first failure of an endpoint.
    scraper.asked_in_vain(&[envoy::Note {
        endpoint: "/ivp/meters",
        failure: envoy::Failure::Slow,
        status: None,
        message: String::new(),
    }]);
    let reading = reading();
    scraper.readings(&reading.envoy, std::slice::from_ref(&reading), Some(NOON));
    let _receiver = receiver::metrics::Metrics::register(&mut board);
    board.exposition()
}

fn metrics() -> Vec<Metric> {
    let mut metrics: Vec<Metric> = Vec::new();
    for line in exposition().lines() {
        let mut words = line.splitn(4, ' ');
        let (Some("#"), Some(what), Some(name)) = (words.next(), words.next(), words.next()) else {
            continue;
        };
        let text = words.next().unwrap_or_default().to_owned();
        if metrics.last().is_none_or(|last| last.name != name) {
            metrics.push(Metric {
                name: name.to_owned(),
                ..Metric::default()
            });
        }
        let metric = metrics.last_mut().expect("one was pushed");
        match what {
            "HELP" => metric.help = text,
            "TYPE" => metric.kind = text,
            "UNIT" => metric.unit = text,
            _ => {}
        }
    }
    metrics.retain(|metric| !metric.kind.is_empty());
    metrics
}

/// The name in queries.
fn series(metric: &Metric) -> String {
    match metric.kind.as_str() {
        "counter" => format!("{}_total", metric.name),
        "info" => format!("{}_info", metric.name),
        _ => metric.name.clone(),
    }
}

fn labels(metric: &Metric) -> &'static str {
    match metric.name.as_str() {
        name if name.starts_with("envoy_inverter_") => "{envoy,inverter}",
        "envoy_scraper_endpoints_failed" => "{endpoint,kind}",
        "envoy_scraper_inverters" => "{state}",
        name if name.ends_with("s_failed") => "{kind}",
        "envoy_scrape_build" => "{version}",
        _ => "",
    }
}

fn table() -> String {
    let mut table = String::from("| name | type | unit | meaning |\n|---|---|---|---|\n");
    for metric in metrics() {
        writeln!(
            table,
            "| `{}{}` | {} | {} | {} |",
            series(&metric),
            labels(&metric),
            metric.kind,
            metric.unit,
            metric.help.trim_end_matches('.'),
        )
        .expect("a string can be written");
    }
    table
}

#[test]
fn the_readme_lists_every_metric_and_no_other() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = std::fs::read_to_string(path).expect("there is a README");
    let (_, rest) = readme.split_once(BEGIN).expect("a table of metrics");
    let (listed, _) = rest.split_once(END).expect("the table's end");
    let expected = table();
    assert!(
        listed == expected,
        "the README's table of metrics should be:\n{expected}"
    );
}

#[test]
fn names_end_with_their_base_unit_and_each_is_there_once() {
    let metrics = metrics();
    assert!(metrics.len() > 30, "{metrics:#?}");
    let names: BTreeSet<&str> = metrics.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names.len(), metrics.len(), "one is there twice");
    for metric in &metrics {
        let Metric {
            name, unit, help, ..
        } = metric;
        assert!(["", "seconds", "bytes", "watts"].contains(&unit.as_str()));
        assert!(
            unit.is_empty() || name.ends_with(&format!("_{unit}")),
            "{name}"
        );
        assert!(!name.ends_with("_total"), "{name}");
        assert!(help.len() > 20, "{name}: {help}");
    }
}

#[test]
fn every_kind_of_failure_is_there_from_the_start() {
    let shown = exposition();
    for series in [
        "envoy_scraper_polls_failed_total{kind=\"unreachable\"} 0",
        "envoy_scraper_polls_failed_total{kind=\"credentials\"} 0",
        "envoy_receiver_writes_failed_total{kind=\"unavailable\"} 0",
        "envoy_scraper_last_poll_timestamp_seconds 0.0",
        "envoy_scraper_broker_connected 0",
        "envoy_inverter_power_watts{envoy=\"202400000001\",inverter=\"482000000001\"} 212",
        "envoy_inverter_reporting{envoy=\"202400000001\",inverter=\"482000000001\"} 1",
    ] {
        assert!(
            shown.lines().any(|line| line == series),
            "{series}:\n{shown}"
        );
    }
}
