//! What `check` says of each step at the Envoy.

use std::fmt::Write as _;
use std::time::Duration;

use daemon::check::Taken;
use envoy::{Certificate, Error, Fault, Gateway, Host, Info, Inverters, Standing};
use jiff::Timestamp;

use crate::config::Access;
use crate::expiry::in_words;
use crate::explain::{explain, login_of_look};

/// An Envoy's clock that is further off than this is worth a word; reports carry its time.
const SOUND_CLOCK: Duration = Duration::from_mins(2);

/// Why it takes a while where it does not answer.
pub(super) const LOOKED_FOR: &str = "it is looked for by mDNS, at another address";

/// Why it takes a while.
pub(super) fn awaited(hosts: &[Host], patience: Duration) -> String {
    let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
    format!(
        "{} has not answered yet; it is given {} s for each answer, since some Envoys hang for a while",
        hosts.join(" or "),
        patience.as_secs()
    )
}

/// Where it answers, and where it did not before that.
pub(super) fn answers(address: &str, tried: &[(Host, Error)]) -> String {
    let mut text = format!("{address} answers");
    for (host, error) in tried {
        // Writing to a string does not fail.
        let _ = write!(text, "; {host} was tried before, in vain: {error}");
    }
    text
}

/// Why it can't be read at any address that was tried, and where it may be.
pub(super) fn unreached(error: &Error, tried: &[(Host, Error)], hint: Option<String>) -> String {
    let mut text = explain(error);
    for (host, error) in tried {
        let _ = write!(text, "; {host} was tried as well: {error}");
    }
    if let Some(hint) = hint {
        let _ = write!(text, "; {hint}");
    }
    text
}

/// Where something answered that was not as it should be.
pub(super) fn address(error: &Error) -> &str {
    match error {
        Error::Unreachable { address, .. }
        | Error::NotAnEnvoy { address, .. }
        | Error::WrongSerial { address, .. }
        | Error::HttpsNeeded { address }
        | Error::Pin { address, .. }
        | Error::OtherPinned { address, .. }
        | Error::Busy { address, .. } => address,
        Error::CertificateChanged(changed) => &changed.address,
        _ => "something",
    }
}

/// What the Envoy says it is.
pub(super) fn firmware(info: &Info, gateway: &Gateway) -> String {
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

/// Which one it is.
pub(super) fn serial(access: &Access, serial: &str) -> String {
    match access.serial {
        Some(_) => format!("{serial}, as configured"),
        None => format!("{serial} (none is configured, so any Envoy will do)"),
    }
}

/// What the Envoy's certificate is worth.
pub(super) fn certificate(certificate: Option<&Certificate>) -> Taken {
    let Some(certificate) = certificate else {
        let text = "none: firmware below 7 is asked by http, and sends no password in clear";
        return Taken::Skipped(text.to_owned());
    };
    let fingerprint = certificate.fingerprint.map(|shown| shown.to_string());
    let fingerprint = fingerprint.unwrap_or_default();
    Taken::Passed(match &certificate.standing {
        Standing::Pinned => format!("the pinned one, {fingerprint}"),
        Standing::First => {
            format!("{fingerprint}; none is pinned yet, so the scraper will pin this one")
        }
        Standing::Changed(before) => format!(
            "{fingerprint}, not {before} as before: firmware updates bring a new one, which the scraper \
             will pin; if there was none, look who answers at this address"
        ),
        Standing::Lost(lost) => format!(
            "{fingerprint}; which one was pinned can't be told from {} ({lost}), and the scraper will pin this one in \
             its place; {}",
            lost.path().display(),
            lost.remedy()
        ),
        Standing::Gone(before) => format!(
            "none, but {before} is pinned: no firmware update goes back to http, so look who answers at this address; \
             if it is an older Envoy in the place of another, all is well"
        ),
        Standing::Verified => "a CA of this system stands for it".to_owned(),
        Standing::Unchecked => format!("{fingerprint}, not checked (setting: ENVOY_CERTIFICATE)"),
    })
}

/// Who was let in, and for how long.
pub(super) fn login(gateway: &Gateway) -> String {
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
        (true, false) => "; the account renews it before that",
        (true, true) => {
            "; the account has not renewed it yet, which the scraper tries again and again: its log says why it fails, \
             and envoy-scraper token tries it now"
        }
        (false, true) => {
            "; get a new one before that, or give an account that does (settings: ENLIGHTEN_USERNAME, ENLIGHTEN_PASSWORD)"
        }
        (false, false) => "",
    };
    let left = in_words(left);
    let login = also(login_of_look(gateway, false));
    format!("the token is accepted; it expires in {left}, at {expiry}{next}{login}")
}

/// Who was let in, where the inverters were asked for and did not come.
pub(super) fn login_of(error: &Error, gateway: &Gateway) -> Taken {
    match error {
        // An answer that is one, but of no use.
        Error::BadAnswer {
            fault: Fault::Malformed(_) | Fault::TooLong(_),
            ..
        } => Taken::Passed(login(gateway)),
        _ => Taken::Skipped("not known, since no answer came that would tell".to_owned()),
    }
}

/// Why nobody was let in, or nothing could be read after that.
pub(super) fn not_read(error: &Error, gateway: &Gateway) -> String {
    explain(error) + &also(login_of_look(gateway, true))
}

fn also(said: Option<&str>) -> String {
    said.map(|said| format!("; {said}")).unwrap_or_default()
}

/// What the list of inverters has.
pub(super) fn inverters(answer: &Inverters) -> Taken {
    let newest = answer.reports.iter().map(|report| report.reported_at).max();
    let newest = newest.and_then(|seconds| Timestamp::from_second(seconds).ok());
    let Some(newest) = newest else {
        let text = "none has reported: an Envoy that was just installed or started lists none for a \
                    while, at night until morning";
        return Taken::Skipped(text.to_owned());
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
    Taken::Passed(parts.join("; "))
}
