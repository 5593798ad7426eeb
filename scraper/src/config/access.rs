//! Which Envoy is read, and who is asking.

use std::time::Duration;

use daemon::settings::{Key, Secret, Settings, duration, number, text};
use discovery::Browser;
use envoy::{CertificatePolicy, Clock, Gateway, Host, StateFiles, TokenSource};
use wire::Serial;

use super::account::{
    AccountSettings, ENLIGHTEN_PASSWORD, ENLIGHTEN_URL, ENLIGHTEN_USERNAME, ENTREZ_URL,
};

/// Where the Envoy is.
pub const HOST: Key = Key::new("envoy.host", "ENVOY_HOST")
    .flag("envoy", "ADDRESS")
    .example("192.168.1.20")
    .help("the Envoy: a host, host:port or URL in the home network; found by mDNS when unset");

/// Which Envoy it must be.
pub const SERIAL: Key = Key::new("envoy.serial", "ENVOY_SERIAL")
    .flag("envoy-serial", "SERIAL")
    .example("122012345678")
    .help("the Envoy's serial number; read from the Envoy when unset");

/// The user of firmware below 7.
pub const USERNAME: Key = Key::new("envoy.username", "ENVOY_USERNAME")
    .flag("envoy-username", "NAME")
    .example("installer")
    .help("firmware below 7: the user; installer, then envoy when unset");

/// The user's password.
pub const PASSWORD: Key = Key::new("envoy.password", "ENVOY_PASSWORD")
    .secret()
    .help("firmware below 7: the user's password; computed from the serial when unset");

/// The token of firmware 7 and later.
pub const TOKEN: Key = Key::new("envoy.token", "ENVOY_TOKEN")
    .secret()
    .example("eyJ...")
    .help("firmware 7 and later: an access token for this Envoy");

/// Which certificates of firmware 7 and later are accepted.
pub const CERTIFICATE: Key = Key::new("envoy.certificate", "ENVOY_CERTIFICATE")
    .flag("envoy-certificate", "POLICY")
    .default("accept-new")
    .help("firmware 7 and later, the certificate: accept-new, pinned, pinned:FINGERPRINT, system or insecure");

/// Where people find a serial number.
const WHERE: &str = "it is on the Envoy's label and in the Enphase app";

/// How long the Envoy may take for a connection, and for an answer; tests shorten it.
pub const TESTING_ENVOY_TIMEOUT: Key = Key::file_only("testing.envoy_timeout");

/// The port at which Envoys are asked for by mDNS; tests choose one where they are alone.
pub const TESTING_MDNS_PORT: Key = Key::file_only("testing.mdns_port");

/// The keys about the Envoy: all that is needed to read it.
pub const ENVOY_KEYS: [Key; 12] = [
    HOST,
    SERIAL,
    USERNAME,
    PASSWORD,
    TOKEN,
    ENLIGHTEN_USERNAME,
    ENLIGHTEN_PASSWORD,
    ENLIGHTEN_URL,
    ENTREZ_URL,
    CERTIFICATE,
    TESTING_ENVOY_TIMEOUT,
    TESTING_MDNS_PORT,
];

/// Which Envoy to read, and how to log in to it.
#[derive(Clone, Debug)]
pub struct Access {
    /// Its address; without one it is looked for.
    pub host: Option<Host>,
    /// Its serial, when only that one will do.
    pub serial: Option<Serial>,
    /// The user of firmware below 7.
    pub username: Option<String>,
    /// The user's password.
    pub password: Option<Secret>,
    /// The token of firmware 7 and later.
    pub token: Option<Secret>,
    /// The account that fetches one, where none is given.
    pub account: Option<AccountSettings>,
    /// Which certificates are accepted.
    pub certificate: CertificatePolicy,
    /// What it may take to connect, and to answer; the client's own limits when unset.
    pub timeout: Option<Duration>,
    /// Who looks for it.
    pub browser: Browser,
    /// What time it is.
    pub clock: Clock,
}

impl Access {
    /// Reads the section.
    pub fn read(settings: &mut Settings) -> Option<Self> {
        let host = settings.optional(&HOST, str::parse);
        let serial = serial(settings);
        let username = settings.optional(&USERNAME, text);
        let password = settings.secret(&PASSWORD);
        let token = settings.checked_secret(&TOKEN, envoy::check_token);
        let account = AccountSettings::read(settings);
        if settings.is_set(&TOKEN) && settings.is_set(&ENLIGHTEN_USERNAME) {
            settings.remark(
                &ENLIGHTEN_USERNAME,
                "not used, since ENVOY_TOKEN goes before it, which nobody renews; leave one of them out",
            );
        }
        let certificate = settings.required(&CERTIFICATE, str::parse);
        if certificate == Some(CertificatePolicy::Insecure) {
            settings.remark(
                &CERTIFICATE,
                "insecure lets whoever takes the Envoy's address have the token; accept-new shows a new certificate, \
                 pinned refuses it",
            );
        }
        let timeout = settings.optional(&TESTING_ENVOY_TIMEOUT, duration);
        let browser = browser(settings);
        Some(Self {
            host,
            serial,
            username,
            password,
            token,
            account,
            certificate: certificate?,
            timeout,
            browser,
            clock: Clock::system(),
        })
    }

    /// A client for the Envoy at this address, whose certificates and fetched tokens are remembered in `files`.
    ///
    /// # Errors
    /// When a password's file can't be read any more; the message names it.
    pub fn gateway(&self, host: Host, files: StateFiles) -> Result<Gateway, String> {
        let mut settings = envoy::Settings::new(host);
        settings.clock = self.clock.clone();
        settings.serial = self.serial.as_ref().map(ToString::to_string);
        settings.username.clone_from(&self.username);
        settings.password = self.password.as_ref().map(Secret::reveal).transpose()?;
        settings.token = match (&self.token, &self.account) {
            (Some(Secret::Value(token)), _) => Some(TokenSource::given(token.clone())),
            (Some(Secret::File(path)), _) => Some(TokenSource::file(path)),
            (None, Some(account)) => Some(TokenSource::account(
                account.reveal()?,
                files.clone(),
                settings.clock.clone(),
            )),
            (None, None) => None,
        };
        settings.certificate = self.certificate;
        settings.files = files;
        if let Some(timeout) = self.timeout {
            settings.connect_timeout = timeout;
            settings.read_timeout = timeout;
        }
        Ok(Gateway::new(settings))
    }
}

/// Who looks for Envoys.
pub(super) fn browser(settings: &mut Settings) -> Browser {
    let port = settings.optional(&TESTING_MDNS_PORT, number);
    port.map_or_else(Browser::default, Browser::at_port)
}

/// The Envoy's serial number. All that were seen have twelve digits, but nobody says that they must: another one is
/// only doubted.
pub(super) fn serial(settings: &mut Settings) -> Option<Serial> {
    let serial: Serial = settings.optional(&SERIAL, |text| {
        text.parse()
            .map_err(|error: wire::InvalidName| format!("{error}; {WHERE}, mostly 12 digits"))
    })?;
    if let Some(doubt) = doubt_of_serial(serial.as_ref()) {
        settings.remark(&SERIAL, doubt);
    }
    Some(serial)
}

/// What speaks against a serial number, if anything does.
pub(crate) fn doubt_of_serial(text: &str) -> Option<String> {
    let is_usual = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    (!is_usual).then(|| {
        format!("{text:?} is hardly an Envoy's serial number, which has 12 digits: look for a slip; {WHERE}")
    })
}
