//! `check`: tries what the scraper needs, one step after the other, and publishes no reading.

use std::io::Write;
use std::time::Duration;

use daemon::check::broker::{self, Caller};
use daemon::check::{Report, Taken, resolve};
use envoy::{Certificate, Error, Gateway, Host, Info, Inverters, Standing, StateFiles, Why};
use jiff::Timestamp;
use wire::{Serial, Topic};

use crate::config::{Access, Config};
use crate::expiry::in_words;
use crate::explain::explain;
use crate::journal::remembered_serial;
use crate::reach::Unreached;

const FOUND: &str = "found";
const NAME: &str = "name";
const REACHABLE: &str = "reachable";
const ENVOY: &str = "is Envoy";
const SERIAL: &str = "serial";
const CERTIFICATE: &str = "certificate";
const LOGIN: &str = "login";
const INVERTERS: &str = "inverters";

/// An Envoy's clock that is further off than this is worth a word; reports carry its time.
const SOUND_CLOCK: Duration = Duration::from_mins(2);

/// Takes every step, to the Envoy and to the broker.
///
/// # Errors
/// When the settings can't be used at all; the message says why.
pub async fn check<W: Write>(config: &Config, report: &mut Report<W>) -> Result<(), String> {
    report.begin("Envoy");
    let envoy = check_envoy(config, report).await?;
    report.begin("broker");
    // Its account, its client id and its topics are all named after the Envoy.
    let caller = envoy.map(|envoy| Caller {
        client_id: crate::client_id(&envoy),
        username: envoy.to_string(),
        account_command: format!("mosquitto/account scraper {envoy} --keep-password"),
        topic: Topic::EnvoyCheck { envoy },
    });
    if let Some(passed) = broker::check(report, &config.broker, caller.as_ref()).await? {
        passed.close().await;
    }
    Ok(())
}

/// The Envoy's serial: as it says it, or as it is configured where it says nothing.
async fn check_envoy<W: Write>(
    config: &Config,
    report: &mut Report<W>,
) -> Result<Option<Serial>, String> {
    let access = &config.access;
    let Some(host) = find(config, report).await else {
        return Ok(access.serial.clone());
    };
    let files = StateFiles::as_found_in(&config.state_dir);
    let mut gateway = access.gateway(host.clone(), files)?;
    let name = resolve(&host.name()).await;
    let awaited = format!(
        "{} has not answered yet; it is given {} s for each answer, since some Envoys hang for a while",
        host,
        gateway.read_timeout().as_secs()
    );
    let info = report.patiently(ENVOY, &awaited, gateway.info()).await;
    let answers = match &info {
        Ok(_) => gateway.address().unwrap_or_default(),
        Err(error) => address(error).to_owned(),
    };
    let before = |firmware: String, serial: &str| {
        [
            (NAME, name.unwrap_or_default()),
            (REACHABLE, format!("{answers} answers")),
            (ENVOY, firmware),
            (SERIAL, describe_serial(access, serial)),
        ]
        .map(|(step, text)| (step, Taken::Passed(text)))
        .to_vec()
    };
    let info = match info {
        Ok(info) => {
            report.attempt(before(describe(&info, &gateway), &info.serial), None);
            say_certificate(report, gateway.certificate());
            info
        }
        Err(error) => {
            let serial = match &error {
                Error::CertificateChanged(changed) => &changed.serial,
                Error::Pin { serial, .. } => serial,
                _ => "",
            };
            let mut steps = before("it is one".to_owned(), serial);
            // Where CAs decide, they do so before it says anything.
            let place = if is_untrusted(&error) { 2 } else { steps.len() };
            steps.insert(place, (CERTIFICATE, Taken::Passed(String::new())));
            report.attempt(steps, Some((step(&error), explain(&error))));
            for behind in [LOGIN, INVERTERS] {
                report.skipped(behind, "not tried");
            }
            return Ok(match error {
                // The account of that serial is not the one to look at.
                Error::WrongSerial { .. } => None,
                _ => access.serial.clone(),
            });
        }
    };
    let answer = report.patiently(INVERTERS, &awaited, gateway.inverters());
    match answer.await {
        Ok(answer) => {
            report.passed(LOGIN, describe_login(&gateway));
            say_inverters(report, &answer);
        }
        Err(error) => {
            let steps = [
                (LOGIN, describe_login(&gateway)),
                (INVERTERS, String::new()),
            ];
            let steps = steps.map(|(step, text)| (step, Taken::Passed(text)));
            let failed = match error {
                Error::BadAnswer { .. } | Error::Busy { .. } | Error::Unreachable { .. } => {
                    INVERTERS
                }
                _ => LOGIN,
            };
            report.attempt(steps.into(), Some((failed, explain(&error))));
        }
    }
    Ok(info.serial.parse().ok())
}

/// Where the Envoy is: as configured, or as found.
async fn find<W: Write>(config: &Config, report: &mut Report<W>) -> Option<Host> {
    let access = &config.access;
    if let Some(host) = &access.host {
        return Some(host.clone());
    }
    let known = remembered_serial(&config.state_dir);
    let wanted = access.serial.as_ref().or(known.as_ref());
    let wanted = wanted.map(AsRef::as_ref);
    let error = match access.browser.find(wanted).await {
        Ok(found) => {
            let address = found.address().unwrap_or_default();
            let serial = &found.serial;
            let text = format!("by mDNS the Envoy {serial} is at {address}");
            match address.parse() {
                Ok(host) => {
                    report.passed(FOUND, text);
                    return Some(host);
                }
                Err(error) => format!("{text}: {error}"),
            }
        }
        Err(error) => Unreached::from(error).explain(),
    };
    report.failed(FOUND, error);
    let behind = [
        NAME,
        REACHABLE,
        ENVOY,
        SERIAL,
        CERTIFICATE,
        LOGIN,
        INVERTERS,
    ];
    for step in behind {
        report.skipped(step, format!("not tried, because of the step '{FOUND}'"));
    }
    None
}

/// Where something answered that was not as it should be.
fn address(error: &Error) -> &str {
    match error {
        Error::Unreachable { address, .. }
        | Error::NotAnEnvoy { address, .. }
        | Error::WrongSerial { address, .. }
        | Error::HttpsNeeded { address }
        | Error::Pin { address, .. }
        | Error::Busy { address, .. } => address,
        Error::CertificateChanged(changed) => &changed.address,
        _ => "something",
    }
}

/// The step that asking the Envoy who it is failed at.
fn step(error: &Error) -> &'static str {
    match error {
        Error::Unreachable { why: Why::Name, .. } => NAME,
        Error::CertificateChanged(_) | Error::Pin { .. } => CERTIFICATE,
        error if is_untrusted(error) => CERTIFICATE,
        Error::Unreachable { .. } => REACHABLE,
        Error::WrongSerial { .. } => SERIAL,
        _ => ENVOY,
    }
}

/// Whether no CA stands for what was shown in the handshake.
fn is_untrusted(error: &Error) -> bool {
    matches!(
        error,
        Error::Unreachable {
            why: Why::NotTrusted,
            ..
        }
    )
}

fn describe(info: &Info, gateway: &Gateway) -> String {
    let part = info.part_number.as_deref();
    let part = part
        .map(|part| format!(", part {part}"))
        .unwrap_or_default();
    let clock = match gateway.clock_skew() {
        Some(skew) if skew.unsigned_abs() > SOUND_CLOCK.as_secs() => {
            format!("; its clock is {skew} s from ours, and readings carry its time")
        }
        _ => String::new(),
    };
    format!("firmware {}{part}{clock}", info.firmware)
}

fn describe_serial(access: &Access, serial: &str) -> String {
    match access.serial {
        Some(_) => format!("{serial}, as configured"),
        None => format!("{serial} (none is configured, so any Envoy will do)"),
    }
}

fn say_certificate<W: Write>(report: &mut Report<W>, certificate: Option<&Certificate>) {
    let Some(certificate) = certificate else {
        let text = "none: firmware below 7 is asked by http, and sends no password in clear";
        return report.skipped(CERTIFICATE, text);
    };
    let fingerprint = certificate.fingerprint.map(|shown| shown.to_string());
    let fingerprint = fingerprint.unwrap_or_default();
    let text = match certificate.standing {
        Standing::Pinned => format!("the pinned one, {fingerprint}"),
        Standing::First => {
            format!("{fingerprint}; none is pinned yet, so the scraper will pin this one")
        }
        Standing::Changed(before) => format!(
            "{fingerprint}, not {before} as before: firmware updates bring a new one, which the scraper \
             will pin; if there was none, look who answers at this address"
        ),
        Standing::Verified => "a CA of this system stands for it".to_owned(),
        Standing::Unchecked => format!("{fingerprint}, not checked (setting: ENVOY_CERTIFICATE)"),
    };
    report.passed(CERTIFICATE, text);
}

fn describe_login(gateway: &Gateway) -> String {
    let Some(expires_at) = gateway.token_expires_at() else {
        return "accepted".to_owned();
    };
    let Ok(expiry) = Timestamp::from_second(expires_at) else {
        return "the token is accepted".to_owned();
    };
    let left = expiry - gateway.clock().now();
    let is_near = gateway
        .token_is_due_ahead()
        .is_some_and(|ahead| left <= ahead);
    let next = match (gateway.token_renews(), is_near) {
        (true, _) => "; it is renewed by itself before that",
        (false, true) => {
            "; get a new one before that, or give an account that does (settings: ENLIGHTEN_USERNAME, ENLIGHTEN_PASSWORD)"
        }
        (false, false) => "",
    };
    let left = in_words(left);
    format!("the token is accepted; it expires in {left}, at {expiry}{next}")
}

fn say_inverters<W: Write>(report: &mut Report<W>, answer: &Inverters) {
    let newest = answer.reports.iter().map(|report| report.reported_at).max();
    let newest = newest.and_then(|seconds| Timestamp::from_second(seconds).ok());
    let Some(newest) = newest else {
        let text = "none has reported: an Envoy that was just installed or started lists none for a \
                    while, at night until morning";
        return report.skipped(INVERTERS, text);
    };
    let mut parts = vec![format!(
        "{} have reported, the last one at {newest}",
        answer.reports.len()
    )];
    if answer.never_reported > 0 {
        parts.push(format!(
            "{} are listed that never did",
            answer.never_reported
        ));
    }
    if !answer.refused.is_empty() {
        parts.push(format!("{} rows can't be read", answer.refused.len()));
    }
    report.passed(INVERTERS, parts.join("; "));
}
