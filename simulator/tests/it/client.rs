//! A plain client: digest computed here once more, from RFC 7616, so that it checks the server's.

use std::path::Path;

use md5::{Digest, Md5};
use reqwest::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use reqwest::{Response, StatusCode};
use secrecy::ExposeSecret;
use simulator::{Options, ShownReport, Simulator, SiteOptions, Source};

/// A client that takes any certificate and remembers no cookie.
pub(crate) fn http() -> reqwest::Client {
    // Only the first of several tests in this process installs it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

/// Starts a synthetic site.
pub(crate) async fn start(site: SiteOptions) -> Simulator {
    start_with_ledger(site, None).await
}

pub(crate) async fn start_with_ledger(site: SiteOptions, ledger: Option<&Path>) -> Simulator {
    let source = Source::Site(site);
    let ledger = ledger.map(Path::to_owned);
    Simulator::start(Options {
        source,
        ledger,
        ..Options::default()
    })
    .await
    .unwrap()
}

/// The header that answers a challenge.
pub(crate) fn answer(challenge: &str, path: &str, user: &str, password: &str) -> String {
    let nonce = challenge
        .split("nonce=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let (realm, cnonce) = ("enphaseenergy.com", "0a4f113b");
    let secret = md5(&format!("{user}:{realm}:{password}"));
    let request = md5(&format!("GET:{path}"));
    let response = md5(&format!(
        "{secret}:{nonce}:00000001:{cnonce}:auth:{request}"
    ));
    format!(
        "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{path}\", \
         qop=auth, nc=00000001, cnonce=\"{cnonce}\", response=\"{response}\""
    )
}

fn md5(text: &str) -> String {
    format!("{:032x}", u128::from_be_bytes(Md5::digest(text).into()))
}

/// The challenge of a 401.
pub(crate) async fn challenge(simulator: &Simulator, path: &str) -> String {
    let refused = http()
        .get(format!("{}{path}", simulator.url()))
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    refused.headers()[WWW_AUTHENTICATE]
        .to_str()
        .unwrap()
        .to_owned()
}

/// Asks with an `Authorization` header.
pub(crate) async fn ask(simulator: &Simulator, path: &str, authorization: String) -> Response {
    let request = http().get(format!("{}{path}", simulator.url()));
    request
        .header(AUTHORIZATION, authorization)
        .send()
        .await
        .unwrap()
}

pub(crate) async fn with_password(
    simulator: &Simulator,
    path: &str,
    user: &str,
    password: &str,
) -> Response {
    let challenge = challenge(simulator, path).await;
    ask(simulator, path, answer(&challenge, path, user, password)).await
}

pub(crate) async fn with_token(simulator: &Simulator, path: &str) -> Response {
    let token = simulator.token().expose_secret();
    ask(simulator, path, format!("Bearer {token}")).await
}

/// The lines of a ledger, in an order of their own.
pub(crate) fn ledger(path: &Path) -> Vec<ShownReport> {
    let text = std::fs::read_to_string(path).unwrap();
    sorted(
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
    )
}

pub(crate) fn sorted(mut reports: Vec<ShownReport>) -> Vec<ShownReport> {
    reports.sort_by_key(|report| (report.inverter.clone(), report.reported_at));
    reports
}

/// The reports in a list of inverters.
pub(crate) fn reports(envoy: &str, body: &str) -> Vec<ShownReport> {
    let rows: Vec<serde_json::Value> = serde_json::from_str(body).unwrap();
    let reported = rows.iter().filter(|row| row["lastReportDate"] != 0);
    let watts =
        |row: &serde_json::Value, key: &str| i32::try_from(row[key].as_i64().unwrap()).unwrap();
    let report = |row: &serde_json::Value| ShownReport {
        envoy: envoy.to_owned(),
        inverter: row["serialNumber"].as_str().unwrap().to_owned(),
        reported_at: jiff::Timestamp::from_second(row["lastReportDate"].as_i64().unwrap()).unwrap(),
        device_type: row
            .get("devType")
            .map(|t| u32::try_from(t.as_u64().unwrap()).unwrap()),
        power_w: watts(row, "lastReportWatts"),
        peak_power_w: watts(row, "maxReportWatts"),
    };
    sorted(reported.map(report).collect())
}
