//! What every daemon of this workspace has, written once.
//!
//! The life of a daemon, in reading order: [`settings`] gathers flags, environment and file into
//! typed values and lists every mistake at once; [`command_line`] makes the flags out of the same
//! table of keys; [`broker`] reads the section that both daemons share; [`logs`] starts logging;
//! [`signals`] says when to stop; [`service`] tells the service manager how things stand;
//! [`state_dir`] where to keep things; [`tasks`] runs the parts and ends the process when one of them
//! ends unasked; [`outage`] says what is away and when it is back; [`exit`] has the exit codes.
//! [`check`] tries all that a daemon needs, step by step; [`health`] shows those who ask over HTTP how it
//! goes, by [`http`], a server that nobody can hold up.

pub mod broker;
pub mod check;
pub mod command_line;
pub mod deadline;
pub mod exit;
pub mod health;
pub mod http;
pub mod logs;
pub mod outage;
pub mod random;
#[cfg(feature = "sabotage")]
pub mod sabotage;
pub mod service;
pub mod settings;
pub mod signals;
pub mod state_dir;
pub mod tasks;

/// Makes ring the cryptography of every TLS connection of this process. Each `main` does this
/// first: a library that finds no choice made, or two to choose from, panics.
pub fn install_crypto_provider() {
    // An error only says that a provider is in place already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
