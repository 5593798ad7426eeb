//! Mosquitto with the configuration, the account command and the ACL that we ship.

mod accounts;
mod certificates;
mod client;
mod configuration;
mod disk;
mod life;
mod reload;
mod saved_state;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use testcontainers::core::{AccessMode, Mount};
use tokio::sync::{Mutex, MutexGuard};

pub use accounts::Account;
pub use certificates::Certificate;
pub use client::{Client, Login, Refused, Seen};
pub use configuration::Configuration;
pub use disk::Snapshot;

use accounts::Accounts;
use certificates::Certificates;
use reload::WITNESS;

use super::container::{self, Container};
use super::{STARTUP, record_run, skip};

const IMAGE: (&str, &str) = ("eclipse-mosquitto", "2.0");
const PORT: u16 = 1883;

/// Of the listener for TLS, which only some tests have.
const PORT_TLS: u16 = 8883;

/// The name of the file that it reads its settings from.
const CONFIGURATION: &str = "mosquitto.conf";

/// Where that finds its certificate, inside.
const TLS_FOLDER: &str = "/mosquitto/config/tls";

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
    Own(Box<Own>),
}

/// A broker of the test's own.
struct Own {
    container: Container,
    /// With a TLS listener.
    certificates: Option<Certificates>,
    /// What it writes to disk.
    disk: TempDir,
    /// Holds its configuration.
    folder: TempDir,
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
        Self::start_with(test, accounts, &Configuration::shipped()).await
    }

    /// The same with another configuration.
    ///
    /// # Panics
    ///
    /// As [`start_own`](Self::start_own).
    pub async fn start_with(
        test: &str,
        accounts: &[Account],
        configuration: &Configuration,
    ) -> Option<Self> {
        match Self::in_container(accounts, configuration).await {
            Ok(broker) => {
                broker.wait_until_up().await;
                if configuration.has_tls() {
                    // Only now is it known which host the certificate must be for: where the tests
                    // run in a container themselves, it is not `localhost`.
                    broker.show(Certificate::Right).await;
                }
                record_run(test);
                Some(broker)
            }
            Err(reason) => skip(test, "Mosquitto", &reason),
        }
    }

    async fn in_container(
        wanted: &[Account],
        configuration: &Configuration,
    ) -> Result<Self, String> {
        // Asked first for a plain reason: the account command may need the engine, too.
        container::engine_answers().await?;
        let accounts = Accounts::temporary();
        for account in wanted {
            accounts.set(account).await?;
        }
        accounts.set(&Account::reader(WITNESS)).await?;
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let file = folder.path().join(CONFIGURATION);
        fs::write(&file, configuration.text()).expect("a temporary folder can be written");
        let certificates = configuration.has_tls().then(Certificates::new);

        // Mosquitto has given up root's rights when it writes there.
        let disk = tempfile::tempdir().expect("a temporary folder can be made");
        let open_to_all = fs::Permissions::from_mode(0o777);
        fs::set_permissions(disk.path(), open_to_all).expect("it is our own");

        let read_only = |source: &Path, target: &str| {
            Mount::bind_mount(source.display().to_string(), target)
                .with_access_mode(AccessMode::ReadOnly)
        };
        let mut mounts = vec![
            read_only(&file, "/mosquitto/config/mosquitto.conf"),
            read_only(accounts.directory(), "/mosquitto/config/accounts"),
            Mount::bind_mount(disk.path().display().to_string(), "/mosquitto/data"),
        ];
        let mut ports = vec![PORT];
        if let Some(certificates) = &certificates {
            mounts.push(read_only(certificates.folder(), TLS_FOLDER));
            ports.push(PORT_TLS);
        }
        let container = Container::start(&IMAGE, &ports, &[], &mounts).await?;
        let own = Own {
            container,
            certificates,
            disk,
            folder,
        };
        let server = Server::Own(Box::new(own));
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
            Server::Own(own) => own.container.host(),
        }
    }

    /// The port, the same after a restart.
    #[must_use]
    pub fn port(&self) -> u16 {
        match &self.server {
            Server::Given { port, .. } => *port,
            Server::Own(own) => own.container.port(PORT),
        }
    }

    /// Its address for the daemons.
    #[must_use]
    pub fn url(&self) -> String {
        format!("mqtt://{}:{}", self.host(), self.port())
    }

    /// The address of its TLS listener.
    ///
    /// # Panics
    ///
    /// Without one, as all that follow about TLS.
    #[must_use]
    pub fn tls_url(&self) -> String {
        let port = self.own().port(PORT_TLS);
        format!("mqtts://{}:{port}", self.host())
    }

    /// The CA that signed its right certificate.
    #[must_use]
    pub fn ca_file(&self) -> &Path {
        self.certificates().ca_file()
    }

    /// A CA that signed for it once, and has expired.
    #[must_use]
    pub fn expired_ca_file(&self) -> &Path {
        self.certificates().expired_ca_file()
    }

    fn certificates(&self) -> &Certificates {
        let certificates = match &self.server {
            Server::Own(own) => own.certificates.as_ref(),
            Server::Given { .. } => None,
        };
        certificates.expect("this broker was started with a TLS listener")
    }

    fn own(&self) -> &Container {
        &self.parts().container
    }

    fn parts(&self) -> &Own {
        match &self.server {
            Server::Own(own) => own,
            Server::Given { .. } => panic!("a given broker is not ours to change: use start_own"),
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
