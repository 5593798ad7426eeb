//! What can be changed while a simulator runs.

use std::time::Duration;

use thiserror::Error;

use super::Simulator;
use crate::board::NotUpdated;
use crate::certificate::CertificateError;
use crate::cloud::{CloudRequest, CloudSwitch};
use crate::faults::{Fault, FaultPlan};
use crate::firmware::Firmware;
use crate::hold::Hold;
use crate::server::GatewayRequest;
use crate::site::{NotChanged, NotReplaced, Panels};

/// The simulator shows each report as it comes.
#[derive(Debug, Error)]
#[error("no report is held on show: start the simulator with --hold")]
pub struct NothingHeld;

/// The simulator has no cloud.
#[derive(Debug, Error)]
#[error("there is no cloud: start the simulator with --cloud")]
pub struct NoCloud;

impl Simulator {
    /// One more fault, its times counted from now: `Fault::Hang.into()`, or a plan.
    pub fn inject(&self, plan: FaultPlan) {
        self.faults.add(plan);
    }

    /// Ends all faults, also those whose time is still to come.
    pub fn heal(&self) {
        self.faults.heal();
    }

    /// What holds reports on show, where the options ask for it.
    fn hold(&self) -> Result<&Hold, NothingHeld> {
        self.hold.as_deref().ok_or(NothingHeld)
    }

    /// A reader has started: complete answers until now count no more.
    ///
    /// # Errors
    /// Where reports are not held, as of all that follow.
    pub fn reader_started(&self) -> Result<(), NothingHeld> {
        self.hold()?.reader_started();
        Ok(())
    }

    /// Nothing new is shown any more.
    pub fn freeze(&self) -> Result<(), NothingHeld> {
        self.hold()?.freeze(true);
        Ok(())
    }

    /// What is new is shown again.
    pub fn thaw(&self) -> Result<(), NothingHeld> {
        self.hold()?.freeze(false);
        Ok(())
    }

    /// Sets the gateway's clock back: reports from now on are dated by it, but none as one before it.
    pub fn set_back(&self, by: Duration) -> Result<(), NothingHeld> {
        self.hold()?.set_back(by);
        Ok(())
    }

    /// Another firmware, with all that comes with it: scheme, authentication, shapes, and a new
    /// certificate from 7 on. Connections are cut, as by the boot that ends an update; site, serial and
    /// history stay.
    ///
    /// # Errors
    /// Where a recording is replayed, and for a version of which there are no sites.
    pub fn update(&self, firmware: Firmware) -> Result<(), NotUpdated> {
        self.board.update(firmware)
    }

    /// It is at its next address from now on, with all that it had, as after a router has given it another one.
    /// Nothing changes where the options name none, nor at the second time.
    pub fn move_on(&self) {
        if self.next_address.is_some() {
            self.board.move_on();
        }
    }

    /// A new certificate, from firmware 7 on. Connections are cut.
    pub fn renew_certificate(&self) -> Result<(), CertificateError> {
        self.board.renew_certificate()
    }

    /// A reboot: connections are cut and sessions forgotten; for `down` new ones are refused; then, for
    /// `waking`, no inverter was heard yet and the list is empty, of which a gateway of firmware 7 or
    /// later spends the first half in saying 503. Both by our clock, as with faults, and ended by
    /// [`Simulator::heal`] like those.
    pub fn reboot(&self, down: Duration, waking: Duration) {
        let tokens = self.board.current().firmware().uses_tokens();
        let half = waking / 2;
        let (busy, empty) = if tokens {
            (half, half)
        } else {
            (Duration::ZERO, waking)
        };
        let asks = down.saturating_add(busy);
        let plans = [
            FaultPlan::between(Fault::Refuse, Duration::ZERO, down),
            FaultPlan::between(Fault::Busy, down, busy),
            FaultPlan::between(Fault::EmptyList, asks, empty),
        ];
        for plan in plans {
            self.faults.add(plan);
        }
        self.board.reboot();
    }

    /// Puts a new inverter in the place of one, and says its serial. The old one stays in the list with
    /// what it has reported last; the new one has no date until it reports.
    ///
    /// # Errors
    /// Where a recording is replayed, and when no inverter in use has this serial.
    pub fn replace(&self, inverter: &str) -> Result<String, NotReplaced> {
        self.board.current().envoy.gateway().replace(inverter)
    }

    /// This inverter reports no more, from now on.
    ///
    /// # Errors
    /// Where a recording is replayed, and when no inverter in use has this serial; as of the two that follow.
    pub fn kill(&self, inverter: &str) -> Result<(), NotChanged> {
        self.change(inverter, Panels::Dead)
    }

    /// This inverter gives only so many per cent of what it would, from now on; 100 at most.
    pub fn shade(&self, inverter: &str, percent: u8) -> Result<(), NotChanged> {
        let share = f64::from(percent.min(100)) / 100.0;
        self.change(inverter, Panels::Shaded(share))
    }

    /// This inverter is neither dead nor shaded any more.
    pub fn cure(&self, inverter: &str) -> Result<(), NotChanged> {
        self.change(inverter, Panels::Well)
    }

    fn change(&self, inverter: &str, is: Panels) -> Result<(), NotChanged> {
        let boot = self.board.current();
        boot.envoy.gateway().change(inverter, is)
    }

    /// The gateway's counters of lifetimes, those of its meters among them, show this many watt-hours now and
    /// count on, as after an update: 0 for a counter that was set back, some below 1,193,046 for one that
    /// wraps soon on firmware 7.0 to 8.2.127. Those of a recording stand still.
    pub fn count_from(&self, wh: u32) {
        self.board.current().envoy.gateway().count_from(wh);
    }

    /// What the gateway was asked since this was called last, where the options say that it is noted: in
    /// the order in which the requests ended, the newest 100,000. Not those that never got beyond TLS.
    #[must_use]
    pub fn take_requests(&self) -> Vec<GatewayRequest> {
        let requests = self.requests.as_ref();
        requests.map(|requests| requests.take()).unwrap_or_default()
    }

    /// What the cloud was asked since the start, in order; the newest 100,000.
    ///
    /// # Errors
    /// Where there is no cloud, as of the one that follows.
    pub fn cloud_requests(&self) -> Result<Vec<CloudRequest>, NoCloud> {
        Ok(self.cloud.as_ref().ok_or(NoCloud)?.cloud().requests())
    }

    /// Changes how the cloud behaves from now on.
    pub fn switch_cloud(&self, switch: CloudSwitch) -> Result<(), NoCloud> {
        self.cloud.as_ref().ok_or(NoCloud)?.cloud().switch(switch);
        Ok(())
    }
}
