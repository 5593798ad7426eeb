//! What outlives the process: the token that the Envoy took last, and the attempts to fetch one.

use std::io;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::task::spawn_blocking;

use super::super::renewal::Attempts;
use super::super::{Claims, Token};
use super::{AGAIN_AFTER, Keeper, MyTurn};
use crate::state_files::Kind;

impl Keeper {
    /// What an earlier process fetched, unless it is damaged or another Envoy's.
    pub(super) async fn kept(&self, serial: &str) -> Option<Token> {
        let path = self.files.path(Kind::Token, serial).unwrap_or_default();
        let text = match self.read(Kind::Token, serial).await {
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
    pub(super) async fn attempts<'a>(
        &self,
        serial: &str,
        turn: &'a mut MyTurn,
    ) -> &'a mut Attempts {
        if turn.is_none() {
            let saved = if self.files.is_read_only() {
                None
            } else {
                self.read(Kind::Attempts, serial).await.ok().flatten()
            };
            **turn = Some(saved.map_or_else(Attempts::default, |saved| Attempts::of(&saved)));
        }
        turn.get_or_insert_default()
    }

    /// What is on disk, which may take its time.
    async fn read(&self, kind: Kind, serial: &str) -> io::Result<Option<String>> {
        let (files, serial) = (self.files.clone(), serial.to_owned());
        let read = spawn_blocking(move || files.read(kind, &serial)).await;
        read.unwrap_or_else(|ended| Err(io::Error::other(ended)))
    }

    /// Whether it is on disk, or has no place there.
    pub(super) async fn write(&self, kind: Kind, serial: &str, text: SecretString) -> bool {
        let Err(error) = self.try_to_write(kind, serial, text).await else {
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

    /// Writes it where it has a place, which may take its time.
    pub(super) async fn try_to_write(
        &self,
        kind: Kind,
        serial: &str,
        text: SecretString,
    ) -> io::Result<()> {
        let (files, serial) = (self.files.clone(), serial.to_owned());
        let write = move || files.write(kind, &serial, text.expose_secret());
        let written = spawn_blocking(write).await;
        written.map_or_else(
            |ended| Err(io::Error::other(ended)),
            |written| written.map(drop),
        )
    }
}
