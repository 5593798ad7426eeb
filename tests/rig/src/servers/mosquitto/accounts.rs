//! The broker's accounts, made by the very command that users run.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::servers::random_secret;

/// Who an account is for, which decides what it may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Scraper,
    Receiver,
    Reader {
        home_assistant: bool,
    },
    /// Of the rig's own making.
    Watcher,
}

/// A user of the broker, with a password that is new for each test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    role: Role,
    user: String,
    password: String,
    /// The base topic, where it is not the usual one.
    topic: Option<&'static str>,
    /// Home Assistant's prefix, where it is not the usual one.
    prefix: Option<&'static str>,
}

impl Account {
    /// A scraper of the Envoy `serial`.
    #[must_use]
    pub fn scraper(serial: &str) -> Self {
        Self::new(Role::Scraper, serial)
    }

    /// The receiver `name`.
    #[must_use]
    pub fn receiver(name: &str) -> Self {
        Self::new(Role::Receiver, name)
    }

    /// Somebody who only reads.
    #[must_use]
    pub fn reader(name: &str) -> Self {
        let home_assistant = false;
        Self::new(Role::Reader { home_assistant }, name)
    }

    /// Home Assistant, which reads and announces itself.
    #[must_use]
    pub fn home_assistant(name: &str) -> Self {
        let home_assistant = true;
        Self::new(Role::Reader { home_assistant }, name)
    }

    /// Somebody who sees every topic there is, which the account command lets nobody.
    #[must_use]
    pub fn watcher(name: &str) -> Self {
        Self::new(Role::Watcher, name)
    }

    /// The same account with rights below another base topic, for a test of missing ones.
    #[must_use]
    pub fn with_topic(mut self, topic: &'static str) -> Self {
        self.topic = Some(topic);
        self
    }

    /// The same account for a Home Assistant that listens below another prefix.
    #[must_use]
    pub fn with_home_assistant_prefix(mut self, prefix: &'static str) -> Self {
        self.prefix = Some(prefix);
        self
    }

    /// The filter of the topics that only this account writes, if there are any.
    pub(super) fn own_topics(&self) -> Option<String> {
        match self.role {
            Role::Scraper => Some(format!("envoy/{}/#", self.user)),
            Role::Receiver => Some(format!("envoy-receiver/{}/#", self.user)),
            Role::Reader { .. } | Role::Watcher => None,
        }
    }

    fn new(role: Role, user: &str) -> Self {
        Self {
            role,
            user: user.to_owned(),
            password: random_secret(),
            topic: None,
            prefix: None,
        }
    }

    /// The MQTT user name.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The password, in clear.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The same account with another password, for a test of wrong ones.
    #[must_use]
    pub fn with_password(mut self, password: &str) -> Self {
        password.clone_into(&mut self.password);
        self
    }
}

/// The folder with the password and ACL files.
pub(super) struct Accounts {
    directory: PathBuf,
    /// Removes the folder in the end, when it is ours.
    _temporary: Option<TempDir>,
}

impl Accounts {
    /// A folder of our own.
    pub(super) fn temporary() -> Self {
        let temporary = tempfile::tempdir().expect("a temporary folder can be made");
        Self {
            directory: temporary.path().join("accounts"),
            _temporary: Some(temporary),
        }
    }

    /// A folder that a running broker reads.
    pub(super) fn at(directory: PathBuf) -> Self {
        Self {
            directory,
            _temporary: None,
        }
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Makes the account, or changes it to be as given.
    pub(super) async fn set(&self, account: &Account) -> Result<(), String> {
        let mut arguments = vec![
            match account.role {
                Role::Scraper => "scraper",
                Role::Receiver => "receiver",
                Role::Reader { .. } | Role::Watcher => "reader",
            },
            &account.user,
            "--password-file",
            "-",
        ];
        if account.role
            == (Role::Reader {
                home_assistant: true,
            })
        {
            arguments.push("--home-assistant");
        }
        if let Some(topic) = account.topic {
            arguments.extend(["--topic", topic]);
        }
        if let Some(prefix) = account.prefix {
            arguments.extend(["--home-assistant-prefix", prefix]);
        }
        self.command(&arguments, &account.password).await?;
        if account.role == Role::Watcher {
            // A second block for the user, which the account command keeps when it changes others.
            self.append(&format!("user {}\ntopic read #", account.user))
                .await?;
        }
        Ok(())
    }

    /// Adds a block to the ACL.
    pub(super) async fn append(&self, lines: &str) -> Result<(), String> {
        let block = format!("\n{lines}\n");
        let path = self.directory.join("acl");
        let file = std::fs::OpenOptions::new().append(true).open(&path);
        match file.and_then(|mut file| file.write_all(block.as_bytes())) {
            Ok(()) => Ok(()),
            // The broker's own file, which only root may write: then in a container, as the command does.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                let mut docker = Command::new("docker");
                docker
                    .args(["run", "--rm", "--interactive", "--network", "none"])
                    .args(["--user", "0:0", "--entrypoint", "/bin/sh", "--volume"])
                    .arg(format!("{}:/accounts", self.directory.display()))
                    .arg(format!("{}:{}", super::IMAGE.0, super::IMAGE.1))
                    .args(["-c", "cat >>/accounts/acl"]);
                run(docker, &block).await
            }
            Err(error) => Err(format!("cannot add to {}: {error}", path.display())),
        }
    }

    /// Removes the account of that name.
    pub(super) async fn remove(&self, user: &str) -> Result<(), String> {
        self.command(&["remove", user], "").await
    }

    async fn command(&self, arguments: &[&str], input: &str) -> Result<(), String> {
        let mut command = Command::new(super::shipped("account"));
        command
            .args(arguments)
            .arg("--directory")
            .arg(&self.directory);
        run(command, input)
            .await
            .map_err(|error| format!("mosquitto/account {}: {error}", arguments.join(" ")))
    }
}

/// Runs a command to its end with `input`; an error is what it said.
async fn run(mut command: Command, input: &str) -> Result<(), String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot run it: {error}"))?;
    let mut stdin = child.stdin.take().expect("standard input is piped above");
    // A command that refuses its arguments is gone before it reads; its exit code tells.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let output = child
        .wait_with_output()
        .await
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}
