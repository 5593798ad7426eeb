//! The probe against servers that no real one can be made to be.

use std::time::Duration;

use scripted::influx::{Reply, Request, Server};
use store::{CHECK_MEASUREMENT, Finding, InfluxDb, Outcome, Settings, TokenSource};

use crate::{TOKEN, settings, store};

fn health() -> Reply {
    let body = r#"{"name":"influxdb","message":"ready","status":"pass","version":"2.7.12"}"#;
    Reply::Answer(200, Vec::new(), body.into())
}

/// A sound server but for what `write` and `query` answer.
async fn server(
    write: impl Fn() -> Reply + Send + Sync + 'static,
    query: impl Fn(&[Request]) -> Reply + Send + Sync + 'static,
) -> Server {
    Server::start(move |request, before| match &request.target[..] {
        "/health" => health(),
        target if target.starts_with("/api/v2/write?") => write(),
        target if target.starts_with("/api/v2/query?") => query(before),
        target => panic!("asked for {target}"),
    })
    .await
}

fn unasked(_: &[Request]) -> Reply {
    panic!("there is nothing to read")
}

/// What the query finds when it is there: the number that was written.
fn found(before: &[Request]) -> Reply {
    let mut writes = before.iter().filter(|request| request.method == "POST");
    let line = &writes.next().expect("a write came first").lines[0];
    let run = line
        .strip_prefix(CHECK_MEASUREMENT)
        .and_then(|rest| rest.strip_prefix(" run="))
        .and_then(|rest| rest.strip_suffix('i'))
        .unwrap_or_else(|| panic!("{line}"));
    let csv = format!(",result,table,_value,_field,_measurement\r\n,_result,0,{run},run,x\r\n");
    Reply::Answer(200, Vec::new(), csv)
}

fn steps(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.step).collect()
}

/// What the last step says: the others have passed.
fn failed(findings: &[Finding]) -> (&'static str, &str, &str) {
    let (last, before) = findings.split_last().expect("a finding");
    for finding in before {
        assert!(matches!(finding.outcome, Outcome::Passed(_)), "{finding:?}");
    }
    match &last.outcome {
        Outcome::Failed { problem, remedy } => (last.step, problem, remedy),
        other => panic!("{other:?}"),
    }
}

const ALL: [&str; 6] = [
    "reachable",
    "token",
    "organisation",
    "bucket",
    "write",
    "read back",
];

#[tokio::test]
async fn a_sound_server_passes_each_step_with_one_point_of_the_checks_own() {
    let server = server(Reply::stored, found).await;
    let findings = store(&server).probe().await;
    assert_eq!(steps(&findings), ALL);
    for finding in &findings {
        assert!(matches!(finding.outcome, Outcome::Passed(_)), "{finding:?}");
    }
    assert!(format!("{:?}", findings[0]).contains("2.7.12"));
    let requests = server.requests();
    let written: Vec<_> = requests
        .iter()
        .filter(|request| request.target.starts_with("/api/v2/write"))
        .flat_map(|request| &request.lines)
        .collect();
    assert_eq!(written.len(), 1);
    // Measurement and field, no tag and no time.
    assert_eq!(written[0].split(' ').count(), 2, "{}", written[0]);
    assert!(requests[0].header("authorization").is_none());
    assert!(!format!("{findings:?}").contains(TOKEN));
}

#[tokio::test]
async fn each_fault_of_the_set_up_ends_at_its_step() {
    for (passed, status, message, problem, remedy) in [
        (1, 401, "unauthorized access", "the token", "INFLUX_TOKEN"),
        (
            2,
            404,
            r#"organization name \"home\" not found"#,
            "'home'",
            "INFLUX_ORG",
        ),
        (
            3,
            404,
            r#"bucket \"solar\" not found"#,
            "'solar'",
            "INFLUX_BUCKET",
        ),
        (
            4,
            403,
            "insufficient permissions for write",
            "may not write",
            "may write",
        ),
    ] {
        let refuse = move || Reply::error(status, message);
        let no_right = |_: &[Request]| Reply::error(404, "could not find bucket");
        let server = server(refuse, no_right).await;
        let findings = store(&server).probe().await;
        assert_eq!(steps(&findings), ALL[..=passed]);
        let (_, found, advice) = failed(&findings);
        assert!(found.contains(problem), "{found}");
        assert!(advice.contains(remedy), "{advice}");
        assert!(!format!("{findings:?}").contains(TOKEN));
    }
}

#[tokio::test]
async fn a_write_that_says_nothing_of_the_set_up_fails_at_the_write() {
    for (status, message) in [
        (400, "Please provide either orgID or org"),
        (404, "<html>nginx</html>"),
        (413, "too large"),
        (422, "field type conflict"),
        (429, "rate limit"),
        (503, "busy"),
    ] {
        let refuse = move || Reply::Answer(status, Vec::new(), message.into());
        let server = server(refuse, unasked).await;
        let findings = store(&server).probe().await;
        assert_eq!(steps(&findings), [ALL[0], ALL[4]]);
        let (_, problem, _) = failed(&findings);
        assert!(
            problem.contains(&format!("{status}: {message}")),
            "{problem}"
        );
    }
}

#[tokio::test]
async fn a_token_file_that_is_gone_fails_at_the_token() {
    let server = server(Reply::stored, unasked).await;
    let store = InfluxDb::new(Settings {
        token: TokenSource::File("/no/such/token".into()),
        ..settings(&server, "")
    })
    .unwrap();
    let findings = store.probe().await;
    let (step, problem, remedy) = failed(&findings);
    assert_eq!(step, "token");
    assert!(problem.contains("/no/such/token"), "{problem}");
    assert!(remedy.contains("INFLUX_TOKEN_FILE"), "{remedy}");
}

#[tokio::test]
async fn what_answers_and_is_no_influxdb_is_named() {
    for (status, headers, body, problem, remedy) in [
        (
            200,
            vec![],
            "<html>Router</html>",
            "is not InfluxDB",
            "8086",
        ),
        (404, vec![], "<html>nginx</html>", "is not InfluxDB", "8086"),
        (
            302,
            vec!["location: /login".to_owned()],
            "",
            "points to /login",
            "INFLUX_URL",
        ),
        (
            502,
            vec![],
            "<html>Bad Gateway</html>",
            "a server before it",
            "runs",
        ),
        (
            400,
            vec![],
            "Client sent an HTTP request to an HTTPS server.",
            "uses TLS",
            "https://",
        ),
    ] {
        let answer = move || Reply::Answer(status, headers.clone(), body.to_owned());
        let server = Server::start(move |_, _| answer()).await;
        let findings = store(&server).probe().await;
        assert_eq!(steps(&findings), ALL[..1]);
        let (_, found, advice) = failed(&findings);
        assert!(found.contains(problem), "{found}");
        assert!(advice.contains(remedy), "{advice}");
    }
}

#[tokio::test]
async fn a_server_that_only_speaks_its_language_is_known_by_its_ping() {
    let server = Server::start(|request, before| match &request.target[..] {
        "/health" => Reply::Answer(200, Vec::new(), "OK".into()),
        "/ping" => Reply::Answer(
            204,
            vec!["x-influxdb-version: 1.8.10".into()],
            String::new(),
        ),
        target if target.starts_with("/api/v2/write?") => Reply::stored(),
        _ => {
            assert!(!before.is_empty());
            Reply::error(403, "Flux query service disabled")
        }
    })
    .await;
    let findings = store(&server).probe().await;
    assert_eq!(steps(&findings), ALL);
    assert!(format!("{:?}", findings[0]).contains("InfluxDB 1.8.10"));
    assert!(
        matches!(&findings[5].outcome, Outcome::NotChecked(why) if why.contains("Flux")),
        "{findings:?}"
    );
}

#[tokio::test]
async fn a_proxy_that_lets_only_writes_through_is_no_fault() {
    let server = Server::start(|request, _| {
        if request.target.starts_with("/api/v2/write?") {
            Reply::stored()
        } else {
            Reply::Answer(403, Vec::new(), "no".into())
        }
    })
    .await;
    let findings = store(&server).probe().await;
    assert_eq!(steps(&findings), ALL);
    assert!(matches!(findings[0].outcome, Outcome::NotChecked(_)));
    assert!(matches!(findings[4].outcome, Outcome::Passed(_)));
    assert!(matches!(findings[5].outcome, Outcome::NotChecked(_)));
}

#[tokio::test]
async fn an_influxdb_that_has_not_started_says_so() {
    let body = r#"{"name":"influxdb","message":"starting","status":"fail"}"#;
    let server = Server::start(|_, _| Reply::Answer(503, Vec::new(), body.into())).await;
    let findings = store(&server).probe().await;
    let (step, problem, _) = failed(&findings);
    assert_eq!(step, ALL[0]);
    assert!(problem.contains("not ready: starting"), "{problem}");
}

#[tokio::test]
async fn a_point_that_was_taken_and_is_not_there_fails_the_last_step() {
    let nothing = |_: &[Request]| Reply::Answer(200, Vec::new(), "\r\n".into());
    let server = server(Reply::stored, nothing).await;
    let store = InfluxDb::new(Settings {
        timeout: Duration::from_millis(600),
        ..settings(&server, "")
    })
    .unwrap();
    let findings = store.probe().await;
    let (step, problem, _) = failed(&findings);
    assert_eq!(step, ALL[5]);
    assert!(problem.contains("it is not in 'solar'"), "{problem}");
    let looks = server.requests().len() - 2;
    assert!(looks > 1, "looked once only");
}

#[tokio::test]
async fn a_server_that_is_away_is_not_asked_for_more() {
    let gone = Server::start(|_, _| Reply::Cut).await;
    let findings = store(&gone).probe().await;
    let (step, problem, _) = failed(&findings);
    assert_eq!(step, ALL[0]);
    assert!(problem.contains("broke off"), "{problem}");
    assert_eq!(gone.requests().len(), 1);
}
