//! The probe against a real `InfluxDB`, with tokens of each kind.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use rig::servers::{Influx, Right};
use secrecy::SecretString;
use store::{
    Export, Finding, InfluxDb, MarkedStore, Marks, Outcome, Settings, Sqlite, Store, TokenSource,
};
use wire::{
    Basis, Battery, Detail, Flow, Inverter, Kind, Measured, Meter, Net, Quantity, Reading,
    ReportTime, Site,
};

fn store(influx: &Influx, token: &str, org: &str, bucket: &str) -> InfluxDb {
    InfluxDb::new(Settings {
        url: influx.url().parse().unwrap(),
        token: TokenSource::Value(SecretString::from(token)),
        org: org.to_owned(),
        bucket: bucket.to_owned(),
        timeout: Duration::from_secs(30),
        ca_file: None,
    })
    .unwrap()
}

async fn probe(influx: &Influx, token: &str, org: &str, bucket: &str) -> Vec<Finding> {
    let store = store(influx, token, org, bucket);
    let findings = store.probe().await;
    assert!(!format!("{findings:?}").contains(token), "{findings:?}");
    findings
}

/// Each step with a mark: `+` passed, `?` not checked, `-` failed.
fn marks(findings: &[Finding]) -> Vec<String> {
    let mark = |finding: &Finding| match finding.outcome {
        Outcome::Passed(_) => format!("+ {}", finding.step),
        Outcome::NotChecked(_) => format!("? {}", finding.step),
        Outcome::Failed { .. } => format!("- {}", finding.step),
    };
    findings.iter().map(mark).collect()
}

#[tokio::test]
async fn a_real_influxdb_is_told_apart_by_what_a_token_may_do() {
    let test = "a_real_influxdb_is_told_apart_by_what_a_token_may_do";
    let Some(influx) = Influx::start(test).await else {
        return;
    };
    let (org, bucket) = (influx.org().to_owned(), influx.new_bucket().await);
    let writes = influx.new_token(&bucket, &[Right::Write]).await;
    let reads = influx.new_token(&bucket, &[Right::Read]).await;
    let both = influx
        .new_token(&bucket, &[Right::Read, Right::Write])
        .await;

    let all = [
        "+ reachable",
        "+ token",
        "+ organisation",
        "+ bucket",
        "+ write",
    ];
    for (token, read_back) in [
        (influx.token(), "+ read back"),
        (&both, "+ read back"),
        (&writes, "? read back"),
    ] {
        let findings = probe(&influx, token, &org, &bucket).await;
        assert_eq!(
            marks(&findings),
            [&all[..], &[read_back]].concat(),
            "{findings:?}"
        );
        let first = format!("{:?}", findings[0]);
        assert!(first.contains("InfluxDB 2."), "{first}");
    }

    for (token, org, bucket, passed, step, sentence, remedy) in [
        (
            reads.as_str(),
            org.as_str(),
            bucket.as_str(),
            4,
            "- write",
            "may read the bucket, but not write to it",
            "INFLUX_TOKEN",
        ),
        (
            "wrong",
            &org,
            &bucket,
            1,
            "- token",
            "does not know the token",
            "INFLUX_TOKEN",
        ),
        (
            &writes,
            "nope",
            &bucket,
            2,
            "- organisation",
            "no organisation 'nope'",
            "INFLUX_ORG",
        ),
        (
            &writes,
            &org,
            "nope",
            3,
            "- bucket",
            "no bucket 'nope'",
            "INFLUX_BUCKET",
        ),
    ] {
        let findings = probe(&influx, token, org, bucket).await;
        assert_eq!(
            marks(&findings),
            [&all[..passed], &[step]].concat(),
            "{findings:?}"
        );
        let Outcome::Failed {
            problem,
            remedy: advice,
        } = &findings[passed].outcome
        else {
            panic!("{findings:?}");
        };
        assert!(problem.contains(sentence), "{problem}");
        assert!(advice.contains(remedy), "{advice}");
    }
    // What the checks left is no reading.
    assert_eq!(influx.points(&bucket).await, []);
}

/// Readings of all kinds, with what may be unknown and without.
fn readings() -> Vec<Reading> {
    let quantity = |value| Quantity::new(value).unwrap();
    let time = |seconds| ReportTime::from_unix_seconds(seconds).unwrap();
    let inverter = |seconds, device_type, detail| {
        Measured::Inverter(Inverter {
            serial: "482012345678".parse().unwrap(),
            reported_at: time(seconds),
            device_type,
            power_w: 212,
            peak_power_w: 296,
            detail,
        })
    };
    let detail = Detail {
        energy_wh: Some(quantity(17.667)),
        ac_voltage_v: Some(quantity(230.0)),
        ..Detail::default()
    };
    let flow = Flow {
        measured_at: time(1_795_425_307),
        power_w: quantity(431.5),
        energy_today_wh: Some(quantity(0.001)),
        energy_lifetime_wh: None,
    };
    let all = [
        Measured::Site(Site {
            measured_at: time(1_795_425_300),
            basis: Basis::Inverters,
            power_w: quantity(2544.0),
            energy_today_wh: None,
            energy_lifetime_wh: Some(quantity(1_234_567.125)),
            inverters_reporting: 11,
            inverters_total: 12,
        }),
        Measured::Production(flow.clone()),
        Measured::Consumption(flow),
        Measured::Meter(Meter {
            eid: "704643328".parse().unwrap(),
            measured_at: time(1_795_425_307),
            kind: "net-consumption".parse().unwrap(),
            phase: Some("a".parse().unwrap()),
            power_w: quantity(-1.5),
            reactive_power_var: Some(quantity(2.0)),
            apparent_power_va: None,
            voltage_v: Some(quantity(230.1)),
            current_a: None,
            frequency_hz: Some(quantity(50.0)),
            power_factor: Some(quantity(-0.5)),
            energy_delivered_wh: Some(quantity(1.0)),
            energy_received_wh: None,
        }),
        inverter(1_795_425_300, Some(1), Some(detail)),
        inverter(1_795_425_600, None, None),
        Measured::Net(Net {
            measured_at: time(1_795_425_307),
            power_w: quantity(-2112.5),
            energy_imported_wh: Some(quantity(7.0)),
            energy_exported_wh: None,
        }),
        Measured::Battery(Battery {
            serial: "122".parse().unwrap(),
            measured_at: time(1_795_425_307),
            kind: "acb".parse().unwrap(),
            state_of_charge_pct: Some(quantity(87.0)),
            power_w: None,
            energy_capacity_wh: None,
            temperature_c: None,
            state: Some("charging".parse().unwrap()),
        }),
    ];
    let journal: wire::JournalId = "k3x9m2pq".parse().unwrap();
    let envoy: wire::Serial = "122012345678".parse().unwrap();
    (1..)
        .zip(all)
        .map(|(seq, one)| one.numbered(envoy.clone(), journal.clone(), seq))
        .collect()
}

/// All that a bucket has, line by line in InfluxDB's own annotated CSV.
async fn content(influx: &Influx, bucket: &str) -> Vec<String> {
    let query =
        format!("from(bucket: \"{bucket}\") |> range(start: 0, stop: 2100-01-01T00:00:00Z)");
    let answer = reqwest::Client::new()
        .post(format!(
            "{}/api/v2/query?org={}",
            influx.url(),
            influx.org()
        ))
        .header("Authorization", format!("Token {}", influx.token()))
        .header("Content-Type", "application/vnd.flux")
        .body(query)
        .send()
        .await
        .unwrap();
    let text = answer.error_for_status().unwrap().text().await.unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

#[tokio::test]
async fn what_is_exported_from_sqlite_is_in_influxdb_what_the_receiver_writes_there() {
    let test = "what_is_exported_from_sqlite_is_in_influxdb_what_the_receiver_writes_there";
    let Some(influx) = Influx::start(test).await else {
        return;
    };
    // Another one may be there already: then that one does.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (received, exported) = (influx.new_bucket().await, influx.new_bucket().await);
    let writing = store(&influx, influx.token(), influx.org(), &received);
    let _ = writing.write(&readings()).await.unwrap();

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("readings.db");
    let file = Sqlite::open(&path).unwrap();
    let _ = file.store(&readings(), &Marks::default()).await.unwrap();
    let export = Export::open(&path).unwrap();
    let mut lines = Vec::new();
    for kind in Kind::ALL {
        let times = ReportTime::MIN..=ReportTime::MAX;
        export.line_protocol(kind, times, &mut lines).unwrap();
    }
    let address = format!(
        "{}/api/v2/write?org={}&bucket={exported}&precision=s",
        influx.url(),
        influx.org()
    );
    let loaded = reqwest::Client::new()
        .post(address)
        .header("Authorization", format!("Token {}", influx.token()))
        .body(lines)
        .send()
        .await
        .unwrap();
    assert_eq!(loaded.status(), 204);
    for kind in Kind::ALL {
        let measured = readings();
        let mut of_kind = measured.iter().map(|one| one.measured.kind());
        assert!(of_kind.any(|one| one == kind), "{kind:?} is not tried");
    }
    let found = content(&influx, &exported).await;
    for name in readings().iter().map(store::line::measurement) {
        let is_there = found.iter().any(|line| line.contains(&format!(",{name},")));
        assert!(is_there, "{name}: {found:?}");
    }
    assert_eq!(found, content(&influx, &received).await);
}
