//! When a fault strikes: `hang`, `hang@30s`, `hang@30s+10s`, `hang~1/5`, `hang@30s+10s~1/5`,
//! `hang/device-data`.

use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;
use thiserror::Error;

use super::endpoint::Endpoint;
use super::fault::Fault;
use crate::site::hash;

/// A fault with its times and its rate, written `FAULT[/ENDPOINT][@FROM[+LENGTH]][~1/N]`.
///
/// `ENDPOINT` is the only thing that it concerns; everything when it is left out.
/// `FROM` is how long after the simulator's start (or the injection) it begins, by our clock, which
/// is that of the clients that it hits, however fast the gateway's own runs; at once when it is
/// left out. `LENGTH` is how long it lasts; for ever when it is left out. `~1/N`: of N requests that
/// it concerns it strikes one, which one is decided by the simulator's seed; all when it is left
/// out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultPlan {
    fault: Fault,
    endpoint: Option<Endpoint>,
    from: Duration,
    length: Option<Duration>,
    one_in: Option<NonZeroU32>,
}

/// The text is not the plan of a fault.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{text:?} is no fault: {reason}")]
pub struct NotAFaultPlan {
    text: String,
    reason: Reason,
}

#[derive(Debug, Error, PartialEq, Eq)]
enum Reason {
    #[error("{name:?} is none of {}", Fault::names())]
    Name { name: String },
    #[error("{0:?} is not a length of time: write it as 30s, 2m or 500ms")]
    Time(String),
    #[error("{0:?} is not a rate: write it as 1/5, for one of five requests")]
    Rate(String),
    #[error("{name:?} is none of {}", Endpoint::names())]
    Endpoint { name: String },
    #[error("a closed port has no rate and no endpoint: give it a time, as in refuse@30s+10s")]
    PartOfRefuse,
}

impl FaultPlan {
    /// From then on, for so long.
    pub(crate) fn between(fault: Fault, from: Duration, length: Duration) -> Self {
        Self {
            from,
            length: Some(length),
            ..fault.into()
        }
    }

    /// What goes wrong.
    #[must_use]
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// The same, of one endpoint only.
    #[must_use]
    pub fn of(self, endpoint: Endpoint) -> Self {
        Self {
            endpoint: Some(endpoint),
            ..self
        }
    }

    /// Whether it concerns requests for that.
    pub(super) fn concerns(&self, endpoint: Option<Endpoint>) -> bool {
        self.endpoint.is_none() || self.endpoint == endpoint
    }

    /// Whether it is on, `elapsed` after its times began to count.
    pub(super) fn is_on(&self, elapsed: Duration) -> bool {
        elapsed >= self.begins() && self.ends().is_none_or(|end| elapsed < end)
    }

    pub(super) fn begins(&self) -> Duration {
        self.from
    }

    pub(super) fn ends(&self) -> Option<Duration> {
        Some(self.from.saturating_add(self.length?))
    }

    /// Whether it strikes what it meets after `met` others: one of each N in a row, in another
    /// place of each row, and the same ones for the same seed.
    pub(super) fn strikes(&self, met: u64, seed: u64) -> bool {
        let Some(n) = self.one_in else { return true };
        let n = u64::from(n.get());
        hash(&[seed, self.fault as u64, met / n]) % n == met % n
    }
}

impl From<Fault> for FaultPlan {
    /// At once, for ever, and always.
    fn from(fault: Fault) -> Self {
        Self {
            fault,
            endpoint: None,
            from: Duration::ZERO,
            length: None,
            one_in: None,
        }
    }
}

impl FromStr for FaultPlan {
    type Err = NotAFaultPlan;

    fn from_str(text: &str) -> Result<Self, NotAFaultPlan> {
        read(text).map_err(|reason| NotAFaultPlan {
            text: text.to_owned(),
            reason,
        })
    }
}

fn read(text: &str) -> Result<FaultPlan, Reason> {
    let (rest, rate) = split(text, '~');
    let (name, times) = split(rest, '@');
    let (name, endpoint) = split(name, '/');
    let fault = Fault::ALL.into_iter().find(|fault| fault.name() == name);
    let mut plan = FaultPlan::from(fault.ok_or_else(|| {
        let name = name.to_owned();
        Reason::Name { name }
    })?);
    if let Some(name) = endpoint {
        let endpoint = Endpoint::ALL.into_iter().find(|each| each.name() == name);
        let name = name.to_owned();
        plan.endpoint = Some(endpoint.ok_or(Reason::Endpoint { name })?);
    }
    if let Some(times) = times {
        let (from, length) = split(times, '+');
        plan.from = time(from)?;
        plan.length = length.map(time).transpose()?;
    }
    if let Some(rate) = rate {
        plan.one_in = Some(one_in(rate)?);
    }
    if plan.fault == Fault::Refuse && (plan.one_in.is_some() || plan.endpoint.is_some()) {
        return Err(Reason::PartOfRefuse);
    }
    Ok(plan)
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn time(text: &str) -> Result<Duration, Reason> {
    let refused = || Reason::Time(text.to_owned());
    let time: SignedDuration = text.parse().map_err(|_| refused())?;
    Duration::try_from(time).map_err(|_| refused())
}

fn one_in(text: &str) -> Result<NonZeroU32, Reason> {
    let n = text.strip_prefix("1/").and_then(|n| n.parse().ok());
    n.ok_or_else(|| Reason::Rate(text.to_owned()))
}
