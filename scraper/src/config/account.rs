//! The account with which tokens are fetched.

use daemon::settings::{Key, Secret, Settings, text};
use envoy::Account;
use url::{Host, Url};

/// Whose account it is.
pub const ENLIGHTEN_USERNAME: Key = Key::new("enlighten.username", "ENLIGHTEN_USERNAME")
    .flag("enlighten-username", "EMAIL")
    .example("you@example.com")
    .help("firmware 7 and later: the e-mail address of the Enphase app, to fetch and renew the token by itself");

/// The account's password.
pub const ENLIGHTEN_PASSWORD: Key = Key::new("enlighten.password", "ENLIGHTEN_PASSWORD")
    .secret()
    .help("the password of the Enphase app");

/// Where the account logs in.
pub const ENLIGHTEN_URL: Key = Key::new("enlighten.url", "ENLIGHTEN_URL")
    .flag("enlighten-url", "URL")
    .default("https://enlighten.enphaseenergy.com")
    .help("where that account logs in");

/// Where tokens are made.
pub const ENTREZ_URL: Key = Key::new("enlighten.entrez_url", "ENTREZ_URL")
    .flag("entrez-url", "URL")
    .default("https://entrez.enphaseenergy.com")
    .help("where tokens are made");

/// The keys about the account.
pub const ACCOUNT_KEYS: [Key; 4] = [
    ENLIGHTEN_USERNAME,
    ENLIGHTEN_PASSWORD,
    ENLIGHTEN_URL,
    ENTREZ_URL,
];

/// An account at Enphase, and where its cloud is.
#[derive(Clone, Debug)]
pub struct AccountSettings {
    username: String,
    password: Secret,
    enlighten: Url,
    entrez: Url,
}

impl AccountSettings {
    /// Reads the section. Nothing where no account is given, or only half of one, which is noted.
    pub(super) fn read(settings: &mut Settings) -> Option<Self> {
        let enlighten = settings.required(&ENLIGHTEN_URL, cloud);
        let entrez = settings.required(&ENTREZ_URL, cloud);
        for (key, url) in [(&ENLIGHTEN_URL, &enlighten), (&ENTREZ_URL, &entrez)] {
            if url.as_ref().is_some_and(|url| url.scheme() == "http") {
                settings.remark(
                    key,
                    "is http, without TLS, as only a simulated cloud on this machine has it; leave the setting out for \
                     Enphase's own",
                );
            }
        }
        let is_named = settings.is_set(&ENLIGHTEN_USERNAME);
        let is_proven = settings.is_set(&ENLIGHTEN_PASSWORD);
        let username = settings.optional(&ENLIGHTEN_USERNAME, text);
        let password = settings.secret(&ENLIGHTEN_PASSWORD);
        match (is_named, is_proven) {
            (false, false) => return None,
            (false, true) => settings.reject(
                &ENLIGHTEN_USERNAME,
                "missing: the e-mail address that goes with the password",
            ),
            (true, false) => settings.reject(
                &ENLIGHTEN_PASSWORD,
                "missing: the password that goes with the user name (or ENLIGHTEN_PASSWORD_FILE, its file)",
            ),
            (true, true) => {}
        }
        Some(Self {
            username: username?,
            password: password?,
            enlighten: enlighten?,
            entrez: entrez?,
        })
    }

    /// The account itself.
    ///
    /// # Errors
    /// When the password's file can't be read any more; the message names it.
    pub(crate) fn reveal(&self) -> Result<Account, String> {
        Ok(Account {
            username: self.username.clone(),
            password: self.password.reveal()?,
            enlighten: self.enlighten.clone(),
            entrez: self.entrez.clone(),
        })
    }
}

/// An address of the cloud. A password never crosses a network in clear.
fn cloud(text: &str) -> Result<Url, &'static str> {
    let wrong = "is no address of Enphase's cloud; write it with https:// and its host, or leave the setting out";
    let url: Url = text.parse().map_err(|_| wrong)?;
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return Err(wrong),
    };
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        return Err(wrong);
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_here => Ok(url),
        "http" => Err("is http, which would send the password in clear; write https://"),
        _ => Err(wrong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cloud_is_asked_by_https_unless_it_is_simulated_on_this_machine() {
        for text in [
            "https://enlighten.enphaseenergy.com",
            "https://proxy.example/enphase/",
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
            "http://localhost:8080",
        ] {
            assert!(cloud(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "enlighten.enphaseenergy.com",
            "http://enlighten.enphaseenergy.com",
            "ftp://127.0.0.1",
            "https://me:secret@enlighten.enphaseenergy.com",
            "https://enlighten.enphaseenergy.com/?a=b",
        ] {
            assert!(cloud(text).is_err(), "{text}");
        }
    }
}
