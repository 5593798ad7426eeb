//! One request to the server: compressed, authenticated, bounded in time and in what is read.

use std::io::{BufWriter, Write};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use reqwest::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION,
};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use trust::OutOfDate;
use url::Url;

use super::failure::{Failure, Timeouts};
use super::settings::{Settings, SettingsError, below, write_url};
use super::verdict::{Fault, Refusal, Verdict, full_message, judge};
use super::{tls, token};
use crate::write::WriteError;

/// The most that is read of an answer; the longest seen is under a thousand bytes.
const MAX_ANSWER: usize = 16 * 1024;

/// How long a connection is kept for the next batch: less than any server or proxy keeps one
/// (60 s is a usual limit), as a request on a connection that just ends would be an outage.
const KEPT_IDLE: Duration = Duration::from_secs(30);

/// How many bytes of lines are compressed in one go: some hundred lines.
const COMPRESSED_AT_ONCE: usize = 32 * 1024;

/// An answer about the lines; anything else is a [`WriteError`].
#[derive(Debug)]
pub(super) enum Answer {
    Stored,
    Refused(Refusal),
    TooLarge { reason: String },
}

/// Any answer at all.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Connection {
    client: Client,
    pub(super) out_of_date: Vec<OutOfDate>,
    base: Url,
    write: Url,
    token: token::Token,
    pub(super) org: String,
    pub(super) bucket: String,
    timeouts: Timeouts,
}

impl Connection {
    pub(super) fn new(settings: Settings) -> Result<Self, SettingsError> {
        let write = write_url(&settings)?;
        let timeouts = Timeouts(settings.timeout);
        let (tls, out_of_date) = tls::config(&settings)?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .timeout(timeouts.0)
            .connect_timeout(timeouts.for_connecting())
            .pool_idle_timeout(KEPT_IDLE)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .user_agent(concat!("envoy-scrape/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self {
            client,
            out_of_date,
            base: settings.url,
            write,
            token: token::Token::new(settings.token)?,
            org: settings.org,
            bucket: settings.bucket,
            timeouts,
        })
    }

    /// The server, for messages.
    pub(super) fn server(&self) -> &Url {
        &self.base
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeouts.0
    }

    /// Posts `lines` as one request.
    pub(super) async fn post<'a>(
        &self,
        lines: impl IntoIterator<Item = &'a str>,
    ) -> Result<Answer, WriteError> {
        match self.write(lines).await? {
            Verdict::Stored => Ok(Answer::Stored),
            Verdict::Refused(refusal) => Ok(Answer::Refused(refusal)),
            Verdict::TooLarge { reason } => Ok(Answer::TooLarge { reason }),
            Verdict::Configuration {
                problem, remedy, ..
            } => Err(WriteError::Configuration { problem, remedy }),
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

    /// Posts `lines` as one request, and says all that its answer means.
    pub(super) async fn write<'a>(
        &self,
        lines: impl IntoIterator<Item = &'a str>,
    ) -> Result<Verdict, Failure> {
        let body = compress(lines);
        let token = self.token.header().await?;
        let verdict = self.send_write(&body, &token).await?;
        if let Verdict::Configuration {
            fault: Fault::Token,
            ..
        } = verdict
        {
            // The token may have been replaced after it was read.
            let newer = self.token.header().await?;
            if newer != token {
                return self.send_write(&body, &newer).await;
            }
        }
        Ok(verdict)
    }

    /// Runs a query in Flux.
    pub(super) async fn query(&self, flux: String) -> Result<Reply, Failure> {
        let mut url = below(&self.base, &["api", "v2", "query"]);
        url.query_pairs_mut().append_pair("org", &self.org);
        let token = self.token.header().await?;
        let request = self
            .client
            .post(url)
            .header(AUTHORIZATION, &token)
            .header(CONTENT_TYPE, "application/vnd.flux")
            .body(flux);
        self.send(request, Some(&token)).await
    }

    /// Asks for what anybody may see.
    pub(super) async fn get(&self, path: &str) -> Result<Reply, Failure> {
        self.send(self.client.get(below(&self.base, &[path])), None)
            .await
    }

    async fn send_write(&self, body: &[u8], token: &HeaderValue) -> Result<Verdict, Failure> {
        let request = self
            .client
            .post(self.write.clone())
            .header(AUTHORIZATION, token)
            .header(CONTENT_TYPE, "text/plain; charset=utf-8")
            .header(CONTENT_ENCODING, "gzip")
            .body(body.to_vec());
        let reply = self.send(request, Some(token)).await?;
        Ok(judge(
            reply.status,
            &reply.headers,
            &reply.body,
            Timestamp::now(),
        ))
    }

    async fn send(
        &self,
        request: RequestBuilder,
        token: Option<&HeaderValue>,
    ) -> Result<Reply, Failure> {
        let no_answer = |error| Failure::of(error, &self.base, self.timeouts);
        let answer = request.send().await.map_err(no_answer)?;
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        let mut body = read_bounded(answer).await.map_err(no_answer)?;
        if let Some(token) = token {
            // What JSON escapes would hide it from the search, and show it in a log.
            body = token::without(full_message(&body).into_bytes(), token);
            if let Some(place) = headers.get_mut(LOCATION) {
                let shown = token::without(place.as_bytes().to_vec(), token);
                *place = HeaderValue::from_bytes(&shown).unwrap_or(HeaderValue::from_static(""));
            }
        }
        Ok(Reply {
            status,
            headers,
            body,
        })
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
    let encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // The encoder clears its buffer of 32 KiB at each write.
    let mut body = BufWriter::with_capacity(COMPRESSED_AT_ONCE, encoder);
    for line in lines {
        body.write_all(line.as_bytes()).expect(PROOF);
        body.write_all(b"\n").expect(PROOF);
    }
    let encoder = body.into_inner().expect(PROOF);
    encoder.finish().expect(PROOF)
}
