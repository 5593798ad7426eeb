//! The files for TLS with the broker, read and checked together with all other settings.

use std::fmt::Display;
use std::path::PathBuf;

use mqtt::{Authorities, BrokerUrl, Certificates, PrivateKey, Tls, TlsError};

use super::{CA_FILE, CERT_FILE, KEY_FILE};
use crate::settings::{Key, Settings, readable_file};

/// What TLS needs; nothing within for an address without TLS. `None` when a mistake was noted.
#[expect(
    clippy::option_option,
    reason = "as all readers of settings: the outer one is a mistake"
)]
pub(super) fn read(settings: &mut Settings, url: Option<&BrokerUrl>) -> Option<Option<Tls>> {
    // Each file is looked at, whatever is wrong with the others.
    let authorities = settings.optional(&CA_FILE, |path| within(path, Authorities::in_file));
    for ca in authorities.iter().flat_map(Authorities::out_of_date) {
        settings.remark(
            &CA_FILE,
            format!("{ca} and is not trusted; {}", ca.remedy()),
        );
    }
    let certificates = settings.optional(&CERT_FILE, |path| within(path, Certificates::in_file));
    let key = settings.optional(&KEY_FILE, |path| within(path, PrivateKey::in_file));
    let with_certificate = both_or_neither(settings)?;
    let url = url?;
    if !url.is_tls() {
        return without_tls(settings, url).then_some(None);
    }
    let authorities = if settings.is_set(&CA_FILE) {
        authorities?
    } else {
        or_reject(
            settings,
            &CA_FILE,
            Authorities::of_system().map_err(TlsError::from),
        )?
    };
    let tls = if with_certificate {
        Tls::with_certificate(authorities, certificates?, key?)
    } else {
        Ok(Tls::new(authorities))
    };
    or_reject(settings, &KEY_FILE, tls).map(Some)
}

/// What a file holds; whether it is one at all is said as of every file that a setting names.
fn within<T, E: Display>(
    path: &str,
    read: impl FnOnce(PathBuf) -> Result<T, E>,
) -> Result<T, String> {
    read(readable_file(path)?).map_err(|error| error.to_string())
}

/// Whether we have a certificate to show. `None` when one of its two files is missing.
fn both_or_neither(settings: &mut Settings) -> Option<bool> {
    let (lone, missing) = match (settings.is_set(&CERT_FILE), settings.is_set(&KEY_FILE)) {
        (true, true) => return Some(true),
        (false, false) => return Some(false),
        (true, false) => (CERT_FILE, KEY_FILE),
        (false, true) => (KEY_FILE, CERT_FILE),
    };
    settings.reject(
        &lone,
        format!(
            "set without {}; a certificate and its key go together, set both or neither",
            missing.env
        ),
    );
    None
}

/// Whether no file is given that an address without TLS has no use for.
fn without_tls(settings: &mut Settings, url: &BrokerUrl) -> bool {
    let mut is_sound = true;
    for (key, what) in [
        (CA_FILE, "CA"),
        (CERT_FILE, "certificate"),
        (KEY_FILE, "key"),
    ] {
        if settings.is_set(&key) {
            settings.reject(
                &key,
                format!("{url} is not encrypted; write mqtts:// or leave the {what} out"),
            );
            is_sound = false;
        }
    }
    is_sound
}

fn or_reject<T>(settings: &mut Settings, key: &Key, outcome: Result<T, TlsError>) -> Option<T> {
    outcome
        .map_err(|error| settings.reject(key, error.to_string()))
        .ok()
}

#[cfg(test)]
mod tests;
