//! Connections between a client and the broker: in order, until they break.

use std::collections::VecDeque;

/// What goes over a connection.
#[derive(Debug, Clone)]
pub(crate) enum Packet {
    /// With these filters, and the quality of service.
    Subscribe(Vec<(String, u8)>),
    /// With a number that the other side acknowledges.
    Publish { message: Message, number: u64 },
    /// Of the publish with this number.
    Acknowledge(u64),
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) topic: String,
    pub(crate) payload: String,
    /// To the broker: keep it. From the broker: it was kept.
    pub(crate) retain: bool,
}

/// How a connection is at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quality {
    /// All packets arrive within a turn.
    Good,
    /// So many packets each way and turn.
    Slow(usize),
    /// Nothing arrives, and nobody knows yet: until the turn at which the keep-alive ends it.
    HalfOpen(u64),
}

/// Both directions of a connection.
#[derive(Debug)]
pub(crate) struct Connection {
    /// Tells it from the next one of the same client.
    pub(crate) id: u64,
    pub(crate) up: VecDeque<Packet>,
    pub(crate) down: VecDeque<Packet>,
    pub(crate) quality: Quality,
}

impl Connection {
    pub(crate) fn new(id: u64) -> Self {
        Self {
            id,
            up: VecDeque::new(),
            down: VecDeque::new(),
            quality: Quality::Good,
        }
    }

    fn passes(&self) -> usize {
        match self.quality {
            Quality::Good => usize::MAX,
            Quality::Slow(packets) => packets,
            Quality::HalfOpen(_) => 0,
        }
    }

    /// What arrives at the broker in this turn.
    pub(crate) fn arrived_up(&mut self) -> Vec<Packet> {
        let packets = self.up.len().min(self.passes());
        self.up.drain(..packets).collect()
    }

    /// What arrives at the client in this turn.
    pub(crate) fn arrived_down(&mut self) -> Vec<Packet> {
        let packets = self.down.len().min(self.passes());
        self.down.drain(..packets).collect()
    }
}
