//! What the state topics say: how the gateway and its inverters do, and that the scraper is there. Pure, with the time
//! as an argument.
//!
//! Whoever shows values as current goes by all of these together, and the broker retains what they said before, however
//! long ago that was. So the scraper says that it is there last: once the newest readings are shown, and once it knows
//! whether the Envoy answers.

use std::collections::BTreeSet;

use tokio::time::Instant;
use wire::{BaseTopic, GatewayState, Health, ReportTime, Status, Topic};

use crate::dating::dated;

/// Why the readings can't be had when the first poll takes long.
const NOT_YET: &str = "the Envoy has not answered since the scraper started";

/// What is said, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    /// Which inverters' values are fresh: before the gateway that lets them be shown at all.
    Health,
    Gateway,
    Online,
}

/// What to publish on a state topic.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    clippy::large_enum_variant,
    reason = "one lives at a time, for as long as it takes to send it"
)]
pub(crate) enum Said {
    Health(Health),
    Gateway(GatewayState),
    Status(Status),
}

/// What is known, and what of it the broker has yet to be given.
#[derive(Debug)]
pub(crate) struct Presence {
    /// None before the first poll has ended.
    gateway: Option<GatewayState>,
    /// What the broker retains of the gateway, of an earlier scraper as a rule.
    before: Option<GatewayState>,
    health: Option<Health>,
    /// What the broker retains of the health, of an earlier scraper, until this one has said something of it.
    retained: Option<Health>,
    has_said_health: bool,
    due: BTreeSet<What>,
    /// When the end of the first poll is not waited for any longer.
    waits_until: Instant,
}

impl Presence {
    /// Of a scraper that has not polled yet.
    pub(crate) fn new(waits_until: Instant) -> Self {
        Self {
            gateway: None,
            before: None,
            health: None,
            retained: None,
            has_said_health: false,
            due: BTreeSet::new(),
            waits_until,
        }
    }

    /// The Envoy answered, `now` by its own clock in Unix seconds, if it says.
    pub(crate) fn answered(&mut self, gateway: GatewayState, health: Health, now: Option<i64>) {
        let retained = self.retained.take();
        let health = dated(health, self.health.as_ref().or(retained.as_ref()), now);
        if self.health.as_ref() != Some(&health) {
            self.health = Some(health);
            self.due.insert(What::Health);
        }
        self.gateway_is(gateway);
    }

    /// The Envoy does not answer.
    pub(crate) fn gateway_is(&mut self, gateway: GatewayState) {
        self.gateway = Some(gateway);
        self.due.insert(What::Gateway);
    }

    /// Takes in what the broker retains on one of our own topics.
    pub(crate) fn heard(&mut self, base: &BaseTopic, topic: &str, payload: &[u8]) {
        let Ok(topic) = Topic::parse(base, topic) else {
            return;
        };
        match topic {
            Topic::Gateway { .. } => {
                if let Ok(state) = GatewayState::decode(&topic, payload) {
                    self.before = Some(state);
                }
            }
            Topic::Health { .. } => {
                if let Ok(health) = Health::decode(&topic, payload) {
                    self.heard_health(health);
                }
            }
            _ => {}
        }
    }

    /// What was shown before this process goes on, whichever comes first, that or the Envoy's first answer.
    fn heard_health(&mut self, retained: Health) {
        // Since then it is ours, or that of a broker that was rolled back.
        if self.has_said_health {
            return;
        }
        if let Some(known) = self.health.take() {
            let at = known.changed_at.map(ReportTime::unix_seconds);
            self.health = Some(dated(known, Some(&retained), at));
        } else {
            self.retained = Some(retained);
        }
    }

    /// There is a new connection, whose broker may have lost what it retained; or it has dropped what it was sent.
    pub(crate) fn begins_anew(&mut self) {
        self.due = [What::Health, What::Gateway, What::Online].into();
    }

    /// Somebody begins to listen who may not have been shown what is retained.
    pub(crate) fn say_again(&mut self) {
        self.due.extend([What::Health, What::Gateway]);
    }

    /// When there may be something to say although nothing has happened.
    pub(crate) fn due(&self) -> Option<Instant> {
        let waits = self.due.contains(&What::Online) && self.gateway.is_none();
        waits.then_some(self.waits_until)
    }

    /// What to say next; the same again until it was [`sent`](Self::sent). Not to be asked before the newest readings
    /// are shown.
    pub(crate) fn next(&self, now: Instant) -> Option<Said> {
        if self.gateway.is_none() && now < self.waits_until {
            return None;
        }
        self.due.iter().find_map(|what| match what {
            What::Health => self.health.clone().map(Said::Health),
            What::Gateway => self.gateway_now().map(Said::Gateway),
            What::Online => Some(Said::Status(Status::Online)),
        })
    }

    /// This is on its way.
    pub(crate) fn sent(&mut self, said: &Said) {
        self.has_said_health |= matches!(said, Said::Health(_));
        self.due.remove(&match said {
            Said::Health(_) => What::Health,
            Said::Gateway(_) => What::Gateway,
            Said::Status(_) => What::Online,
        });
    }

    /// The gateway as it is now. What this process has not been told yet stays as it was before: a gateway that is
    /// away at the start is still the one that it was, and answered when it did.
    fn gateway_now(&self) -> Option<GatewayState> {
        let before = self.before.clone();
        let (now, before) = match (self.gateway.clone(), before) {
            (now, None) => return now,
            // Whoever has been answered knows.
            (Some(now), _) if now.last_poll_at.is_some() => return Some(now),
            (Some(now), Some(before)) => (now, before),
            (None, Some(before)) => {
                return Some(GatewayState {
                    scraper_version: env!("CARGO_PKG_VERSION").to_owned(),
                    reports_overwritten: 0,
                    clock_skew_s: None,
                    reachable: false,
                    problem: Some(NOT_YET.to_owned()),
                    ..before
                });
            }
        };
        Some(GatewayState {
            firmware: now.firmware.or(before.firmware),
            part_number: now.part_number.or(before.part_number),
            address: now.address.or(before.address),
            token_expires_at: now.token_expires_at.or(before.token_expires_at),
            last_poll_at: now.last_poll_at.or(before.last_poll_at),
            ..now
        })
    }
}

#[cfg(test)]
mod tests;
