//! The handle of one connection: what can be done on it.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::sync::oneshot;

use crate::client::Client;
use crate::config::Message;
use crate::link::{Gone, Link};
use crate::window::{Grant, Waiting};

/// Why a subscription was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubscribeError {
    /// The connection has ended.
    #[error(transparent)]
    Gone(#[from] Gone),
    /// This is not a topic filter; nothing was sent.
    #[error("'{0}' is not a topic filter")]
    Invalid(String),
    /// The broker refused these filters.
    #[error("the broker refuses to subscribe us to {}; check the account's rights", .0.join(", "))]
    Refused(Vec<String>),
    /// The broker would deliver these filters' messages at most once, so that some could be lost.
    #[error("the broker grants only QoS 0 for {}", .0.join(", "))]
    Downgraded(Vec<String>),
}

/// A handle of one connection; cheap to clone. Once the connection has ended, all calls answer
/// [`Gone`].
#[derive(Clone)]
pub struct Connection(Arc<Link>);

impl Connection {
    pub(crate) fn new(link: Arc<Link>) -> Self {
        Self(link)
    }

    /// Whether the broker still knew this client's session: its subscriptions, and what it had yet
    /// to deliver. Never with a clean session.
    #[must_use]
    pub fn session_present(&self) -> bool {
        self.0.session_present()
    }

    /// Subscribes to all of `filters`, at least once, and waits for the broker's answer. An empty list is
    /// a success. Cancelling gives up only the answer.
    pub async fn subscribe<F>(&self, filters: F) -> Result<(), SubscribeError>
    where
        F: IntoIterator<Item: Into<String>>,
    {
        self.request_subscription(filters, Grant::AtLeastOnce).await
    }

    /// The same, but at most once: such messages need no acknowledgement, so a broker sends them past
    /// those that wait for theirs, and none that was missed. For what means something only the moment
    /// it comes.
    pub async fn overhear<F>(&self, filters: F) -> Result<(), SubscribeError>
    where
        F: IntoIterator<Item: Into<String>>,
    {
        self.request_subscription(filters, Grant::AtMostOnce).await
    }

    async fn request_subscription<F>(&self, filters: F, wanted: Grant) -> Result<(), SubscribeError>
    where
        F: IntoIterator<Item: Into<String>>,
    {
        let filters: Vec<String> = filters.into_iter().map(Into::into).collect();
        if let Some(invalid) = filters.iter().find(|filter| !Client::can_subscribe(filter)) {
            return Err(SubscribeError::Invalid(invalid.clone()));
        }
        if filters.is_empty() {
            return Ok(());
        }
        let (answer, grants) = oneshot::channel();
        self.0
            .request(Waiting::Subscribe(answer), |client| {
                client.subscribe(&filters, wanted)
            })
            .await?;
        judge(filters, &grants.await.map_err(|_| Gone)?, wanted)
    }

    /// Whether [`publish`](Self::publish) would not have to wait: fewer messages are unconfirmed than may be. So it is, too,
    /// on a connection that has ended, where nothing waits.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.0.has_room()
    }

    /// Completes once there is [room](Self::has_room).
    pub async fn room(&self) {
        self.0.room().await;
    }

    /// Publishes, at least once. Waits while too much is unconfirmed already; the receipt is done when
    /// the broker has confirmed this message. Messages of one task keep their order. When this is
    /// cancelled, nothing was published.
    ///
    /// A message that no connection could carry (a wildcard in its topic, more than
    /// [`MAX_PACKET`](crate::MAX_PACKET)) is given up with an ERROR and its receipt is done at once:
    /// sending it again could never succeed.
    pub async fn publish(&self, message: Message) -> Result<Receipt, Gone> {
        let (answer, receipt) = oneshot::channel();
        if !Client::can_send(&message) {
            let (topic, bytes) = (&message.topic, message.payload.len());
            tracing::error!(
                topic,
                bytes,
                "a message that can't be sent is given up: its topic is invalid or it is too large"
            );
            let _ = answer.send(());
            return Ok(Receipt(receipt));
        }
        self.0
            .request(Waiting::Publish(answer), |client| client.publish(message))
            .await?;
        Ok(Receipt(receipt))
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("session_present", &self.0.session_present())
            .field("ended", &self.0.has_ended())
            .finish_non_exhaustive()
    }
}

fn judge(filters: Vec<String>, grants: &[Grant], wanted: Grant) -> Result<(), SubscribeError> {
    let with = |grant: Grant| -> Vec<String> {
        let granted = filters.iter().zip(grants);
        granted
            .filter(|(_, granted)| **granted == grant)
            .map(|(filter, _)| filter.clone())
            .collect()
    };
    let (refused, downgraded) = (with(Grant::Refused), with(Grant::AtMostOnce));
    if grants.len() != filters.len() {
        Err(SubscribeError::Refused(filters))
    } else if !refused.is_empty() {
        Err(SubscribeError::Refused(refused))
    } else if wanted == Grant::AtLeastOnce && !downgraded.is_empty() {
        Err(SubscribeError::Downgraded(downgraded))
    } else {
        Ok(())
    }
}

/// Done when the broker has confirmed a message, or [`Gone`] when its connection ended before.
#[derive(Debug)]
#[must_use = "only a receipt that is done says that the broker has the message"]
pub struct Receipt(oneshot::Receiver<()>);

impl Future for Receipt {
    type Output = Result<(), Gone>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = ready!(Pin::new(&mut self.0).poll(context));
        Poll::Ready(answer.map_err(|_| Gone))
    }
}
