//! Enphase's cloud, as far as a token needs it. Nothing else here leaves the home network.
//!
//! ```text
//!  Enlighten  POST /login/login.json ──session_id──► Entrez  POST /tokens           the bare token
//!                                    └─as a cookie─► Enlighten  GET /entrez-auth-token  in JSON
//!  Entrez     POST /login ──cookie SESSION─────────► Entrez  POST /entrez_tokens    in a page
//! ```
//!
//! The first way is that of the app and of most programs; the second one that of people, and is gone
//! where the first one does not give a token although the account was let in. Neither is documented by
//! Enphase, both have changed without notice, and whoever logs in too often is locked out: so a token is
//! fetched seldom ([`renewal`](crate::token)), and one that was got by hand always does, too. The way of Enphase's own
//! pages on the Envoy (OAuth with a code challenge) is not built: it gives the same token, ends in a page of the Envoy,
//! and stopped working for many with firmware 8.3.

mod enlighten;
mod entrez;
mod error;

pub(crate) mod fuzzing;

use std::time::Duration;

use reqwest::header::{COOKIE, HeaderValue, SET_COOKIE};
use reqwest::{Client, RequestBuilder, StatusCode, redirect};
use secrecy::{ExposeSecret, SecretString};
use trust::Authorities;
use url::Url;

use crate::token::Token;
pub use error::CloudError;

/// For a connection to the cloud, and for a whole answer.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(30));

/// The longest answer that is read; a page with a token has some 20 KB.
const LONGEST: usize = 256 * 1024;

/// The cookie of Entrez.
const SESSION: &str = "SESSION=";

/// An account at Enphase, and where its cloud is.
#[derive(Clone, Debug)]
pub struct Account {
    /// The e-mail address.
    pub username: String,
    /// The password of the Enphase app.
    pub password: SecretString,
    /// Enlighten's address: `https://enlighten.enphaseenergy.com`.
    pub enlighten: Url,
    /// Entrez's address: `https://entrez.enphaseenergy.com`.
    pub entrez: Url,
}

/// A token that was fetched, and what it says of itself.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The token.
    pub token: SecretString,
    /// Whose it is: `owner`, `installer` and others.
    pub role: Option<String>,
    /// When it expires, in Unix seconds.
    pub expires_at: Option<i64>,
}

impl Account {
    /// Logs in, and fetches a token for the Envoy with this serial.
    ///
    /// # Errors
    /// When the cloud can't be reached, or does not give one; the message says what to do.
    pub async fn fetch_token(&self, serial: &str) -> Result<Fetched, CloudError> {
        self.fetch_token_noting(serial, &mut false).await
    }

    /// The same, which notes in `logged_in` whether the cloud was asked to let somebody in: it counts that,
    /// whatever comes of it.
    pub(crate) async fn fetch_token_noting(
        &self,
        serial: &str,
        logged_in: &mut bool,
    ) -> Result<Fetched, CloudError> {
        let client = client(self)?;
        let token = match self.by_enlighten(&client, serial, logged_in).await {
            Err(first) if first.leaves_the_form() => {
                let second = self.by_form(&client, serial, logged_in).await;
                second.map_err(|second| first.or_of_form(second))
            }
            other => other,
        }?;
        let parsed = Token::parse(&token).map_err(|_| CloudError::no_token(&self.entrez))?;
        let claims = parsed.claims;
        match claims.other_audience(serial) {
            Some(found) => Err(CloudError::OfAnother {
                found: found.to_owned(),
                serial: serial.to_owned(),
            }),
            None => Ok(Fetched {
                token,
                role: claims.role,
                expires_at: claims.expires_at,
            }),
        }
    }

    async fn by_enlighten(
        &self,
        client: &Client,
        serial: &str,
        logged_in: &mut bool,
    ) -> Result<SecretString, CloudError> {
        let url = join(&self.enlighten, "login/login.json");
        let fields = ["user[email]", "user[password]"];
        let answer = self.log_in(client, &url, fields, logged_in).await?;
        let session = enlighten::session(&url, answer.status, &answer.body, &self.password)?;
        let url = join(&self.entrez, "tokens");
        let asked = serde_json::json!({
            "session_id": session.expose_secret(),
            "serial_num": serial,
            "username": self.username,
        });
        let answer = send(&url, client.post(url.clone()).json(&asked)).await?;
        match entrez::bare_token(&url, serial, answer.status, &answer.body) {
            // The session is good for another way, which is no login more.
            Err(unexpected @ CloudError::Unexpected { .. }) => {
                let other = self.by_session(client, serial, &session).await;
                other.map_err(|_| unexpected)
            }
            token => token,
        }
    }

    /// Sends user name and password in fields of these names.
    async fn log_in(
        &self,
        client: &Client,
        url: &Url,
        [name, secret]: [&str; 2],
        logged_in: &mut bool,
    ) -> Result<Answer, CloudError> {
        let form = [
            (name, self.username.as_str()),
            (secret, self.password.expose_secret()),
        ];
        let answer = send(url, client.post(url.clone()).form(&form)).await;
        *logged_in |= may_have_arrived(&answer);
        answer
    }

    async fn by_session(
        &self,
        client: &Client,
        serial: &str,
        session: &SecretString,
    ) -> Result<SecretString, CloudError> {
        let mut url = join(&self.enlighten, "entrez-auth-token");
        url.query_pairs_mut().append_pair("serial_num", serial);
        let cookie = format!("_enlighten_4_session={}", session.expose_secret());
        let mut cookie =
            HeaderValue::try_from(cookie).map_err(|_| CloudError::no_token(&self.enlighten))?;
        cookie.set_sensitive(true);
        let request = client.get(url.clone()).header(COOKIE, cookie);
        let answer = send(&url, request).await?;
        enlighten::token(&url, answer.status, &answer.body)
    }

    async fn by_form(
        &self,
        client: &Client,
        serial: &str,
        logged_in: &mut bool,
    ) -> Result<SecretString, CloudError> {
        let url = join(&self.entrez, "login");
        let fields = ["username", "password"];
        let answer = self.log_in(client, &url, fields, logged_in).await?;
        let cookie = entrez::session(&url, answer.status, answer.session)?;
        let url = join(&self.entrez, "entrez_tokens");
        let request = client
            .post(url.clone())
            .header(COOKIE, cookie)
            .form(&[("serialNum", serial)]);
        let answer = send(&url, request).await?;
        entrez::token_in_page(&url, serial, answer.status, &answer.body)
    }
}

/// An answer of the cloud. Its body may hold a session or a token, and is never shown.
struct Answer {
    status: StatusCode,
    session: Option<HeaderValue>,
    body: SecretString,
}

fn client(account: &Account) -> Result<Client, CloudError> {
    let authorities =
        Authorities::of_system().map_err(|error| CloudError::NoCas(error.to_string()))?;
    let builder = if [&account.enlighten, &account.entrez]
        .iter()
        .any(|url| url.scheme() == "http")
    {
        // A simulated one on this machine: a proxy would carry the password off it in clear.
        Client::builder().no_proxy()
    } else {
        Client::builder()
    };
    let client = builder
        .tls_backend_preconfigured(authorities.client_config().with_no_client_auth())
        .connect_timeout(PATIENCE.0)
        .timeout(PATIENCE.1)
        // A redirect would carry the password to another host.
        .redirect(redirect::Policy::none())
        .user_agent(concat!("envoy-scrape/", env!("CARGO_PKG_VERSION")))
        .build()
        .expect("only a TLS backend of another version than reqwest's can't be built");
    Ok(client)
}

async fn send(url: &Url, request: RequestBuilder) -> Result<Answer, CloudError> {
    let unreachable = |error: reqwest::Error| CloudError::Unreachable {
        host: host(url),
        source: error.without_url().into(),
    };
    let mut response = request.send().await.map_err(unreachable)?;
    let out_of_order = CloudError::of_status(url, response.status(), response.headers());
    if let Some(error) = out_of_order {
        return Err(error);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        body.extend_from_slice(&chunk);
        if body.len() > LONGEST {
            return Err(CloudError::no_token(url));
        }
    }
    let session = response
        .headers()
        .get_all(SET_COOKIE)
        .iter()
        .find_map(|cookie| {
            let pair = cookie.to_str().ok()?.split(';').next()?.trim();
            let is_one = pair.starts_with(SESSION) && pair.len() > SESSION.len();
            let mut value = HeaderValue::from_str(is_one.then_some(pair)?).ok()?;
            value.set_sensitive(true);
            Some(value)
        });
    Ok(Answer {
        status: response.status(),
        session,
        body: String::from_utf8_lossy(&body).into_owned().into(),
    })
}

/// Whether the request may have come as far as the cloud, which counts logins also where its answer is lost.
fn may_have_arrived(answer: &Result<Answer, CloudError>) -> bool {
    !answer.as_ref().is_err_and(CloudError::is_of_no_connection)
}

/// The address of one of its pages. A base may have a path of its own.
fn join(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url
}

/// Whom a message is about.
fn host(url: &Url) -> String {
    url.origin().ascii_serialization()
}
