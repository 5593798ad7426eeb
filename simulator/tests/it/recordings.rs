use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderValue};
use serde::Deserialize;
use simulator::{Options, Simulator, Source};

use crate::client::{http, ledger, reports, with_password, with_token};
use crate::recorded::{GATEWAYS, recording, recordings, required};

/// Names with a `_` of their own; all others stand for a `/`.
const COMPOUNDS: [&str; 7] = [
    "dry_contacts",
    "dry_contact_settings",
    "gen_config",
    "gen_mode",
    "gen_schedule",
    "pel_settings",
    "device_data",
];

#[derive(Deserialize)]
struct Log {
    code: u16,
    headers: BTreeMap<String, String>,
}

/// The request path that a file was recorded from.
fn path(name: &str) -> String {
    let (name, query) = match name.rsplitn(3, '_').collect::<Vec<_>>()[..] {
        [value, key @ ("details" | "deleted"), name] => (name, format!("?{key}={value}")),
        _ => (name, String::new()),
    };
    let compound = COMPOUNDS.iter().find(|c| name.ends_with(&format!("_{c}")));
    let slashed = match compound {
        Some(c) => name.strip_suffix(c).unwrap().replace('_', "/") + c,
        None => name.replace('_', "/"),
    };
    format!("/{slashed}{query}")
}

fn bodies(directory: &Path) -> Vec<String> {
    let files = fs::read_dir(directory)
        .unwrap()
        .map(|f| f.unwrap().file_name().into_string().unwrap());
    // Two files of one recording are copies under a name that no request has.
    let other = |name: &String| {
        name.starts_with('_')
            || name.ends_with("_log.json")
            || name.ends_with("_1.json")
            || name == "ivp_ss_gen_schedule.json"
    };
    files.filter(|name| !other(name)).collect()
}

/// The published password of an installer, or else the user `envoy`.
fn user(recordings: &Path, serial: &str) -> (&'static str, String) {
    let table = fs::read_to_string(recordings.join("installer-passwords.csv")).unwrap();
    let row = table
        .lines()
        .find(|row| row.starts_with(&format!("{serial},installer,")));
    match row.and_then(|row| row.rsplit(',').next()) {
        Some(password) => ("installer", password.to_owned()),
        None => ("envoy", serial[serial.len() - 6..].to_owned()),
    }
}

/// Headers as they were logged: Latin-1 text, repeated ones joined by a comma.
fn logged(headers: &HeaderMap, name: &str) -> String {
    let latin_1 = |value: &HeaderValue| {
        value
            .as_bytes()
            .iter()
            .map(|b| char::from(*b))
            .collect::<String>()
    };
    headers
        .get_all(name)
        .iter()
        .map(latin_1)
        .collect::<Vec<_>>()
        .join(", ")
}

#[tokio::test]
async fn every_recording_answers_its_bodies_status_codes_and_headers() {
    let Some(recordings) = recordings() else {
        return;
    };
    let mut gateways = 0;
    for directory in fs::read_dir(&recordings)
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        if !directory.is_dir() {
            continue;
        }
        gateways += 1;
        let scratch = tempfile::tempdir().unwrap();
        let ledger_path = scratch.path().join("ledger");
        let options = Options {
            source: Source::Recording(directory.clone()),
            ledger: Some(ledger_path.clone()),
            ..Options::default()
        };
        let simulator = Simulator::start(options).await.unwrap();
        for name in bodies(&directory) {
            check(&simulator, &recordings, &directory, &name).await;
        }
        let list = fs::read_to_string(directory.join("api_v1_production_inverters")).unwrap();
        let shown = if list.starts_with('[') {
            reports(simulator.serial(), &list)
        } else {
            vec![]
        };
        // Connections have ended, and with them all writing, when this returns.
        simulator.stop().await;
        assert_eq!(ledger(&ledger_path), shown, "{}", directory.display());
    }
    assert!(
        gateways >= GATEWAYS || !required(),
        "only {gateways} recordings, {GATEWAYS} are expected"
    );
}

async fn check(simulator: &Simulator, recordings: &Path, directory: &Path, name: &str) {
    let place = format!("{} {name}", directory.display());
    let log = fs::read(directory.join(format!("{name}_log.json")));
    let log = log.map_or(
        Log {
            code: 200,
            headers: BTreeMap::new(),
        },
        |log| serde_json::from_slice(&log).unwrap(),
    );
    let path = path(name);
    let below_7 = simulator.url().starts_with("http://");
    let response = if !below_7 {
        with_token(simulator, &path).await
    } else if log.code == 200 && name == "api_v1_production_inverters" {
        let (user, password) = user(recordings, simulator.serial());
        with_password(simulator, &path, user, &password).await
    } else {
        http()
            .get(format!("{}{path}", simulator.url()))
            .send()
            .await
            .unwrap()
    };

    assert_eq!(response.status(), log.code, "{place}");
    for (header, value) in &log.headers {
        let header = header.to_ascii_lowercase();
        match header.as_str() {
            "content-length" | "set-cookie" => {}
            "connection" => assert_eq!(logged(response.headers(), &header), *value, "{place}"),
            "transfer-encoding" if response.headers().contains_key(CONTENT_LENGTH) => {
                assert_eq!(response.content_length(), Some(0), "{place}");
            }
            _ => assert_eq!(
                logged(response.headers(), &header),
                *value,
                "{place} {header}"
            ),
        }
    }
    let expected = fs::read(directory.join(name)).unwrap();
    assert_eq!(response.bytes().await.unwrap(), expected, "{place}");
}

#[tokio::test]
async fn a_recorded_401_is_the_answer_whatever_is_sent() {
    let Some(recording) = recording("3.9.36_bad_auth") else {
        return;
    };
    let source = Source::Recording(recording);
    let simulator = Simulator::start(Options {
        source,
        ..Options::default()
    })
    .await
    .unwrap();
    let path = "/api/v1/production/inverters";
    let plain = http()
        .get(format!("{}{path}", simulator.url()))
        .send()
        .await
        .unwrap();
    let with_token = with_token(&simulator, path).await;
    for response in [plain, with_token] {
        assert_eq!(response.status(), 401);
        assert_eq!(
            response.headers()["www-authenticate"].as_bytes(),
            b"\xd8\xc9\xc6A"
        );
    }
}

#[tokio::test]
async fn a_recording_asks_for_its_own_authentication() {
    for (name, challenged) in [("5.0.62", true), ("8.1.41", false)] {
        let Some(recording) = recording(name) else {
            continue;
        };
        let source = Source::Recording(recording);
        let simulator = Simulator::start(Options {
            source,
            ..Options::default()
        })
        .await
        .unwrap();
        let url = format!("{}/api/v1/production/inverters", simulator.url());
        let response = http().get(url).send().await.unwrap();
        assert_eq!(response.status(), 401, "{name}");
        assert_eq!(
            response.headers().contains_key("www-authenticate"),
            challenged,
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_directory_without_info_is_no_recording() {
    let directory = tempfile::tempdir().unwrap();
    let source = Source::Recording(directory.path().to_owned());
    let options = Options {
        source,
        ..Options::default()
    };
    let error = Simulator::start(options.clone()).await.unwrap_err();
    assert!(error.is_bad_input());
    assert!(
        error
            .to_string()
            .contains("its file `info` must hold <sn> and <software>"),
        "{error}"
    );

    fs::write(directory.path().join("info"), "<sn>122012345678</sn>").unwrap();
    let error = Simulator::start(options).await.unwrap_err();
    assert!(error.to_string().ends_with("(no <software>)"), "{error}");
}

#[tokio::test]
async fn a_body_without_a_log_is_a_200_and_an_unknown_path_a_404() {
    let directory = tempfile::tempdir().unwrap();
    let info = "<sn>122012345678</sn><software>D5.0.62</software>";
    fs::write(directory.path().join("info"), info).unwrap();
    let source = Source::Recording(directory.path().to_owned());
    let simulator = Simulator::start(Options {
        source,
        ..Options::default()
    })
    .await
    .unwrap();
    let get = async |path: &str| {
        http()
            .get(format!("{}{path}", simulator.url()))
            .send()
            .await
            .unwrap()
    };
    assert_eq!(get("/info").await.text().await.unwrap(), info);
    assert_eq!(get("/info.xml").await.text().await.unwrap(), info);
    let unknown = get("/home.json").await;
    assert_eq!(unknown.status(), 404);
    assert_eq!(
        unknown.headers()["content-type"],
        "application/json; charset=ISO-8859-4"
    );
    assert_eq!(
        unknown.text().await.unwrap(),
        "{ \"error\" : \"404 - Not Found\" }\n"
    );
}
