//! The token: given, or in a file that may change at any time.

use std::path::Path;
use std::sync::Mutex;

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use super::failure::Failure;
use super::settings::{SettingsError, TokenSource};

/// Where the token comes from, and what it was last.
#[derive(Debug)]
pub(super) struct Token {
    source: TokenSource,
    /// The token that was in the file when it could last be read: a file that is being replaced
    /// is empty or missing for a moment.
    last_read: Mutex<Option<HeaderValue>>,
}

impl Token {
    pub(super) fn new(source: TokenSource) -> Result<Self, SettingsError> {
        if let TokenSource::Value(token) = &source {
            authorization(token)?;
        }
        Ok(Self {
            source,
            last_read: Mutex::new(None),
        })
    }

    /// The header with the token as it is now.
    pub(super) async fn header(&self) -> Result<HeaderValue, Failure> {
        let token = match &self.source {
            TokenSource::Value(token) => authorization(token),
            TokenSource::File(path) => read(path).await,
        };
        let mut last_read = self
            .last_read
            .lock()
            .expect("nothing that holds this lock can panic: it only copies a header");
        match (token, last_read.as_ref()) {
            (Ok(token), _) => {
                *last_read = Some(token.clone());
                Ok(token)
            }
            (Err(_), Some(token)) => Ok(token.clone()),
            (Err(error), None) => {
                let problem = match &error {
                    SettingsError::TokenFile { source, .. } => format!("{error}: {source}"),
                    _ => error.to_string(),
                };
                Err(Failure::lasting(problem, "check INFLUX_TOKEN_FILE"))
            }
        }
    }
}

async fn read(path: &Path) -> Result<HeaderValue, SettingsError> {
    let text =
        tokio::fs::read_to_string(path)
            .await
            .map_err(|source| SettingsError::TokenFile {
                path: path.to_owned(),
                source,
            })?;
    authorization(&SecretString::from(text))
}

fn authorization(token: &SecretString) -> Result<HeaderValue, SettingsError> {
    let token = token.expose_secret().trim();
    if token.is_empty() {
        return Err(SettingsError::EmptyToken);
    }
    let mut value =
        HeaderValue::from_str(&format!("Token {token}")).map_err(|_| SettingsError::Token)?;
    // Keeps it out of the header's Debug, and so out of traces.
    value.set_sensitive(true);
    Ok(value)
}

/// The text without the token of `header`, which a proxy that shows what it was sent would carry
/// into our logs.
pub(super) fn without(text: Vec<u8>, header: &HeaderValue) -> Vec<u8> {
    let token = header
        .as_bytes()
        .strip_prefix(b"Token ")
        .unwrap_or_default();
    if token.is_empty() || !text.windows(token.len()).any(|part| part == token) {
        return text;
    }
    let mut rest = &text[..];
    let mut shown = Vec::with_capacity(text.len());
    while let Some(&first) = rest.first() {
        if let Some(behind) = rest.strip_prefix(token) {
            shown.extend_from_slice(b"***");
            rest = behind;
        } else {
            shown.push(first);
            rest = &rest[1..];
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_in_an_answer_is_hidden_wherever_it_stands() {
        let header = authorization(&"t0p==".into()).expect("a token");
        for (text, shown) in [
            ("t0p==", "***"),
            ("a t0p== b t0p==t0p==", "a *** b ******"),
            ("t0p=", "t0p="),
            ("", ""),
        ] {
            assert_eq!(without(text.into(), &header), shown.as_bytes(), "{text}");
        }
    }
}
