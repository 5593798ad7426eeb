//! What the publisher has to say when a person is needed: once for each time that it begins.

use wire::{InstanceId, Reading, Serial};

/// What was said already.
#[derive(Debug)]
pub(crate) struct Complaints {
    envoy: Serial,
    /// Whether it was said that we may not publish.
    not_allowed: bool,
    /// Readings given up since the outbox was last empty.
    lost: u64,
    another_scraper: Option<InstanceId>,
}

impl Complaints {
    pub(crate) fn new(envoy: Serial) -> Self {
        Self {
            envoy,
            not_allowed: false,
            lost: 0,
            another_scraper: None,
        }
    }

    pub(crate) fn not_allowed(&mut self) {
        if !std::mem::replace(&mut self.not_allowed, true) {
            tracing::error!(
                envoy = %self.envoy,
                "not allowed to publish: our own announcement did not come back. Give this account \
                 read and write access to the topics of this Envoy (mosquitto/account scraper SERIAL \
                 does). Readings are kept until it comes"
            );
        }
    }

    /// Our announcement has come back.
    pub(crate) fn allowed(&mut self) {
        if std::mem::take(&mut self.not_allowed) {
            tracing::info!(
                envoy = %self.envoy,
                "the broker lets us publish now; what it may have dropped is sent again"
            );
        }
    }

    pub(crate) fn another_scraper(&mut self, instance: InstanceId) {
        if self.another_scraper.as_ref() != Some(&instance) {
            tracing::error!(
                envoy = %self.envoy,
                %instance,
                "a second scraper publishes for this Envoy; stop one of them"
            );
            self.another_scraper = Some(instance);
        }
    }

    pub(crate) fn given_up(&mut self, reading: &Reading) {
        if self.lost == 0 {
            tracing::error!(
                inverter = %reading.serial,
                reported_at = %reading.reported_at,
                "the broker has been away for too long: the oldest readings are given up"
            );
        }
        self.lost += 1;
    }

    /// The broker has taken everything that was left.
    pub(crate) fn all_delivered(&mut self) {
        if self.lost > 0 {
            tracing::error!(readings = self.lost, "given up while the broker was away");
            self.lost = 0;
        }
    }

    pub(crate) fn stopped_with(&self, waiting: usize) {
        tracing::error!(
            envoy = %self.envoy,
            waiting,
            "stopped with readings that the broker had not taken; they are lost"
        );
    }
}
