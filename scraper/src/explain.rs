//! Puts an error of the Envoy's client into one line that names the settings to look at.

use envoy::{Credentials, Error, Why};

/// The error, its causes, and the settings it is about.
pub(crate) fn explain(error: &Error) -> String {
    let text = daemon::exit::with_causes(error);
    match settings(error) {
        Some(settings) => format!("{text} (settings: {settings})"),
        None => text,
    }
}

/// Whether the next poll will fail just the same until somebody changes something.
pub(crate) fn needs_a_person(error: &Error) -> bool {
    if let Error::Credentials(Credentials::NotFetched { reason, .. }) = error {
        return reason.needs_a_person();
    }
    matches!(
        error,
        Error::Credentials(_)
            | Error::TokenMissing { .. }
            | Error::WrongSerial { .. }
            | Error::HttpsNeeded { .. }
            | Error::NotAnEnvoy { .. }
            | Error::CertificateChanged(_)
            | Error::Pin { .. }
            | Error::Unreachable {
                why: Why::NotTrusted,
                ..
            }
    )
}

/// The client knows nothing of our settings' names.
fn settings(error: &Error) -> Option<&'static str> {
    match error {
        Error::Credentials(Credentials::Password { .. }) => Some("ENVOY_USERNAME, ENVOY_PASSWORD"),
        Error::Credentials(Credentials::NotFetched { .. }) => {
            Some("ENLIGHTEN_USERNAME, ENLIGHTEN_PASSWORD, ENLIGHTEN_PASSWORD_FILE")
        }
        Error::TokenMissing { .. } => {
            Some("ENVOY_TOKEN, ENVOY_TOKEN_FILE; or ENLIGHTEN_USERNAME, ENLIGHTEN_PASSWORD")
        }
        Error::Credentials(_) => Some("ENVOY_TOKEN, ENVOY_TOKEN_FILE"),
        Error::WrongSerial { .. } => Some("ENVOY_HOST, ENVOY_SERIAL"),
        Error::CertificateChanged(_)
        | Error::Unreachable {
            why: Why::NotTrusted,
            ..
        } => Some("ENVOY_CERTIFICATE"),
        Error::Pin { .. } => Some("STATE_DIR"),
        Error::Unreachable { .. } | Error::NotAnEnvoy { .. } | Error::HttpsNeeded { .. } => {
            Some("ENVOY_HOST")
        }
        _ => None,
    }
}
