//! Puts an error of the Envoy's client into one line that names the settings to look at.

use envoy::{CloudError, Credentials, Error, Gateway, Why};

/// The error, its causes, and the settings it is about.
pub(crate) fn explain(error: &Error) -> String {
    let text = daemon::exit::with_causes(error);
    match settings(error) {
        Some(settings) => format!("{text} (settings: {settings})"),
        None => text,
    }
}

/// The same of the cloud, where it was asked without an Envoy.
pub(crate) fn explain_cloud(error: &CloudError) -> String {
    let text = daemon::exit::with_causes(error);
    format!("{text} (settings: {})", cloud_settings(error))
}

/// What a look has done that is more than looking. It keeps nothing, and the cloud counts logins.
pub(crate) fn login_of_look(gateway: &Gateway) -> Option<&'static str> {
    gateway.asked_the_cloud().then_some(
        "this look made a login at Enlighten, since no token that the Envoy takes is kept in STATE_DIR, and so does \
         the next one: envoy-scraper keeps the token that it fetches",
    )
}

/// Whether the next poll will fail just the same until somebody changes something.
pub(crate) fn needs_a_person(error: &Error) -> bool {
    match error {
        Error::Credentials(Credentials::NotFetched { reason, .. }) => {
            return reason.needs_a_person();
        }
        Error::Credentials(Credentials::NotFetchedYet { .. }) => return false,
        _ => {}
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
        Error::Credentials(Credentials::NotFetched { reason, .. }) => Some(cloud_settings(reason)),
        Error::Credentials(Credentials::NotFetchedYet { .. }) => None,
        Error::Credentials(Credentials::FetchedTokenRejected { .. }) => {
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

/// Where the cloud is, if it is that which is in doubt, or else who asks it.
fn cloud_settings(error: &CloudError) -> &'static str {
    match error {
        CloudError::Unreachable { .. } | CloudError::Unexpected { .. } => {
            "ENLIGHTEN_URL, ENTREZ_URL"
        }
        CloudError::NotYours { .. } | CloudError::OfAnother { .. } => {
            "ENVOY_SERIAL, ENLIGHTEN_USERNAME"
        }
        _ => "ENLIGHTEN_USERNAME, ENLIGHTEN_PASSWORD, ENLIGHTEN_PASSWORD_FILE",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cloud_that_is_not_where_it_should_be_names_the_settings_of_its_addresses() {
        let host = "https://enlighten.example".to_owned();
        let source = std::io::Error::from(std::io::ErrorKind::ConnectionRefused).into();
        for error in [
            CloudError::Unreachable {
                host: host.clone(),
                source,
            },
            CloudError::Unexpected { host, status: 404 },
        ] {
            let said = explain_cloud(&error);
            let settings = "(settings: ENLIGHTEN_URL, ENTREZ_URL)";
            assert!(said.ends_with(settings), "{said}");
        }
        let said = explain_cloud(&CloudError::BadCredentials);
        assert!(said.contains("(settings: ENLIGHTEN_USERNAME"), "{said}");
    }
}
