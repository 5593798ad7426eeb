//! How a test's client logs in.

use std::sync::{Arc, Mutex};

use rumqttc::{AsyncClient, MqttOptions};
use tokio::sync::watch;

use super::polling::{self, Seens, State};
use super::{Client, Refused};
use crate::servers::mosquitto::{Account, Mosquitto};
use crate::servers::random_secret;

/// Room between a test and the task that polls; a test sends one message at a time.
const REQUESTS: usize = 16;

/// As large as our own programs accept.
const MAX_PACKET: usize = 1024 * 1024;

/// How a client logs in.
#[derive(Debug, Clone)]
pub struct Login {
    options: MqttOptions,
    filter: Option<String>,
}

impl Login {
    /// As this account, with a client id of its own and a session that ends with the connection.
    #[must_use]
    pub fn new(broker: &Mosquitto, account: &Account) -> Self {
        let mut this = Self::anonymous(broker);
        this.options
            .set_credentials(account.user(), account.password());
        this
    }

    /// The same without an account.
    #[must_use]
    pub fn anonymous(broker: &Mosquitto) -> Self {
        let id = format!("test-{}", random_secret());
        let mut options = MqttOptions::new(id, broker.host(), broker.port());
        options.set_max_packet_size(MAX_PACKET, MAX_PACKET);
        let filter = None;
        Self { options, filter }
    }

    /// With this client id.
    #[must_use]
    pub fn id(mut self, id: &str) -> Self {
        self.options.set_client_id(id.to_owned());
        self
    }

    /// With a session that the broker keeps while the client is away.
    #[must_use]
    pub fn persistent(mut self) -> Self {
        self.options.set_clean_session(false);
        self
    }

    /// Acknowledging nothing but by [`Client::acknowledge`].
    #[must_use]
    pub fn manual_acknowledgements(mut self) -> Self {
        self.options.set_manual_acks(true);
        self
    }

    /// Sending messages of any size, and taking those that our own programs take.
    #[must_use]
    pub fn sending_any_size(mut self) -> Self {
        self.options.set_max_packet_size(MAX_PACKET, usize::MAX);
        self
    }

    /// Subscribed to `filter`, on each connection anew.
    #[must_use]
    pub fn subscribed(mut self, filter: &str) -> Self {
        self.filter = Some(filter.to_owned());
        self
    }

    /// Logs in.
    ///
    /// # Panics
    ///
    /// When the broker does not answer in time.
    pub async fn connect(self) -> Result<Client, Refused> {
        let Self { options, filter } = self;
        let (requests, events) = AsyncClient::new(options, REQUESTS);
        let (send_state, state) = watch::channel(State::default());
        let seen = Arc::new(Mutex::new(Seens::default()));
        let subscribes = filter.is_some();
        let polling = tokio::spawn(polling::run(
            events,
            requests.clone(),
            filter,
            Arc::clone(&seen),
            send_state,
        ));
        let mut client = Client {
            requests,
            seen,
            state,
            polling,
        };
        client.login().await?;
        if subscribes {
            client
                .reached("a subscription", |state| state.subscribed > 0)
                .await;
        }
        Ok(client)
    }
}
