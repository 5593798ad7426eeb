//! Puts a reason of the session into one line that names the settings to look at: the session knows
//! nothing of their names.

use mqtt::Reason;

use super::{CA_FILE, CERT_FILE, KEY_FILE, PASSWORD, URL, USERNAME};
use crate::settings::Key;

/// The reason, and the settings that it is about.
#[must_use]
pub fn explain(reason: &Reason) -> String {
    let keys = keys(reason);
    if keys.is_empty() {
        return reason.to_string();
    }
    let names: Vec<&str> = keys.iter().map(|key| key.env).collect();
    format!("{reason} (settings: {})", names.join(", "))
}

fn keys(reason: &Reason) -> &'static [Key] {
    match reason {
        Reason::NameNotFound { .. }
        | Reason::Refused { .. }
        | Reason::Unreachable { .. }
        | Reason::NoAnswer { .. }
        | Reason::ClosedBeforeAnswer { .. }
        | Reason::NotTls { .. }
        | Reason::NotMqtt { .. } => &[URL],
        Reason::WrongName { .. } | Reason::Tls { .. } => &[URL, CA_FILE],
        Reason::UnknownCa { .. } | Reason::CaOutOfDate { .. } => &[CA_FILE],
        Reason::CertificateWanted { .. } | Reason::CertificateRefused { .. } => {
            &[CERT_FILE, KEY_FILE]
        }
        Reason::Credentials { .. } | Reason::NotAuthorised { .. } => &[USERNAME, PASSWORD],
        // The remedy of the others is not among our settings.
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_names_the_settings_to_look_at() {
        let unknown = Reason::UnknownCa {
            host: "broker".into(),
        };
        assert!(explain(&unknown).ends_with("(settings: MQTT_CA_FILE)"));
        assert_eq!(explain(&Reason::Closed), Reason::Closed.to_string());
    }
}
