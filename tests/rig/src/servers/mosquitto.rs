//! Mosquitto with the configuration, the account command and the ACL that we ship.

mod accounts;
mod client;

use std::path::PathBuf;
use std::process::Command;

use testcontainers::core::{AccessMode, Mount};
use tokio::sync::{Mutex, MutexGuard};

pub use accounts::Account;
pub use client::{Client, Refused, Seen};

use accounts::Accounts;

use super::container::{self, Container};
use super::{STARTUP, record_run, skip};
use crate::wait;

const IMAGE: (&str, &str) = ("eclipse-mosquitto", "2.0");
const PORT: u16 = 1883;

/// The account by which the rig sees that the broker has read its accounts: it gets a new password
/// with each change.
const WITNESS: &str = "rig-witness";

/// A broker from the environment has one set of topics and accounts for all tests of a process, so
/// they take turns.
static GIVEN_BROKER: Mutex<()> = Mutex::const_new(());

/// A running broker.
pub struct Mosquitto {
    server: Server,
    accounts: Accounts,
}

enum Server {
    Given {
        host: String,
        port: u16,
        _turn: MutexGuard<'static, ()>,
    },
    Own(Box<Container>),
}

impl Mosquitto {
    /// Starts, or finds, a broker with these accounts. `None` when there is none for this test.
    ///
    /// # Panics
    ///
    /// When a broker that is there can't be used, and where a skip is a failure.
    pub async fn start(test: &str, accounts: &[Account]) -> Option<Self> {
        match std::env::var("TEST_MOSQUITTO") {
            Ok(address) => {
                let broker = Self::given(&address, accounts).await;
                record_run(test);
                Some(broker)
            }
            Err(_) => Self::start_own(test, accounts).await,
        }
    }

    /// Starts a broker that belongs to this test alone, which it may kill.
    ///
    /// # Panics
    ///
    /// When it does not come up in time, and where a skip is a failure.
    pub async fn start_own(test: &str, accounts: &[Account]) -> Option<Self> {
        match Self::in_container(accounts).await {
            Ok(broker) => {
                broker.wait_until_up().await;
                record_run(test);
                Some(broker)
            }
            Err(reason) => skip(test, "Mosquitto", &reason),
        }
    }

    async fn in_container(wanted: &[Account]) -> Result<Self, String> {
        // Asked first for a plain reason: the account command may need the engine, too.
        container::engine_answers().await?;
        let accounts = Accounts::temporary();
        for account in wanted {
            accounts.set(account).await?;
        }
        accounts.set(&Account::reader(WITNESS)).await?;
        let read_only = |source: PathBuf, target: &str| {
            Mount::bind_mount(source.display().to_string(), target)
                .with_access_mode(AccessMode::ReadOnly)
        };
        let mounts = [
            read_only(
                shipped("mosquitto.conf"),
                "/mosquitto/config/mosquitto.conf",
            ),
            read_only(
                accounts.directory().to_owned(),
                "/mosquitto/config/accounts",
            ),
        ];
        let container = Container::start(&IMAGE, PORT, &[], &mounts).await?;
        let server = Server::Own(Box::new(container));
        Ok(Self { server, accounts })
    }

    async fn given(address: &str, wanted: &[Account]) -> Self {
        let (host, port) = address
            .rsplit_once(':')
            .and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?)))
            .unwrap_or_else(|| panic!("TEST_MOSQUITTO={address} is not host:port"));
        let directory = std::env::var_os("TEST_MOSQUITTO_ACCOUNTS").expect(
            "TEST_MOSQUITTO needs TEST_MOSQUITTO_ACCOUNTS, the folder of accounts that it reads",
        );
        let broker = Self {
            server: Server::Given {
                host,
                port,
                _turn: GIVEN_BROKER.lock().await,
            },
            accounts: Accounts::at(directory.into()),
        };
        for account in wanted {
            // What an earlier test left may be of another kind, which the command refuses.
            let _ = broker.accounts.remove(account.user()).await;
            broker.set_unread(account).await;
        }
        broker.reload().await;
        for account in wanted {
            broker.clear_retained(account).await;
        }
        broker
    }

    /// The host to connect to.
    #[must_use]
    pub fn host(&self) -> &str {
        match &self.server {
            Server::Given { host, .. } => host,
            Server::Own(container) => container.host(),
        }
    }

    /// The port, the same after a restart.
    #[must_use]
    pub fn port(&self) -> u16 {
        match &self.server {
            Server::Given { port, .. } => *port,
            Server::Own(container) => container.port(),
        }
    }

    /// Makes or changes an account; the running broker knows it when this returns.
    ///
    /// # Panics
    ///
    /// When the account command fails or the broker does not take it up in time.
    pub async fn set_account(&self, account: &Account) {
        self.set_unread(account).await;
        self.reload().await;
    }

    /// Removes an account; the running broker refuses it when this returns.
    ///
    /// # Panics
    ///
    /// When there is none, or the broker does not take it up in time.
    pub async fn remove_account(&self, user: &str) {
        self.accounts
            .remove(user)
            .await
            .expect("the account can be removed");
        self.reload().await;
    }

    async fn set_unread(&self, account: &Account) {
        self.accounts
            .set(account)
            .await
            .expect("the account can be made");
    }

    /// Has the broker read its accounts, and waits until a witness with a new password may log in.
    async fn reload(&self) {
        let witness = Account::reader(WITNESS);
        self.set_unread(&witness).await;
        match &self.server {
            Server::Own(container) => container.signal("SIGHUP").await,
            Server::Given { .. } => {
                if let Ok(process) = std::env::var("TEST_MOSQUITTO_PID") {
                    let sent = Command::new("kill").args(["-HUP", &process]).status();
                    assert!(
                        sent.is_ok_and(|status| status.success()),
                        "cannot send SIGHUP to TEST_MOSQUITTO_PID={process}"
                    );
                }
            }
        }
        wait::until_true("the broker to read its accounts", STARTUP, async || {
            Client::connect(self, &witness, None).await.is_ok()
        })
        .await;
    }

    /// Kills the broker with -9; its disk stays as it is.
    ///
    /// # Panics
    ///
    /// For a broker that was given by the environment, as all that follow.
    pub async fn kill(&self) {
        self.own().kill().await;
    }

    /// Ends the broker in an orderly way, so that it writes its state.
    pub async fn stop(&self) {
        self.own().stop().await;
    }

    /// Starts it again after [`kill`](Self::kill) or [`stop`](Self::stop), on the same port.
    pub async fn start_again(&self) {
        self.own().start_again().await;
        self.wait_until_up().await;
    }

    fn own(&self) -> &Container {
        match &self.server {
            Server::Own(container) => container,
            Server::Given { .. } => panic!("a given broker is not ours to stop: use start_own"),
        }
    }

    /// Any answer to a login, a refusal too, comes from a broker that is up.
    async fn wait_until_up(&self) {
        let nobody = Account::reader("rig-nobody");
        let _ = Client::connect(self, &nobody, None).await;
    }

    /// Clears what an earlier test left retained in the topics that are the account's own.
    async fn clear_retained(&self, account: &Account) {
        let Some(filter) = account.own_topics() else {
            return;
        };
        let mark = filter.replace('#', "rig-mark");
        let mut client = Client::connect(self, account, Some(&filter))
            .await
            .expect("the account was just made");
        client.publish(&mark, "seen", false).await;
        // Retained messages come before anything that is published after the subscription.
        let seen = client
            .wait_for("the mark", STARTUP, |seen| {
                seen.iter().any(|message| message.topic == mark)
            })
            .await;
        for message in seen.iter().filter(|message| message.retain) {
            client.publish(&message.topic, "", true).await;
        }
    }
}

/// The path of a file in the repository's `mosquitto/`.
fn shipped(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../mosquitto")).join(name)
}
