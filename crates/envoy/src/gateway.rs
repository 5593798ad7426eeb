//! The Envoy as the rest of the program sees it.
//!
//! ```text
//! /info ──► who and where (detection) ──► who is asking (login) ──► endpoints
//!   ▲                                                                   │
//!   └────────── a failure: nothing is taken for granted any more ◄──────┘
//! ```

mod answered;
mod detection;
mod judgement;
mod look;
mod polling;
mod schedule;

use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::Instant;

use crate::certificate::{Certificate, CertificatePolicy, Certificates};
use crate::clock::Clock;
use crate::endpoints::Endpoint;
use crate::endpoints::info::Info;
use crate::endpoints::inverters::{INVERTERS, Inverters};
use crate::error::{Error, Fault, Why};
use crate::exchange::{Transport, address, bad_answer, join};
use crate::host::{Host, Scheme};
use crate::login::{Login, Tried};
use crate::settings::Settings;
use crate::token::{Claims, TokenSource, ahead};
pub use answered::Answered;
use detection::Found;
use polling::Polling;

/// A client of one Envoy.
///
/// It asks strictly one thing at a time, which `&mut self` makes sure of. Dropping one of its
/// futures is safe: what was under way is forgotten, and found out again at the next call.
#[derive(Debug)]
pub struct Gateway {
    settings: Settings,
    certificates: Certificates,
    transport: Transport,
    /// The way that worked at the last call.
    way: Option<Way>,
    /// What was found and not used yet.
    found: Option<Found>,
    /// What was found last, whether or not it still answers.
    last: Option<Seen>,
    /// The user that worked last.
    worked: Option<String>,
    /// The tokens of the last session.
    tried: Option<Tried>,
    /// What the token that was used last says of itself.
    claims: Claims,
    /// The Envoy's clock at its last answer, in Unix seconds, where it says so.
    said_at: Option<i64>,
    /// What is known of the endpoints beside the inverters.
    polling: Polling,
    /// What of them has answered an earlier process.
    recalled: Option<Answered>,
}

/// Where to ask, and who is asking.
#[derive(Debug)]
struct Way {
    found: Found,
    login: Login,
}

#[derive(Debug)]
struct Seen {
    found: Found,
    clock_skew: Option<i64>,
    at: Instant,
}

impl Gateway {
    /// A client that has not asked anything yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let certificates = Certificates::new(settings.certificate, settings.files.clone());
        Self {
            transport: transport(&settings, &certificates),
            certificates,
            settings,
            way: None,
            found: None,
            last: None,
            worked: None,
            tried: None,
            claims: Claims::default(),
            said_at: None,
            polling: Polling::default(),
            recalled: None,
        }
    }

    /// Asks who the Envoy is, by https and then by http, unless the address names one of them.
    ///
    /// Needs no user and no token.
    pub async fn info(&mut self) -> Result<Info, Error> {
        self.way = None;
        self.found = None;
        let found = self.detect().await?;
        let info = found.info.clone();
        self.found = Some(found);
        Ok(info)
    }

    /// The newest report of each inverter.
    ///
    /// A report that is dated more than a day ahead of the Envoy's own clock is among the refused.
    ///
    /// Finds out by itself how to ask, and does so again when a way that worked works no more:
    /// firmware updates come unannounced and change scheme and authentication.
    pub async fn inverters(&mut self) -> Result<Inverters, Error> {
        let mut inverters = self.read(&INVERTERS).await?;
        if let Some(now) = self.time() {
            inverters.refuse_later_than(now);
        }
        Ok(inverters)
    }

    /// The Envoy is to be asked at this address from now on. What it is known by goes with it: its serial,
    /// its certificate, and who is asking.
    pub fn move_to(&mut self, host: Host) {
        self.settings.host = host;
        self.way = None;
        self.found = None;
    }

    /// Where it is asked.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.settings.host
    }

    /// What the Envoy said of itself when it was asked last, also by a call that was for something
    /// else. Changes with a firmware update.
    #[must_use]
    pub fn last_info(&self) -> Option<&Info> {
        self.last.as_ref().map(|last| &last.found.info)
    }

    /// Where it answered last, such as `https://192.168.1.20`.
    #[must_use]
    pub fn address(&self) -> Option<String> {
        self.last.as_ref().map(|last| address(&last.found.base))
    }

    /// The certificate that it showed when it said last who it is. By http there is none, unless it had one
    /// before: then what became of that.
    #[must_use]
    pub fn certificate(&self) -> Option<&Certificate> {
        self.certificates.last()
    }

    /// How long each answer may take.
    #[must_use]
    pub fn read_timeout(&self) -> Duration {
        self.settings.read_timeout
    }

    /// The clock that it goes by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.settings.clock
    }

    /// When the token that was used last expires, in Unix seconds, as it says itself.
    #[must_use]
    pub fn token_expires_at(&self) -> Option<i64> {
        self.claims.expires_at
    }

    /// How long before its expiry a token has to be seen to: a month, an hour of one for twelve.
    #[must_use]
    pub fn token_is_due_ahead(&self) -> Option<SignedDuration> {
        Some(ahead(self.claims.issued_at, self.claims.expires_at?))
    }

    /// Whether its token is renewed without anybody's doing.
    #[must_use]
    pub fn token_renews(&self) -> bool {
        self.settings
            .token
            .as_ref()
            .is_some_and(TokenSource::renews)
    }

    /// Whether its account made a login at Enphase's cloud, in vain or not, since this process began.
    #[must_use]
    pub fn asked_the_cloud(&self) -> bool {
        let token = self.settings.token.as_ref();
        token.is_some_and(TokenSource::asked_the_cloud)
    }

    /// Asks one endpoint; where a way that worked before fails now, finds out anew and asks once
    /// more.
    async fn read<T>(&mut self, endpoint: &Endpoint<T>) -> Result<T, Error> {
        let worked_before = self.way.is_some();
        match self.try_read(endpoint).await {
            Err(error) if worked_before && suggests_a_change(&error) => {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "asking the Envoy anew who it is"
                );
                self.try_read(endpoint).await
            }
            result => result,
        }
    }

    async fn try_read<T>(&mut self, endpoint: &Endpoint<T>) -> Result<T, Error> {
        // Taken, not borrowed: only what shows that the way still holds puts it back.
        let mut way = match self.way.take() {
            Some(way) => way,
            None => self.find_way().await?,
        };
        let url = join(&way.found.base, endpoint.path);
        let asked = Instant::now();
        let answer = way.login.get(&self.transport, &url).await;
        if let Login::Token(session) = &way.login {
            self.claims = session.claims().clone();
            self.tried = Some(session.tried());
        }
        let answer = answer?;
        self.said_at = answer.date();
        self.note_clock(asked);
        let result = answer.into_body(&url).and_then(|body| {
            (endpoint.parse)(&body).map_err(|error| bad_answer(&url, &body, error.into()))
        });
        if result.is_ok() {
            self.certificates.holds(self.settings.clock.now());
        }
        if matches!(result, Ok(_) | Err(Error::Busy { .. })) {
            if let Login::Password(users) = &way.login {
                self.worked = users.first().map(str::to_owned);
            }
            self.way = Some(way);
        }
        result
    }

    async fn find_way(&mut self) -> Result<Way, Error> {
        let found = match self.found.take() {
            Some(found) => found,
            None => self.detect().await?,
        };
        let login = Login::plan(
            &self.settings,
            &found.info,
            self.worked.as_deref(),
            self.tried.as_ref(),
        )
        .await?;
        Ok(Way { found, login })
    }

    async fn detect(&mut self) -> Result<Found, Error> {
        self.certificates.begin();
        let host = match self.settings.certificate {
            // By http nobody can stand for anything.
            CertificatePolicy::System => self.settings.host.or_by(Scheme::Https),
            _ => self.settings.host.clone(),
        };
        let found = detection::detect(&self.transport, &host).await?;
        let now = self.settings.clock.now();
        self.check_serial(&found)?;
        self.judge(&found, now).await?;
        // A connection from before this judgement may lead to somebody else.
        self.transport = transport(&self.settings, &self.certificates);
        self.report(&found);
        self.note(&found, now.as_second());
        Ok(found)
    }

    fn report(&self, found: &Found) {
        let Info {
            serial, firmware, ..
        } = &found.info;
        let address = address(&found.base);
        match self.last_info() {
            None => tracing::info!(%serial, %firmware, address, "found the Envoy"),
            Some(before) if before.firmware != *firmware => {
                tracing::info!(%serial, before = %before.firmware, %firmware, address,
                    "the Envoy has another firmware");
            }
            Some(_) => tracing::debug!(%serial, %firmware, address, "found the Envoy again"),
        }
    }
}

fn transport(settings: &Settings, certificates: &Certificates) -> Transport {
    let (connect, read) = (settings.connect_timeout, settings.read_timeout);
    Transport::new(connect, read, certificates)
}

/// Whether an error may come of a change that asking `/info` would show. An Envoy that hangs is
/// left alone until the next poll.
fn suggests_a_change(error: &Error) -> bool {
    match error {
        Error::Unreachable { why, .. } => !matches!(why, Why::TimedOut | Why::Silent),
        // 400 is what a port says in clear that is one for https now.
        Error::BadAnswer { fault, .. } => matches!(fault, Fault::Redirect(_) | Fault::Status(400)),
        Error::Credentials(_) => true,
        _ => false,
    }
}
