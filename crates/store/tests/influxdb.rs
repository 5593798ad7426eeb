//! The probe against a real `InfluxDB`, with tokens of each kind.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use rig::servers::{Influx, Right};
use secrecy::SecretString;
use store::{Finding, InfluxDb, Outcome, Settings, TokenSource};

async fn probe(influx: &Influx, token: &str, org: &str, bucket: &str) -> Vec<Finding> {
    let store = InfluxDb::new(Settings {
        url: influx.url().parse().unwrap(),
        token: TokenSource::Value(SecretString::from(token)),
        org: org.to_owned(),
        bucket: bucket.to_owned(),
        timeout: Duration::from_secs(30),
        ca_file: None,
    })
    .unwrap();
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
