//! One request and its answer, within limits of time and size.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use jiff::fmt::rfc2822;
use reqwest::header::{CONNECTION, DATE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Client, ClientBuilder, Response, StatusCode, redirect, retry};
use rustls::{CertificateError, ClientConfig};
use url::Url;

use crate::certificate::{Certificates, NotAccepted, UnusableKey};
use crate::error::{Error, Fault, Why};
use crate::excerpt::Excerpt;

/// The longest body that is read. Real ones stay below 100 KB, with 300 inverters.
const LONGEST_BODY: usize = 4 * 1024 * 1024;

/// How much is read of an answer that says no: enough for the excerpt and for the whole page of a
/// 401, so that its connection can be used again.
const LONGEST_REFUSAL: usize = 4 * 1024;

/// The wait that a 503 of firmware 7 asks for in its body, and the longest that is believed.
const WAIT: (Duration, Duration) = (Duration::from_secs(30), Duration::from_hours(1));

/// The ways to ask.
#[derive(Clone, Debug)]
pub(crate) struct Transport {
    first: Client,
    kept: Client,
    fresh: Client,
}

/// What happens to the connection after the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Connections {
    /// It is closed, and with any certificate: for what carries nothing secret.
    First,
    /// It is used again: firmware 7 and above, where a new one costs a TLS handshake.
    Kept,
    /// It is closed: firmware 3 resets a connection on which a second request comes.
    Fresh,
}

/// An answer with any status. Not `Debug`: its headers may have a session, and its body what was sent.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    body: Vec<u8>,
}

impl Transport {
    /// `read_timeout` is for a whole exchange, from connecting to the last byte of the body.
    pub(crate) fn new(
        connect_timeout: Duration,
        read_timeout: Duration,
        certificates: &Certificates,
    ) -> Self {
        let build = |builder: ClientBuilder, tls: ClientConfig| {
            builder
                .connect_timeout(connect_timeout)
                .timeout(read_timeout)
                .tls_backend_preconfigured(tls)
                .user_agent(concat!("envoy-scrape/", env!("CARGO_PKG_VERSION")))
                .http1_only()
                .http1_ignore_invalid_headers_in_responses(true)
                // A redirect would carry the token to another host.
                .redirect(redirect::Policy::none())
                .referer(false)
                .retry(retry::never())
                // The Envoy is in the home network, where no proxy stands between.
                .no_proxy()
                .build()
                .expect("only a TLS backend of another version than reqwest's can't be built")
        };
        let closing = HeaderMap::from_iter([(CONNECTION, HeaderValue::from_static("close"))]);
        let fresh = || {
            Client::builder()
                .pool_max_idle_per_host(0)
                .default_headers(closing.clone())
        };
        Self {
            first: build(fresh(), certificates.for_info()),
            kept: build(
                Client::builder().pool_max_idle_per_host(1),
                certificates.for_secrets(),
            ),
            fresh: build(fresh(), certificates.for_secrets()),
        }
    }

    /// GET, the only method there is here: nothing of the Envoy is changed.
    pub(crate) async fn get(
        &self,
        url: &Url,
        headers: HeaderMap,
        connections: Connections,
    ) -> Result<Answer, Error> {
        let client = match connections {
            Connections::First => &self.first,
            Connections::Kept => &self.kept,
            Connections::Fresh => &self.fresh,
        };
        let mut response = client
            .get(url.clone())
            .headers(headers)
            .send()
            .await
            .map_err(|error| unreachable_at(url, error))?;
        let body = if response.status().is_success() {
            read_all(&mut response, url).await?
        } else {
            read_refusal(&mut response).await
        };
        Ok(Answer {
            status: response.status(),
            headers: std::mem::take(response.headers_mut()),
            body,
        })
    }
}

impl Answer {
    /// Whether the Envoy wants to know who is asking, or does not like who is.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(
            self.status,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
        )
    }

    /// The body of a good answer.
    pub(crate) fn into_body(self, url: &Url) -> Result<Vec<u8>, Error> {
        let fault = match self.status {
            status if status.is_success() => return Ok(self.body),
            StatusCode::SERVICE_UNAVAILABLE => {
                return Err(Error::Busy {
                    address: address(url),
                    wait: self.wait(),
                });
            }
            status if status.is_redirection() => {
                let to = self
                    .headers
                    .get(LOCATION)
                    .map_or(&b""[..], HeaderValue::as_bytes);
                Fault::Redirect(Excerpt::of(to))
            }
            status => Fault::Status(status.as_u16()),
        };
        Err(bad_answer(url, &self.body, fault))
    }

    /// The server's clock when it answered, in Unix seconds. Firmware 4 and 5 say it twice.
    pub(crate) fn date(&self) -> Option<i64> {
        let date = self.headers.get(DATE)?.to_str().ok()?;
        Some(rfc2822::parse(date).ok()?.timestamp().as_second())
    }

    fn wait(&self) -> Duration {
        self.headers
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.trim().parse().ok())
            .map_or(WAIT.0, Duration::from_secs)
            .clamp(WAIT.0, WAIT.1)
    }
}

/// What was tried, for messages: scheme, host, and port where it is not the usual one.
pub(crate) fn address(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// The URL of an endpoint.
pub(crate) fn join(base: &Url, path: &str) -> Url {
    base.join(path)
        .expect("an endpoint's path is a constant that can follow any host")
}

pub(crate) fn bad_answer(url: &Url, body: &[u8], fault: Fault) -> Error {
    Error::BadAnswer {
        endpoint: url.to_string(),
        excerpt: Excerpt::of(body),
        fault,
    }
}

/// The whole body, or an error: a part of one is never used.
async fn read_all(response: &mut Response, url: &Url) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| unreachable_at(url, error))?
    {
        body.extend_from_slice(&chunk);
        if body.len() > LONGEST_BODY {
            return Err(bad_answer(url, &body, Fault::TooLong(LONGEST_BODY)));
        }
    }
    Ok(body)
}

/// As much of a body as comes: its status has said the essential.
async fn read_refusal(response: &mut Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > LONGEST_REFUSAL {
            break;
        }
    }
    body
}

fn unreachable_at(url: &Url, error: reqwest::Error) -> Error {
    let why = if error.is_dns() {
        Why::Name
    } else if error.is_timeout() {
        if error.is_connect() {
            Why::TimedOut
        } else {
            Why::Silent
        }
    } else {
        deepest_reason(&error).unwrap_or(if is_no_http(&error) {
            Why::NotHttp
        } else {
            Why::Broken
        })
    };
    Error::Unreachable {
        address: address(url),
        why,
        // The message names the address already.
        source: error.without_url().into(),
    }
}

/// Whether something came that can't be an answer, or before anything was asked.
fn is_no_http(error: &(dyn StdError + 'static)) -> bool {
    let error_here = error.downcast_ref::<hyper::Error>();
    // For what comes unasked hyper has no question of its own, only these words.
    let is_here = error_here.is_some_and(|error| {
        error.is_parse() || error.to_string() == "received unexpected message from connection"
    });
    is_here || error.source().is_some_and(is_no_http)
}

/// What stands in the way of an encrypted connection.
fn why_no_tls(error: &rustls::Error) -> Why {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::Other(other))
            if other.0.is::<NotAccepted>() =>
        {
            Why::OtherCertificate
        }
        rustls::Error::InvalidCertificate(CertificateError::Other(other))
            if other.0.is::<UnusableKey>() =>
        {
            Why::UnusableKey
        }
        // It is not the certificate that is wrong, but who shows it.
        rustls::Error::InvalidCertificate(CertificateError::BadSignature) => Why::Tls,
        rustls::Error::InvalidCertificate(_) => Why::NotTrusted,
        _ => Why::Tls,
    }
}

/// What the operating system or TLS said, somewhere down the chain.
fn deepest_reason(error: &(dyn StdError + 'static)) -> Option<Why> {
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return Some(why_no_tls(error));
    }
    if let Some(error) = error.downcast_ref::<io::Error>() {
        // Its own `source` leaves out what it wraps.
        let wrapped = error.get_ref().and_then(|inner| deepest_reason(inner));
        return wrapped.or(match error.kind() {
            io::ErrorKind::ConnectionRefused => Some(Why::Refused),
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                Some(Why::NoRoute)
            }
            io::ErrorKind::TimedOut => Some(Why::TimedOut),
            _ => None,
        });
    }
    error.source().and_then(deepest_reason)
}
