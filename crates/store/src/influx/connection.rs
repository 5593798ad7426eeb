//! One request to the server: compressed, authenticated, bounded in time and in what is read.

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Response};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::settings::{Settings, SettingsError, TokenSource, write_url};
use super::verdict::{Refusal, Verdict, judge};
use crate::write::WriteError;

/// The most that is read of an answer; the longest seen is under a thousand bytes.
const MAX_ANSWER: usize = 16 * 1024;

/// An answer about the lines; anything else is a [`WriteError`].
#[derive(Debug)]
pub(super) enum Answer {
    Stored,
    Refused(Refusal),
    TooLarge { reason: String },
}

#[derive(Debug)]
pub(super) struct Connection {
    client: Client,
    url: Url,
    token: TokenSource,
    /// The token that was in the file when it could last be read: a file that is being replaced
    /// is empty or missing for a moment.
    last_read: Mutex<Option<HeaderValue>>,
}

impl Connection {
    pub(super) fn new(settings: Settings) -> Result<Self, SettingsError> {
        let url = write_url(&settings)?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls(url.scheme() == "https")?)
            .timeout(settings.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .user_agent(concat!("envoy-scrape/", env!("CARGO_PKG_VERSION")))
            .build()?;
        if let TokenSource::Value(token) = &settings.token {
            authorization(token)?;
        }
        Ok(Self {
            client,
            url,
            token: settings.token,
            last_read: Mutex::new(None),
        })
    }

    /// Posts `lines` as one request.
    pub(super) async fn post<'a>(
        &self,
        lines: impl IntoIterator<Item = &'a str>,
    ) -> Result<Answer, WriteError> {
        let body = compress(lines);
        let token = self.authorization().await?;
        let mut verdict = self.send(&body, &token).await?;
        if let Verdict::Unauthorized { .. } = verdict {
            // The token may have been replaced after it was read.
            let newer = self.authorization().await?;
            if newer != token {
                verdict = self.send(&body, &newer).await?;
            }
        }
        match verdict {
            Verdict::Stored => Ok(Answer::Stored),
            Verdict::Refused(refusal) => Ok(Answer::Refused(refusal)),
            Verdict::TooLarge { reason } => Ok(Answer::TooLarge { reason }),
            Verdict::Unauthorized { problem, remedy }
            | Verdict::Configuration { problem, remedy } => {
                Err(WriteError::Configuration { problem, remedy })
            }
            Verdict::Unavailable {
                problem,
                retry_after,
            } => Err(WriteError::Unavailable {
                problem,
                retry_after,
                source: None,
            }),
        }
    }

    async fn send(&self, body: &[u8], token: &HeaderValue) -> Result<Verdict, WriteError> {
        let answer = self
            .client
            .post(self.url.clone())
            .header(AUTHORIZATION, token)
            .header(CONTENT_TYPE, "text/plain; charset=utf-8")
            .header(CONTENT_ENCODING, "gzip")
            .body(body.to_vec())
            .send()
            .await
            .map_err(no_answer)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = read_bounded(answer).await.map_err(no_answer)?;
        Ok(judge(status, &headers, &body, Timestamp::now()))
    }

    async fn authorization(&self) -> Result<HeaderValue, WriteError> {
        let token = match &self.token {
            TokenSource::Value(token) => authorization(token),
            TokenSource::File(path) => read_token(path).await,
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
            (Err(error), None) => Err(WriteError::Configuration {
                problem: match &error {
                    SettingsError::TokenFile { source, .. } => format!("{error}: {source}"),
                    _ => error.to_string(),
                },
                remedy: "check INFLUX_TOKEN_FILE".to_owned(),
            }),
        }
    }
}

fn no_answer(error: reqwest::Error) -> WriteError {
    WriteError::Unavailable {
        problem: if error.is_timeout() {
            "no answer in time".to_owned()
        } else if error.is_connect() {
            "it can't be reached".to_owned()
        } else {
            "no complete answer".to_owned()
        },
        retry_after: None,
        source: Some(error.without_url().into()),
    }
}

async fn read_bounded(mut answer: Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        let room = MAX_ANSWER - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if body.len() == MAX_ANSWER {
            break;
        }
    }
    Ok(body)
}

fn compress<'a>(lines: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    const PROOF: &str = "writing to a Vec does not fail";
    // Lines repeat each other so much that the fastest level already takes nine tenths away.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    for line in lines {
        encoder.write_all(line.as_bytes()).expect(PROOF);
        encoder.write_all(b"\n").expect(PROOF);
    }
    encoder.finish().expect(PROOF)
}

async fn read_token(path: &Path) -> Result<HeaderValue, SettingsError> {
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

/// TLS with the ring provider and the system's certificate authorities.
fn tls(needed: bool) -> Result<rustls::ClientConfig, SettingsError> {
    let mut roots = rustls::RootCertStore::empty();
    if needed {
        // A certificate that can't be read is left out, as everywhere; the others do.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(SettingsError::NoAuthorities);
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring supports the default versions of TLS")
        .with_root_certificates(roots)
        .with_no_client_auth())
}
