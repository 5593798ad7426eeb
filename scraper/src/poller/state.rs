//! The gateway as others are shown it.

use envoy::Gateway;
use tokio::sync::mpsc;
use wire::{ClockTime, GatewayState, Subject};

use super::{Poll, Poller, back};

impl Poller {
    /// The gateway as it is now, with why its readings can't be had.
    pub(super) fn gateway_state(&mut self, problem: Option<String>) -> GatewayState {
        if problem.is_none() {
            let now = self.gateway().map(|gateway| gateway.clock().now());
            self.last_poll_at = now.and_then(|now| clock_time(now.as_second()));
        }
        let gateway = self.gateway();
        let stale = self.changes.stale(gateway.and_then(Gateway::time));
        let info = gateway.and_then(Gateway::last_info);
        GatewayState {
            envoy: self.envoy.clone(),
            firmware: info.map(|info| info.firmware.to_string()),
            part_number: info.and_then(|info| info.part_number.clone()),
            address: gateway.and_then(Gateway::address),
            clock_skew_s: gateway.and_then(Gateway::clock_skew),
            token_expires_at: gateway
                .and_then(Gateway::token_expires_at)
                .and_then(clock_time),
            scraper_version: env!("CARGO_PKG_VERSION").to_owned(),
            last_poll_at: self.last_poll_at,
            reports_overwritten: self.overwritten.count(),
            reachable: problem.is_none(),
            problem,
            stale: stale.iter().map(Subject::to_string).collect(),
            not_of_today: self.changes.not_of_today().cloned().collect(),
        }
    }

    /// Tells that the readings can't be had. Whether anybody listens.
    pub(super) async fn tell_away(&mut self, reason: &str, polls: &mpsc::Sender<Poll>) -> bool {
        let state = Box::new(self.gateway_state(Some(reason.to_owned())));
        polls.send(Poll::Failed(state)).await.is_ok()
    }

    /// It answers.
    pub(super) fn is_well(&mut self) {
        back(&mut self.outage);
        if let Some(gateway) = self.reach.gateway() {
            self.expiry.look_at(gateway);
        }
        let now = self.gateway().map(|gateway| gateway.clock().now());
        if let Some(Ok(now)) = now.map(|now| now.round(jiff::Unit::Second)) {
            self.part.status(&format!("last poll at {now}"));
        }
    }
}

/// A time that the contract can carry; a clock outside of it is not worth a message.
fn clock_time(unix_seconds: i64) -> Option<ClockTime> {
    ClockTime::from_unix_seconds(unix_seconds).ok()
}
