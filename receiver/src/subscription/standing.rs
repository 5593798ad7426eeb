//! How things stand with the broker: a connection that begins, holds and ends, and what the service manager is told.

use mqtt::{Connection, Reason};
use store::MarkedStore;

use super::Subscription;

impl<S: MarkedStore> Subscription<S> {
    /// A connection that comes and goes is one outage until it has held.
    pub(super) fn still_connected(&mut self) {
        if let Some(connection) = &self.connection {
            self.complaints.connected(connection.session_present());
        }
    }

    pub(super) fn say_status(&self) {
        let (broker, store) = &self.status;
        self.part.status(&format!("{store}; {broker}"));
    }

    pub(super) fn connected(&mut self, connection: Connection) {
        self.complaints.connected(connection.session_present());
        self.metrics.connected(true);
        "connected to the broker".clone_into(&mut self.status.0);
        self.say_status();
        self.greet(connection);
    }

    pub(super) fn disconnected(&mut self, reason: &Reason) {
        self.complaints.disconnected(reason);
        self.metrics.connected(false);
        self.status.0 = format!("no connection to the broker: {reason}");
        self.say_status();
        self.connection = None;
        self.greeting = None;
        self.asking = None;
        self.proof.disconnected();
        self.gathering.disconnected();
    }
}
