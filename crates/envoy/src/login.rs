//! Who is asking: planned by the firmware, and kept for as long as it works.

mod password;
mod session;

use url::Url;

use crate::endpoints::info::Info;
use crate::error::Error;
use crate::exchange::{Answer, Connections, Transport};
use crate::settings::Settings;

pub(crate) use password::Users;
pub(crate) use session::{Session, Tried, session_cookie};

/// The way in.
#[derive(Debug)]
pub(crate) enum Login {
    /// A user and password, below firmware 7.
    Password(Users),
    /// A token and the session that comes of it, from firmware 7 on.
    Token(Box<Session>),
}

impl Login {
    /// The way into the Envoy that says this of itself. `worked` is the user that worked
    /// before, `tried` are the tokens of the session before.
    pub(crate) async fn plan(
        settings: &Settings,
        info: &Info,
        worked: Option<&str>,
        tried: Option<&Tried>,
    ) -> Result<Self, Error> {
        if !info.takes_tokens() {
            return Ok(Self::Password(Users::new(settings, &info.serial, worked)));
        }
        match &settings.token {
            Some(source) => Ok(Self::Token(Box::new(
                Session::open(source, &info.serial, &settings.clock, tried).await?,
            ))),
            None => Err(Error::TokenMissing {
                serial: info.serial.clone(),
                firmware: info.firmware.clone(),
            }),
        }
    }

    /// Asks, and proves who is asking where that is wanted.
    pub(crate) async fn get(&mut self, transport: &Transport, url: &Url) -> Result<Answer, Error> {
        match self {
            Self::Password(users) => users.get(transport, url, Connections::Fresh).await,
            Self::Token(session) => session.get(transport, url, Connections::Kept).await,
        }
    }

    /// The same as who was let in last, but a refusal is an answer like any other: for what not everybody may
    /// read.
    pub(crate) async fn get_once(
        &mut self,
        transport: &Transport,
        url: &Url,
    ) -> Result<Answer, Error> {
        match self {
            Self::Password(users) => users.ask(transport, url, Connections::Fresh).await,
            Self::Token(session) => session.ask(transport, url, Connections::Kept).await,
        }
    }
}
