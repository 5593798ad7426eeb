//! The users of firmware below 7.

use reqwest::header::{AUTHORIZATION, HeaderMap};
use secrecy::SecretString;
use url::Url;

use crate::digest::{self, Unanswerable};
use crate::error::{Credentials, Error};
use crate::exchange::{Answer, Connections, Transport};
use crate::installer::installer_password;
use crate::settings::Settings;

/// The user of installers; its password follows from the serial.
const INSTALLER: &str = "installer";

/// The user of owners; its password is the end of the serial, unless the owner has changed it.
const OWNER: &str = "envoy";

/// Who may ask, the most likely first. Which of its two users a firmware lets read the inverters
/// differs.
#[derive(Debug)]
pub(crate) struct Users {
    users: Vec<User>,
    /// Whether the password was configured.
    given: bool,
}

#[derive(Debug)]
struct User {
    name: String,
    password: SecretString,
}

impl Users {
    /// The configured user, else `installer` and then `envoy`; with the configured password, else
    /// the one that follows from the serial. `worked` goes first.
    pub(crate) fn new(settings: &Settings, serial: &str, worked: Option<&str>) -> Self {
        let names = match &settings.username {
            Some(name) => vec![name.as_str()],
            None => vec![INSTALLER, OWNER],
        };
        let mut users: Vec<User> = names
            .into_iter()
            .map(|name| User {
                name: name.to_owned(),
                password: match &settings.password {
                    Some(password) => password.clone(),
                    None => password_from(serial, name),
                },
            })
            .collect();
        users.sort_by_key(|user| Some(user.name.as_str()) != worked);
        Self {
            users,
            given: settings.password.is_some(),
        }
    }

    /// The user that is tried first: after a success, the one that worked.
    pub(crate) fn first(&self) -> Option<&str> {
        self.users.first().map(|user| user.name.as_str())
    }

    /// Asks; answers a demand for a password with one user after the other. Each try has a
    /// challenge of its own.
    pub(crate) async fn get(
        &mut self,
        transport: &Transport,
        url: &Url,
        connections: Connections,
    ) -> Result<Answer, Error> {
        let mut unanswerable = None;
        for index in 0..self.users.len() {
            let challenge = transport.get(url, HeaderMap::new(), connections).await?;
            if !challenge.is_refusal() {
                return Ok(challenge);
            }
            let user = &self.users[index];
            match digest::answer(&challenge.headers, &user.name, &user.password, url.path()) {
                Ok(authorization) => {
                    let headers = HeaderMap::from_iter([(AUTHORIZATION, authorization)]);
                    let answer = transport.get(url, headers, connections).await?;
                    if !answer.is_refusal() {
                        self.users.swap(0, index);
                        return Ok(answer);
                    }
                    tracing::debug!(user = user.name, "the Envoy refuses this user");
                }
                Err(error) => unanswerable = Some(error),
            }
        }
        Err(self.refused(unanswerable))
    }

    /// Asks as the user that is tried first, and as nobody else. A refusal is an answer.
    pub(crate) async fn ask(
        &self,
        transport: &Transport,
        url: &Url,
        connections: Connections,
    ) -> Result<Answer, Error> {
        let challenge = transport.get(url, HeaderMap::new(), connections).await?;
        let user = self.users.first().filter(|_| challenge.is_refusal());
        let authorization = user.and_then(|user| {
            digest::answer(&challenge.headers, &user.name, &user.password, url.path()).ok()
        });
        match authorization {
            Some(authorization) => {
                let headers = HeaderMap::from_iter([(AUTHORIZATION, authorization)]);
                transport.get(url, headers, connections).await
            }
            None => Ok(challenge),
        }
    }

    fn refused(&self, source: Option<Unanswerable>) -> Error {
        let mut users: Vec<String> = self.users.iter().map(|user| user.name.clone()).collect();
        // In the order in which people know them.
        users.sort_by_key(|name| name != INSTALLER);
        Error::Credentials(Credentials::Password {
            users,
            given: self.given,
            source,
        })
    }
}

/// The password that a user has from the factory.
fn password_from(serial: &str, user: &str) -> SecretString {
    if user == OWNER {
        let start = serial.len().saturating_sub(6);
        serial.get(start..).unwrap_or(serial).into()
    } else {
        installer_password(serial, user)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn users(configure: impl FnOnce(&mut Settings), worked: Option<&str>) -> Vec<(String, String)> {
        let mut settings = Settings::new("envoy.local".parse().expect("a host"));
        configure(&mut settings);
        Users::new(&settings, "121430030548", worked)
            .users
            .into_iter()
            .map(|user| (user.name, user.password.expose_secret().to_owned()))
            .collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected
            .iter()
            .map(|(name, password)| ((*name).to_owned(), (*password).to_owned()))
            .collect()
    }

    #[test]
    fn without_configuration_both_factory_users_are_tried() {
        assert_eq!(
            users(|_| {}, None),
            pairs(&[("installer", "34Be4859"), ("envoy", "030548")])
        );
    }

    #[test]
    fn the_user_that_worked_goes_first() {
        let names: Vec<_> = users(|_| {}, Some("envoy"))
            .into_iter()
            .map(|user| user.0)
            .collect();
        assert_eq!(names, ["envoy", "installer"]);
    }

    #[test]
    fn what_is_configured_is_used() {
        let both = |settings: &mut Settings| {
            settings.username = Some("envoy".to_owned());
            settings.password = Some("changed".into());
        };
        assert_eq!(users(both, None), pairs(&[("envoy", "changed")]));
        let user = |settings: &mut Settings| settings.username = Some("envoy".to_owned());
        assert_eq!(users(user, None), pairs(&[("envoy", "030548")]));
        let password = |settings: &mut Settings| settings.password = Some("changed".into());
        assert_eq!(
            users(password, None),
            pairs(&[("installer", "changed"), ("envoy", "changed")])
        );
    }

    #[test]
    fn a_short_serial_is_its_own_end() {
        assert_eq!(password_from("1234", "envoy").expose_secret(), "1234");
    }
}
