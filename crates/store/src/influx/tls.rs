//! Which certificates are trusted.

use rustls::ClientConfig;
use trust::{Authorities, OutOfDate};

use super::settings::{Settings, SettingsError};

/// TLS for the address in `settings`, with the CAs of its file, or else the system's; and those of the
/// file that are not trusted today.
pub(super) fn config(settings: &Settings) -> Result<(ClientConfig, Vec<OutOfDate>), SettingsError> {
    let authorities = match (&settings.ca_file, settings.url.scheme() == "https") {
        (Some(_), false) => {
            return Err(SettingsError::CaFileWithoutTls {
                url: settings.url.to_string(),
            });
        }
        (Some(path), true) => {
            Authorities::in_file(path).map_err(|wrong| SettingsError::CaFile {
                path: path.clone(),
                wrong,
            })?
        }
        (None, true) => Authorities::of_system().map_err(SettingsError::NoAuthorities)?,
        (None, false) => Authorities::none(),
    };
    let out_of_date = authorities.out_of_date();
    Ok((
        authorities.client_config().with_no_client_auth(),
        out_of_date,
    ))
}
