//! Which request an answer belongs to.
//!
//! rumqttc does not return the packet identifier of a publish or subscribe; it reports it afterwards,
//! with an event. The window counts these reports in the order of the requests:
//!
//! - Requests are given to rumqttc and entered here under one lock, so both have the same order.
//! - rumqttc takes requests one at a time from a first-in first-out queue (`EventLoop::next_request`,
//!   a flume channel), and for each publish or subscribe `MqttState::handle_outgoing_packet` pushes
//!   exactly one `Outgoing::Publish` or `Outgoing::Subscribe` before the packet is written. Events
//!   come out in the order in which they were pushed, so the n-th report belongs to the n-th request,
//!   and comes before its answer.
//! - There is one exception: a publish whose identifier is still taken. rumqttc then reports
//!   `Outgoing::AwaitAck`, stops taking requests of any kind, and sends the publish when that
//!   identifier is acknowledged; with PUBACKs out of order this is what wedges it. It can't happen
//!   here. `MqttState::next_pkid` counts 1, 2, … up to `inflight` and begins again, and the window
//!   frees its places in order, from the oldest. So all requests in the window have consecutive
//!   identifiers, at most [`PLACES`] of them, and with `inflight` at `PLACES + 1` the next one is
//!   never among them. For the same reason the in-flight count stays below `inflight`, the other
//!   condition under which rumqttc takes no requests, acknowledgements included.
//!
//! Subscribes take an identifier from the same count, so they take a place here, too.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

/// Requests under way at once: a window of 1,000 carries 20,000 messages a second over a round trip
/// of 50 ms, and what rumqttc allocates for it stays below 100 kB.
pub(crate) const PLACES: u16 = 1_000;

/// Whoever waits for the answer to a request.
#[derive(Debug)]
pub(crate) enum Waiting {
    /// For a PUBACK.
    Publish(oneshot::Sender<()>),
    /// For a SUBACK: whether each filter was granted, and how.
    Subscribe(oneshot::Sender<Vec<Grant>>),
}

/// What the broker grants for one filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grant {
    /// At least once, as asked.
    AtLeastOnce,
    /// At most once: messages could be lost.
    AtMostOnce,
    /// Nothing.
    Refused,
}

/// rumqttc and the window disagree; the connection can't be trusted any more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OutOfStep;

/// The requests under way on one connection, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Window {
    requests: VecDeque<Request>,
    /// How many of them, from the front, have their identifier.
    sent: usize,
    /// Since when the broker owes an answer.
    owing_since: Option<Instant>,
}

#[derive(Debug)]
struct Request {
    /// 0 until it is sent; no packet has that identifier (MQTT 3.1.1, 2.3.1).
    packet: u16,
    /// `None` once it is answered.
    waiting: Option<Waiting>,
}

impl Window {
    /// Enters a request that was just given to rumqttc.
    pub(crate) fn enter(&mut self, waiting: Waiting, now: Instant) {
        self.requests.push_back(Request {
            packet: 0,
            waiting: Some(waiting),
        });
        self.owing_since.get_or_insert(now);
    }

    /// A publish has got its identifier.
    pub(crate) fn publish_sent(&mut self, packet: u16) -> Result<(), OutOfStep> {
        self.request_sent(packet, |waiting| matches!(waiting, Waiting::Publish(_)))
    }

    /// A subscribe has got its identifier.
    pub(crate) fn subscribe_sent(&mut self, packet: u16) -> Result<(), OutOfStep> {
        self.request_sent(packet, |waiting| matches!(waiting, Waiting::Subscribe(_)))
    }

    fn request_sent(
        &mut self,
        packet: u16,
        is_kind: impl FnOnce(&Waiting) -> bool,
    ) -> Result<(), OutOfStep> {
        let request = self.requests.get_mut(self.sent).ok_or(OutOfStep)?;
        if !request.waiting.as_ref().is_some_and(is_kind) {
            return Err(OutOfStep);
        }
        request.packet = packet;
        self.sent += 1;
        Ok(())
    }

    /// A PUBACK came. Returns how many places became free.
    pub(crate) fn acknowledged(&mut self, packet: u16, now: Instant) -> Result<usize, OutOfStep> {
        match self.answered(packet)? {
            // Nobody may be waiting for it any more, which is no concern of the window's.
            Waiting::Publish(receipt) => drop(receipt.send(())),
            Waiting::Subscribe(_) => return Err(OutOfStep),
        }
        Ok(self.free(now))
    }

    /// A SUBACK came. Returns how many places became free.
    pub(crate) fn subscribed(
        &mut self,
        packet: u16,
        grants: Vec<Grant>,
        now: Instant,
    ) -> Result<usize, OutOfStep> {
        match self.answered(packet)? {
            Waiting::Subscribe(answer) => drop(answer.send(grants)),
            Waiting::Publish(_) => return Err(OutOfStep),
        }
        Ok(self.free(now))
    }

    /// Whether nothing is under way.
    pub(crate) fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// How long the broker has been owing an answer without giving any.
    pub(crate) fn owing_for(&self, now: Instant) -> Duration {
        self.owing_since
            .map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }

    /// Identifiers in the window are consecutive, so brokers that answer in order hit at once.
    fn answered(&mut self, packet: u16) -> Result<Waiting, OutOfStep> {
        self.requests
            .range_mut(..self.sent)
            .find(|request| request.packet == packet)
            .and_then(|request| request.waiting.take())
            .ok_or(OutOfStep)
    }

    /// Frees places in order, from the oldest: this keeps identifiers from colliding.
    fn free(&mut self, now: Instant) -> usize {
        let mut freed = 0;
        while self
            .requests
            .front()
            .is_some_and(|request| request.waiting.is_none())
        {
            self.requests.pop_front();
            freed += 1;
        }
        self.sent -= freed;
        self.owing_since = (!self.requests.is_empty()).then_some(now);
        freed
    }
}

#[cfg(test)]
mod tests;
