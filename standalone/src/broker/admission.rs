//! Who is let in to the embedded broker, where it has an account.

use std::future::ready;
use std::net::SocketAddr;
use std::pin::Pin;

use mqtt5::broker::auth::{AuthProvider, AuthResult};
use mqtt5::packet::connect::ConnectPacket;
use mqtt5::protocol::v5::reason_codes::ReasonCode;

use crate::account::Account;

type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Lets in whoever has the account, and leaves all topics to him.
pub(super) struct Admission(pub(super) Account);

impl AuthProvider for Admission {
    fn authenticate<'a>(
        &'a self,
        connect: &'a ConnectPacket,
        client: SocketAddr,
    ) -> Answer<'a, mqtt5::Result<AuthResult>> {
        let username = connect.username.as_deref().unwrap_or("");
        let password = connect.password.as_deref().unwrap_or(b"");
        let result = if self.0.admits(username.as_bytes(), password) {
            AuthResult::success_with_user(username)
        } else {
            tracing::warn!(%client, "a client without the right BROKER_USERNAME and BROKER_PASSWORD was refused");
            AuthResult::fail(ReasonCode::BadUsernameOrPassword)
        };
        Box::pin(ready(Ok(result)))
    }

    fn authorize_publish<'a>(
        &'a self,
        _client: &str,
        user: Option<&'a str>,
        _topic: &'a str,
    ) -> Answer<'a, bool> {
        Box::pin(ready(user.is_some()))
    }

    fn authorize_subscribe<'a>(
        &'a self,
        _client: &str,
        user: Option<&'a str>,
        _filter: &'a str,
    ) -> Answer<'a, bool> {
        Box::pin(ready(user.is_some()))
    }
}
