//! What all handles of one connection share.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, SetOnce};
use tokio::time::Instant;

use crate::client::{Client, NotTaken};
use crate::reason::Reason;
use crate::window::{Grant, OutOfStep, PLACES, Waiting, Window};

/// The connection has ended. What it had not confirmed may or may not have reached the broker, and
/// will not be sent again by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the connection to the broker has ended")]
pub struct Gone;

/// One connection, from the broker's CONNACK to its end. Nothing of it is carried over to the next.
pub(crate) struct Link {
    client: Client,
    session_present: bool,
    /// Room in the window. Freed by the window, in order.
    places: Semaphore,
    requests: Mutex<Requests>,
    /// Told when nothing is under way any more.
    settled: Notify,
    /// Told when there is something to send.
    called: Notify,
    /// The end, and why; `None` within when we ended it ourselves.
    ended: SetOnce<Option<Reason>>,
}

struct Requests {
    window: Window,
    /// Whether new ones are taken.
    open: bool,
}

impl Link {
    pub(crate) fn new(client: Client, session_present: bool) -> Self {
        Self {
            client,
            session_present,
            places: Semaphore::new(usize::from(PLACES)),
            requests: Mutex::new(Requests {
                window: Window::default(),
                open: true,
            }),
            settled: Notify::new(),
            called: Notify::new(),
            ended: SetOnce::new(),
        }
    }

    pub(crate) fn session_present(&self) -> bool {
        self.session_present
    }

    pub(crate) fn has_room(&self) -> bool {
        self.places.is_closed() || self.places.available_permits() > 0
    }

    /// Completes once there is a place in the window, or nobody waits for one any more.
    pub(crate) async fn room(&self) {
        let _ = self.places.acquire().await;
    }

    /// Waits for a place in the window, then sends. When this is cancelled, nothing was sent.
    pub(crate) async fn request(
        &self,
        waiting: Waiting,
        send: impl FnOnce(&Client) -> Result<(), NotTaken>,
    ) -> Result<(), Gone> {
        let place = self.places.acquire().await.map_err(|_| Gone)?;
        // Sending and entering under one lock: this is what gives both the same order.
        let mut requests = self.requests();
        if !requests.open {
            return Err(Gone);
        }
        send(&self.client).map_err(|NotTaken| Gone)?;
        requests.window.enter(waiting, Instant::now());
        place.forget();
        self.called.notify_one();
        Ok(())
    }

    /// Acknowledges a message of this connection. Never waits: see `client`.
    pub(crate) fn acknowledge(&self, packet: u16) -> Result<(), Gone> {
        if self.has_ended() {
            return Err(Gone);
        }
        match packet {
            // Delivered at most once: the broker wants no acknowledgement.
            0 => Ok(()),
            packet => {
                let taken = self.client.acknowledge(packet);
                self.called.notify_one();
                taken.map_err(|NotTaken| Gone)
            }
        }
    }

    /// Completes when there is something to send or an answer is awaited. One task at a time may wait for it.
    pub(crate) async fn busy(&self) {
        while self.is_idle() {
            self.called.notified().await;
        }
    }

    fn is_idle(&self) -> bool {
        let requests = self.requests();
        requests.open && requests.window.is_empty() && !self.client.has_acknowledgements()
    }

    pub(crate) fn publish_sent(&self, packet: u16) -> Result<(), OutOfStep> {
        self.requests().window.publish_sent(packet)
    }

    pub(crate) fn subscribe_sent(&self, packet: u16) -> Result<(), OutOfStep> {
        self.requests().window.subscribe_sent(packet)
    }

    pub(crate) fn acknowledged(&self, packet: u16) -> Result<(), OutOfStep> {
        self.answered(|window, now| window.acknowledged(packet, now))
    }

    pub(crate) fn subscribed(&self, packet: u16, grants: Vec<Grant>) -> Result<(), OutOfStep> {
        self.answered(|window, now| window.subscribed(packet, grants, now))
    }

    fn answered(
        &self,
        answer: impl FnOnce(&mut Window, Instant) -> Result<usize, OutOfStep>,
    ) -> Result<(), OutOfStep> {
        let window = &mut self.requests().window;
        self.places.add_permits(answer(window, Instant::now())?);
        if window.is_empty() {
            self.settled.notify_one();
        }
        Ok(())
    }

    /// How long the broker has been owing an answer without giving any.
    pub(crate) fn owed_for(&self) -> Duration {
        self.requests().window.owing_for(Instant::now())
    }

    /// Takes no more requests, nor those that wait for room; what is under way goes on.
    pub(crate) fn stop(&self) {
        self.requests().open = false;
        self.called.notify_one();
        self.places.close();
    }

    /// Waits until everything under way is answered. One task at a time may wait for it.
    pub(crate) async fn settled(&self) {
        while !self.requests().window.is_empty() {
            self.settled.notified().await;
        }
    }

    /// Sends the good-bye, behind everything that was requested before.
    pub(crate) fn disconnect(&self) {
        // Not taken means that the connection has ended, which is what is wanted.
        let _ = self.client.disconnect();
    }

    /// Ends this connection, for `reason`, or for none when we ended it ourselves: everything under
    /// way is answered with [`Gone`]. Only the first call counts.
    pub(crate) fn end(&self, reason: Option<Reason>) {
        let _ = self.ended.set(reason);
        let mut requests = self.requests();
        requests.open = false;
        requests.window = Window::default();
        self.places.close();
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.initialized()
    }

    /// Waits for the end; answers why, with `None` when we ended it ourselves.
    pub(crate) async fn ended(&self) -> Option<Reason> {
        self.ended.wait().await.clone()
    }

    fn requests(&self) -> MutexGuard<'_, Requests> {
        self.requests
            .lock()
            .expect("nothing panics while it holds this lock: it is held for queue operations only")
    }
}
