//! A plain MQTT client for tests, which remembers all that it saw.

mod login;
mod polling;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rumqttc::{AsyncClient, ConnectReturnCode, QoS};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{Account, Mosquitto};
use crate::wait;
use polling::{Seens, State};

pub use login::Login;

/// For a single answer of a broker on the same machine.
const ANSWER: Duration = Duration::from_secs(20);

/// One message as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The topic it was published on.
    pub topic: String,
    /// The payload.
    pub payload: Vec<u8>,
    /// Whether the broker had kept it from before this subscription.
    pub retain: bool,
}

impl Seen {
    /// The payload as text.
    ///
    /// # Panics
    ///
    /// When it is none.
    #[must_use]
    pub fn text(&self) -> &str {
        str::from_utf8(&self.payload).expect("the payload is UTF-8")
    }
}

/// The broker refused the login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused(pub ConnectReturnCode);

/// A subscriber and publisher. It connects again by itself.
pub struct Client {
    requests: AsyncClient,
    seen: Arc<Mutex<Seens>>,
    state: watch::Receiver<State>,
    polling: JoinHandle<()>,
}

impl Client {
    /// Logs in, and subscribes to `filter` when there is one; see [`Login`].
    ///
    /// # Panics
    ///
    /// When the broker does not answer in time.
    pub async fn connect(
        broker: &Mosquitto,
        account: &Account,
        filter: Option<&str>,
    ) -> Result<Self, Refused> {
        let login = Login::new(broker, account);
        match filter {
            Some(filter) => login.subscribed(filter).connect().await,
            None => login.connect().await,
        }
    }

    async fn login(&mut self) -> Result<(), Refused> {
        let state = self
            .reached("a login", |state| {
                state.connected || state.refused.is_some()
            })
            .await;
        state.refused.map_or(Ok(()), |code| Err(Refused(code)))
    }

    /// Whether the broker still had this client's session when it let it in last.
    #[must_use]
    pub fn session_present(&self) -> bool {
        self.state.borrow().session_present
    }

    /// How often the broker has let it in: each time after the first it had been thrown out.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.state.borrow().connections
    }

    /// Subscribes, this once, and returns whether the broker grants it.
    ///
    /// # Panics
    ///
    /// When the answer does not come in time.
    pub async fn subscribe(&mut self, filter: &str) -> bool {
        let before = self.state.borrow().subscribed;
        self.requests
            .subscribe(filter, QoS::AtLeastOnce)
            .await
            .expect("the polling task lives as long as the client");
        self.reached("a subscription", |state| state.subscribed > before)
            .await
            .granted
    }

    /// Publishes at most once (`QoS` 0), of which nobody hears anything.
    ///
    /// # Panics
    ///
    /// Never: the polling task lives as long as the client.
    pub async fn publish_unconfirmed(&self, topic: &str, payload: impl AsRef<[u8]>) {
        self.requests
            .publish(topic, QoS::AtMostOnce, false, payload.as_ref().to_vec())
            .await
            .expect("the polling task lives as long as the client");
    }

    /// Acknowledges the first message that is not.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub async fn acknowledge(&self) {
        self.acknowledge_at(0).await;
    }

    /// Acknowledges one of those that are not, by its place among them, from 0.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub async fn acknowledge_at(&self, place: usize) {
        let message = self.lock().unacknowledged.remove(place);
        self.requests
            .ack(&message.expect("a message that is not acknowledged"))
            .await
            .expect("the polling task lives as long as the client");
    }

    /// Says good-bye, and returns when the broker has closed the connection.
    ///
    /// # Panics
    ///
    /// When it does not in time.
    pub async fn leave(mut self) {
        self.requests
            .disconnect()
            .await
            .expect("the polling task lives as long as the client");
        tokio::time::timeout(ANSWER, &mut self.polling)
            .await
            .expect("the broker closes the connection")
            .expect("polling does not panic");
    }

    /// Publishes at least once (`QoS` 1) and returns when the broker has acknowledged it, which Mosquitto does
    /// with messages that it drops for want of permission, too.
    ///
    /// # Panics
    ///
    /// When the acknowledgement does not come in time.
    pub async fn publish(&mut self, topic: &str, payload: impl AsRef<[u8]>, retain: bool) {
        let before = self.state.borrow().acknowledged;
        self.requests
            .publish(topic, QoS::AtLeastOnce, retain, payload.as_ref().to_vec())
            .await
            .expect("the polling task lives as long as the client");
        self.reached("an acknowledgement", |state| state.acknowledged > before)
            .await;
    }

    /// All messages so far, in the order of their arrival.
    ///
    /// # Panics
    ///
    /// Never: nothing panics while the list is locked.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.lock().all.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Seens> {
        self.seen.lock().expect("no holder panics")
    }

    /// Waits until the messages so far satisfy `condition`, and returns them.
    ///
    /// # Panics
    ///
    /// When `deadline` passes before, naming `what` was waited for.
    pub async fn wait_for(
        &self,
        what: &str,
        deadline: Duration,
        condition: impl Fn(&[Seen]) -> bool,
    ) -> Vec<Seen> {
        wait::until(what, deadline, async || {
            let seen = self.seen();
            condition(&seen).then_some(seen)
        })
        .await
    }

    async fn reached(&mut self, what: &str, condition: impl Fn(&State) -> bool) -> State {
        *tokio::time::timeout(ANSWER, self.state.wait_for(condition))
            .await
            .unwrap_or_else(|_| panic!("no {what} within {ANSWER:?}"))
            .expect("the polling task lives as long as the client")
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.polling.abort();
    }
}
