//! `check`: tries what the scraper needs, one step after the other, and publishes no reading.

mod place;
mod words;

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;

use daemon::check::broker::{self, Caller, Passed};
use daemon::check::{Report, Taken, resolve};
use daemon::exit::with_causes;
use daemon::state_dir;
use envoy::{Error, StateFiles, Why};
use wire::{Serial, Topic};

use crate::config::Config;
use crate::home_assistant::{self, Topics};

const STATE: &str = "state";
const FOUND: &str = "found";
const NAME: &str = "name";
const REACHABLE: &str = "reachable";
const ENVOY: &str = "is Envoy";
const SERIAL: &str = "serial";
const CERTIFICATE: &str = "certificate";
const LOGIN: &str = "login";
const INVERTERS: &str = "inverters";
const HOME_ASSISTANT: &str = "Home Assistant";

/// Takes every step, to the Envoy and to the broker.
///
/// # Errors
/// When the settings can't be used at all; the message says why.
pub async fn check<W: Write>(config: &Config, report: &mut Report<W>) -> Result<(), String> {
    report.begin("Envoy");
    let envoy = check_envoy(config, report).await?;
    report.begin("journal");
    check_state(&config.state_dir, report);
    report.begin("broker");
    // Its account, its client id and its topics are all named after the Envoy.
    let announcing = envoy.clone().filter(|_| config.presentation.announces);
    let caller = envoy.map(|envoy| Caller {
        client_id: crate::serving::client_id(&envoy),
        username: envoy.to_string(),
        account_command: format!("mosquitto/account scraper {envoy} --keep-password"),
        topic: Topic::EnvoyCheck { envoy },
    });
    if let Some(mut passed) = broker::check(report, &config.broker, caller.as_ref()).await? {
        if let Some(envoy) = announcing {
            check_announcing(config, envoy, &mut passed, report).await;
        }
        passed.close().await;
    }
    Ok(())
}

/// Whether the account may tell Home Assistant of devices. Rules for topics often forget that, and Mosquitto
/// acknowledges what they forbid: no device would ever appear, and nothing would say why.
async fn check_announcing<W: Write>(
    config: &Config,
    envoy: Serial,
    passed: &mut Passed,
    report: &mut Report<W>,
) {
    let prefix = &config.presentation.prefix;
    let mut command = format!("mosquitto/account scraper {envoy} --keep-password");
    if prefix.to_string() != home_assistant::PREFIX {
        let _ = write!(command, " --home-assistant-prefix {prefix}");
    }
    let topics = Topics::new(config.broker.topic.clone(), envoy, prefix.clone());
    let topic = topics.check();
    let remedy = format!(
        "give its account the rights with: {command}, and have the broker read its accounts again; or set \
         HOME_ASSISTANT=false, if there is no Home Assistant"
    );
    let awaited = format!("what was published on {topic} has not come back yet");
    let echo = broker::comes_back(passed, &topic, &remedy);
    match report.patiently(HOME_ASSISTANT, &awaited, echo).await {
        Ok(text) => report.passed(HOME_ASSISTANT, text),
        Err(problem) => report.failed(HOME_ASSISTANT, problem),
    }
}

/// Whether a file can be made where the journal is, or would be.
fn check_state<W: Write>(directory: &Path, report: &mut Report<W>) {
    let shown = directory.display();
    match state_dir::try_out(directory) {
        Ok(()) => report.passed(STATE, format!("files can be made in {shown}")),
        Err(error) => report.failed(
            STATE,
            format!(
                "no file can be made in {shown} ({}): readings would wait in memory alone, and the Envoy's \
                 certificate would be a new one at each start; make it writable for the scraper's user, and run \
                 this check as that user (settings: STATE_DIR)",
                with_causes(&error)
            ),
        ),
    }
}

/// The Envoy's serial: as it says it, or as it is configured where it says nothing.
async fn check_envoy<W: Write>(
    config: &Config,
    report: &mut Report<W>,
) -> Result<Option<Serial>, String> {
    let access = &config.access;
    let Some(hosts) = place::find(config, report).await else {
        return Ok(access.serial.clone());
    };
    let files = StateFiles::as_found_in(&config.state_dir);
    let mut gateway = access.gateway(hosts[0].clone(), files)?;
    let name = resolve(&hosts[0].name()).await;
    let awaited = words::awaited(&hosts, gateway.read_timeout());
    let asked = place::ask(&mut gateway, &hosts);
    let (info, tried) = report.patiently(ENVOY, &awaited, asked).await;
    let answers = match &info {
        Ok(_) => gateway.address().unwrap_or_default(),
        Err(error) => words::address(error).to_owned(),
    };
    let before = |answers: String, firmware: String, serial: &str| {
        [
            (NAME, name.unwrap_or_default()),
            (REACHABLE, answers),
            (ENVOY, firmware),
            (SERIAL, words::serial(access, serial)),
        ]
        .map(|(step, text)| (step, Taken::Passed(text)))
        .to_vec()
    };
    let info = match info {
        Ok(info) => {
            let firmware = words::firmware(&info, &gateway);
            let answers = words::answers(&answers, &tried);
            report.attempt(before(answers, firmware, &info.serial), None);
            match words::certificate(gateway.certificate()) {
                Taken::Passed(text) => report.passed(CERTIFICATE, text),
                Taken::Skipped(text) => report.skipped(CERTIFICATE, text),
            }
            info
        }
        Err(error) => {
            let serial = match &error {
                Error::CertificateChanged(changed) => &changed.serial,
                Error::Pin { serial, .. } => serial,
                _ => "",
            };
            let mut steps = before(
                words::answers(&answers, &[]),
                "it is one".to_owned(),
                serial,
            );
            // Where CAs decide, they do so before it says anything.
            let place = if is_untrusted(&error) { 2 } else { steps.len() };
            steps.insert(place, (CERTIFICATE, Taken::Passed(String::new())));
            let hint = place::hint(config, &error);
            let hint = report.patiently(FOUND, words::LOOKED_FOR, hint).await;
            let said = words::unreached(&error, &tried, hint);
            report.attempt(steps, Some((step(&error), said)));
            for behind in [LOGIN, INVERTERS] {
                report.skipped(behind, "not tried");
            }
            return Ok(match error {
                // The account of that serial is not the one to look at.
                Error::WrongSerial { .. } | Error::OtherPinned { .. } => None,
                _ => access.serial.clone(),
            });
        }
    };
    let answer = report.patiently(INVERTERS, &awaited, gateway.inverters());
    match answer.await {
        Ok(answer) => {
            report.passed(LOGIN, words::login(&gateway));
            match words::inverters(&answer) {
                Taken::Passed(text) => report.passed(INVERTERS, text),
                Taken::Skipped(text) => report.skipped(INVERTERS, text),
            }
        }
        Err(error) => {
            let steps = [
                (LOGIN, words::login_of(&error, &gateway)),
                (INVERTERS, Taken::Passed(String::new())),
            ];
            let failed = match error {
                Error::BadAnswer { .. } | Error::Busy { .. } | Error::Unreachable { .. } => {
                    INVERTERS
                }
                _ => LOGIN,
            };
            let said = words::not_read(&error, &gateway);
            report.attempt(steps.into(), Some((failed, said)));
        }
    }
    Ok(info.serial.parse().ok())
}

/// The step that asking the Envoy who it is failed at.
fn step(error: &Error) -> &'static str {
    match error {
        Error::Unreachable { why: Why::Name, .. } => NAME,
        Error::CertificateChanged(_) | Error::Pin { .. } => CERTIFICATE,
        error if is_untrusted(error) => CERTIFICATE,
        Error::Unreachable { .. } => REACHABLE,
        Error::WrongSerial { .. } | Error::OtherPinned { .. } => SERIAL,
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
