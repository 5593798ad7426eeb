//! What is made of the cloud's answers, for [`crate::fuzzing`].

use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{CloudError, enlighten, entrez};

/// What each of its parsers makes of an answer: the token, or what is said. A session is none of both.
pub(crate) fn read(
    status: StatusCode,
    body: &str,
    serial: &str,
    password: &str,
) -> Vec<Result<String, String>> {
    let url: Url = "https://cloud.example".parse().expect("a URL");
    let (body, password) = (SecretString::from(body), SecretString::from(password));
    let session = enlighten::session(&url, status, &body, &password);
    let tokens = [
        entrez::bare_token(&url, serial, status, &body),
        entrez::token_in_page(&url, serial, status, &body),
        enlighten::token(&url, status, &body),
    ];
    let said = |error: CloudError| error.to_string();
    let tokens = tokens
        .into_iter()
        .map(|token| token.map(|token| token.expose_secret().to_owned()));
    let turned_away = session.err().map(|error| Err(said(error)));
    tokens
        .map(|token| token.map_err(said))
        .chain(turned_away)
        .collect()
}
