//! `token`: fetches a token and prints it, or says how to get one by hand.

use std::io::Write as _;

use envoy::{Gateway, Host, Settings};
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use wire::Serial;

use crate::config::AccountSettings;
use crate::explain::{explain, explain_cloud};

/// How to get one without an account in the settings.
const BY_HAND: &str = "no account is given (ENLIGHTEN_USERNAME and ENLIGHTEN_PASSWORD, or ENLIGHTEN_PASSWORD_FILE), so \
     get a token by hand: open https://entrez.enphaseenergy.com, log in with the account of the Enphase app, choose your \
     system and the Envoy by its serial, and have a token created; put it into a file and name that in ENVOY_TOKEN_FILE";

/// For which Envoy, and with which account.
#[derive(Debug)]
pub struct Request {
    /// The account, if one is given.
    pub account: Option<AccountSettings>,
    /// The Envoy's serial, if it is given.
    pub serial: Option<Serial>,
    /// The address of the Envoy, which can be asked for its serial.
    pub host: Option<Host>,
}

/// Why no token is printed.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// There is no account to fetch one with.
    #[error("{BY_HAND}")]
    NoAccount,
    /// For which Envoy is not known.
    #[error(
        "for which Envoy? Give its serial with --envoy-serial (it is on its label), or its address with --envoy"
    )]
    NoSerial,
    /// A secret's file can't be read any more.
    #[error("the settings can't be used: {0}")]
    Settings(String),
    /// The Envoy does not say its serial.
    #[error("the Envoy does not say its serial: {0}; give it with --envoy-serial")]
    Envoy(String),
    /// The Envoy takes none.
    #[error(
        "the Envoy {serial} has firmware {firmware}, which takes no token: below firmware 7 it is read with a user and \
         a password, which follows from the serial"
    )]
    NotNeeded {
        /// Its serial.
        serial: String,
        /// Its firmware.
        firmware: String,
    },
    /// Enphase gives none.
    #[error("no token can be fetched: {0}")]
    Cloud(String),
    /// Standard output is closed.
    #[error("standard output can't be written")]
    Output(#[from] std::io::Error),
}

impl TokenError {
    /// Whether other settings would help.
    #[must_use]
    pub fn is_misuse(&self) -> bool {
        matches!(self, Self::NoAccount | Self::NoSerial)
    }
}

/// Fetches a token and prints it to standard output, and what it is to standard error.
///
/// # Errors
/// When there is none to be had.
pub async fn token(request: &Request) -> Result<(), TokenError> {
    let account = request.account.as_ref().ok_or(TokenError::NoAccount)?;
    let account = account.reveal().map_err(TokenError::Settings)?;
    let serial = serial(request).await?;
    let fetched = account
        .fetch_token(&serial)
        .await
        .map_err(|error| TokenError::Cloud(explain_cloud(&error)))?;
    let role = fetched.role.as_deref().unwrap_or("unknown");
    let expiry = fetched.expires_at.map(Timestamp::from_second);
    let expiry = match expiry {
        Some(Ok(expiry)) => format!("expires at {expiry}"),
        _ => "does not say when it expires".to_owned(),
    };
    // Where standard error is closed nobody wants to know.
    let _ = writeln!(
        std::io::stderr(),
        "a token for the Envoy {serial}, role {role}, which {expiry}:"
    );
    writeln!(std::io::stdout(), "{}", fetched.token.expose_secret())?;
    Ok(())
}

async fn serial(request: &Request) -> Result<String, TokenError> {
    match (&request.serial, &request.host) {
        (Some(serial), _) => Ok(serial.to_string()),
        (None, Some(host)) => {
            let info = Gateway::new(Settings::new(host.clone())).info().await;
            let info = info.map_err(|error| TokenError::Envoy(explain(&error)))?;
            if info.takes_tokens() {
                return Ok(info.serial);
            }
            Err(TokenError::NotNeeded {
                serial: info.serial,
                firmware: info.firmware.to_string(),
            })
        }
        (None, None) => Err(TokenError::NoSerial),
    }
}
