//! Puts an error of the Envoy's client into one line that names the settings to look at.

use envoy::{CloudError, Credentials, Error, Gateway, Why};

/// The error, its causes, and the settings it is about.
pub(crate) fn explain(error: &Error) -> String {
    let text = daemon::exit::with_causes(error);
    let remedy = remedy(error).unwrap_or_default();
    match settings(error) {
        Some(settings) => format!("{text}{remedy} (settings: {settings})"),
        None => text + remedy,
    }
}

/// The same of the cloud, where it was asked without an Envoy.
pub(crate) fn explain_cloud(error: &CloudError) -> String {
    let text = daemon::exit::with_causes(error);
    match cloud_settings(error) {
        Some(settings) => format!("{text} (settings: {settings})"),
        None => text,
    }
}

/// What a look has done that is more than looking. It keeps nothing, and the cloud counts logins. Where it has
/// `failed` there is something else to do first.
pub(crate) fn login_of_look(gateway: &Gateway, failed: bool) -> Option<&'static str> {
    let said = if failed {
        "this look made a login at Enlighten"
    } else {
        "this look made a login at Enlighten, since no token that the Envoy takes is kept in STATE_DIR, and so does \
         the next one: envoy-scraper keeps the token that it fetches"
    };
    gateway.asked_the_cloud().then_some(said)
}

/// Whether the next poll will fail just the same until somebody changes something.
pub(crate) fn needs_a_person(error: &Error) -> bool {
    match error {
        Error::Credentials(Credentials::NotFetched { reason, .. }) => {
            return reason.needs_a_person();
        }
        Error::Credentials(Credentials::NotFetchedYet { .. } | Credentials::NotNoted { .. }) => {
            return false;
        }
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
            | Error::OtherPinned { .. }
            | Error::Unreachable {
                why: Why::NotTrusted,
                ..
            }
    )
}

/// What our commands and files can do about it, of which the client knows nothing.
fn remedy(error: &Error) -> Option<&'static str> {
    match error {
        // By both where nothing says by which; then both addresses are named.
        Error::Unreachable {
            address,
            why: Why::Tls | Why::Refused,
            ..
        } if address.starts_with("https://") && !address.contains(" and ") => {
            Some("; firmware below 7 has no https: for that leave https:// out of its address")
        }
        Error::Credentials(Credentials::NotFetchedYet { .. }) => Some(
            "; to have one sooner: envoy-scraper token prints one, for ENVOY_TOKEN_FILE; or stop the scraper, remove \
             the file token-attempts-SERIAL (the Envoy's) from STATE_DIR and start again",
        ),
        _ => None,
    }
}

/// The client knows nothing of our settings' names.
fn settings(error: &Error) -> Option<&'static str> {
    match error {
        Error::Credentials(Credentials::Password { .. }) => Some("ENVOY_USERNAME, ENVOY_PASSWORD"),
        Error::Credentials(Credentials::NotFetched { reason, .. }) => cloud_settings(reason),
        Error::Credentials(Credentials::NotFetchedYet { .. }) => {
            Some("ENVOY_TOKEN_FILE, STATE_DIR")
        }
        Error::Pin { .. } | Error::Credentials(Credentials::NotNoted { .. }) => Some("STATE_DIR"),
        Error::Credentials(Credentials::FetchedTokenRejected { .. }) => {
            Some("ENLIGHTEN_USERNAME, ENLIGHTEN_PASSWORD, ENLIGHTEN_PASSWORD_FILE")
        }
        Error::TokenMissing { .. } | Error::Credentials(Credentials::TokenRole { .. }) => {
            Some("ENVOY_TOKEN, ENVOY_TOKEN_FILE; or ENLIGHTEN_USERNAME, ENLIGHTEN_PASSWORD")
        }
        Error::Credentials(_) => Some("ENVOY_TOKEN, ENVOY_TOKEN_FILE"),
        Error::WrongSerial { .. } => Some("ENVOY_HOST, ENVOY_SERIAL"),
        Error::CertificateChanged(_)
        | Error::Unreachable {
            why: Why::NotTrusted,
            ..
        } => Some("ENVOY_CERTIFICATE"),
        Error::OtherPinned { .. } => Some("ENVOY_SERIAL, STATE_DIR"),
        Error::Unreachable {
            why: Why::UnusableKey,
            ..
        } => None,
        Error::Unreachable { .. } | Error::NotAnEnvoy { .. } | Error::HttpsNeeded { .. } => {
            Some("ENVOY_HOST")
        }
        _ => None,
    }
}

/// Where the cloud is, if it is that which is in doubt, or else who asks it.
fn cloud_settings(error: &CloudError) -> Option<&'static str> {
    Some(match error {
        // Where Enphase's own addresses are asked nobody has set any.
        CloudError::Unreachable { host, .. } | CloudError::Unexpected { host, .. } => {
            return (!host.ends_with(".enphaseenergy.com")).then_some("ENLIGHTEN_URL, ENTREZ_URL");
        }
        CloudError::Down { .. } => return None,
        CloudError::NotYours { .. } | CloudError::OfAnother { .. } => {
            "ENVOY_SERIAL, ENLIGHTEN_USERNAME"
        }
        // It is the account that is let in no more, not its password that is wrong: a token that was got by
        // hand helps at once.
        CloudError::SecondFactor | CloudError::TooManySessions | CloudError::TurnedAway { .. } => {
            "ENVOY_TOKEN_FILE, for a token got by hand; ENLIGHTEN_USERNAME"
        }
        _ => "ENLIGHTEN_USERNAME, ENLIGHTEN_PASSWORD, ENLIGHTEN_PASSWORD_FILE",
    })
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
        let host = "https://enlighten.enphaseenergy.com".to_owned();
        let said = explain_cloud(&CloudError::Unexpected { host, status: 404 });
        assert!(!said.contains("settings"), "nobody has set it: {said}");
        let said = explain_cloud(&CloudError::BadCredentials);
        assert!(said.contains("(settings: ENLIGHTEN_USERNAME"), "{said}");
    }

    #[test]
    fn https_before_the_address_of_an_envoy_that_has_none_is_told() {
        let unreachable = |address: &str| Error::Unreachable {
            address: address.to_owned(),
            why: Why::Refused,
            source: std::io::Error::from(std::io::ErrorKind::ConnectionRefused).into(),
        };
        let said = explain(&unreachable("https://192.168.1.20"));
        assert!(said.contains("leave https:// out"), "{said}");
        let said = explain(&unreachable("https://192.168.1.20 and http://192.168.1.20"));
        assert!(!said.contains("leave https:// out"), "{said}");
    }

    #[test]
    fn an_account_that_is_let_in_no_more_names_the_setting_of_a_token_got_by_hand() {
        let said = "closed".to_owned();
        for error in [
            CloudError::SecondFactor,
            CloudError::TooManySessions,
            CloudError::TurnedAway { said },
        ] {
            let said = explain_cloud(&error);
            assert!(said.contains("(settings: ENVOY_TOKEN_FILE"), "{said}");
        }
    }

    #[test]
    fn a_token_that_is_not_fetched_yet_names_the_command_and_the_file_that_can_change_that() {
        let again_at = jiff::Timestamp::UNIX_EPOCH;
        let error = Credentials::NotFetchedYet { again_at };
        let said = explain(&error.into());
        for part in [
            "1970-01-01",
            "envoy-scraper token",
            "token-attempts-",
            "STATE_DIR",
        ] {
            assert!(said.contains(part), "{part} is not in {said}");
        }
    }
}
