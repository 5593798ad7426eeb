//! What outlives the process: the token that the Envoy took last, and the attempts to fetch one.

use secrecy::{ExposeSecret as _, SecretString};

use super::super::renewal::Attempts;
use super::super::{Claims, Token};
use super::{AGAIN_AFTER, Keeper, MyTurn};
use crate::state_files::Kind;

impl Keeper {
    /// What an earlier process fetched, unless it is damaged or another Envoy's.
    pub(super) fn kept(&self, serial: &str) -> Option<Token> {
        let path = self.files.path(Kind::Token, serial).unwrap_or_default();
        let text = match self.files.read(Kind::Token, serial) {
            Ok(text) => text?,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    path = %path.display(),
                    "the token that was kept can't be read; another one is fetched"
                );
                return None;
            }
        };
        let is_its_own =
            |claims: &Claims| claims.audience.is_some() && claims.other_audience(serial).is_none();
        let token = Token::parse(&text.into()).ok();
        let token = token.filter(|token| is_its_own(&token.claims));
        if token.is_none() {
            tracing::warn!(
                path = %path.display(),
                "what was kept as this Envoy's token is none; another one is fetched"
            );
        }
        token
    }

    /// What was tried so far, by an earlier process too. Whoever only looks is a person who wants to know,
    /// and may try.
    pub(super) fn attempts<'a>(&self, serial: &str, turn: &'a mut MyTurn) -> &'a mut Attempts {
        turn.get_or_insert_with(|| {
            if self.files.is_read_only() {
                return Attempts::default();
            }
            let saved = self.files.read(Kind::Attempts, serial);
            Attempts::of(&saved.ok().flatten().unwrap_or_default())
        })
    }

    /// Whether it is on disk, or has no place there.
    pub(super) async fn write(&self, kind: Kind, serial: &str, text: SecretString) -> bool {
        let (files, of) = (self.files.clone(), serial.to_owned());
        // It waits for the disk.
        let write = move || files.write(kind, &of, text.expose_secret());
        let written = tokio::task::spawn_blocking(write).await;
        let Ok(Err(error)) = written else {
            return true;
        };
        let now = self.clock.now();
        let before = self.state().unwritten.replace(now);
        if before.is_none_or(|before| (now - before).abs() >= AGAIN_AFTER) {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                path = %self.files.path(kind, serial).unwrap_or_default().display(),
                "what is known of the Envoy's token can't be kept on disk; after a restart another one is fetched"
            );
        } else {
            self.state().unwritten = before;
        }
        false
    }
}
