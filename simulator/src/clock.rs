//! The gateway's clock: ours, or one that runs faster until it has caught up with ours.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

/// Our time, by which the gateway's clock goes: the system's, or that of a test in which a month passes
/// in a minute. Faults and waits are those of tokio's time, which such a test moves as well.
#[derive(Clone)]
pub struct OurTime(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl OurTime {
    /// The time that this returns, which never goes back.
    #[must_use]
    pub fn new(read: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// What it is now.
    pub(crate) fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl Default for OurTime {
    fn default() -> Self {
        Self::new(Timestamp::now)
    }
}

impl fmt::Debug for OurTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OurTime").field(&self.now()).finish()
    }
}

/// Maps our time to the gateway's.
///
/// It begins at `from` and runs `speed` times as fast as ours. It never passes ours: once it has
/// caught up it goes on at real time, so that no report ever comes from the future.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    ours: OurTime,
    began: Timestamp,
    from: Timestamp,
    speed: u32,
}

impl Clock {
    /// A clock that shows `from` when ours shows `began`.
    pub(crate) fn new(ours: OurTime, began: Timestamp, from: Timestamp, speed: u32) -> Self {
        Self {
            ours,
            began,
            from,
            speed,
        }
    }

    /// A clock that is ours.
    pub(crate) fn real(ours: OurTime, began: Timestamp) -> Self {
        Self::new(ours, began, began, 1)
    }

    /// What the gateway's clock shows when ours shows `real`.
    pub(crate) fn at(&self, real: Timestamp) -> Timestamp {
        let elapsed = (real.as_nanosecond() - self.began.as_nanosecond()).max(0);
        let simulated = self.from.as_nanosecond() + elapsed * i128::from(self.speed);
        // Beyond what a timestamp can hold is also beyond our own time.
        Timestamp::from_nanosecond(simulated).map_or(real, |simulated| simulated.min(real))
    }

    /// How much faster than ours it runs at most.
    pub(crate) fn speed(&self) -> u32 {
        self.speed
    }

    /// What the gateway's clock shows now.
    pub(crate) fn now(&self) -> Timestamp {
        self.at(self.ours.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a small number of seconds")
    }

    #[test]
    fn it_runs_faster_than_ours() {
        let clock = Clock::new(OurTime::default(), second(1_000_000), second(0), 600);
        assert_eq!(clock.at(second(1_000_000)), second(0));
        assert_eq!(clock.at(second(1_000_010)), second(6_000));
    }

    #[test]
    fn it_never_passes_ours_and_then_goes_on_at_real_time() {
        let clock = Clock::new(OurTime::default(), second(1_000_000), second(999_000), 101);
        assert_eq!(clock.at(second(1_000_009)), second(999_909));
        for later in 10..100_000 {
            assert_eq!(
                clock.at(second(1_000_000 + later)),
                second(1_000_000 + later)
            );
        }
    }

    #[test]
    fn a_step_back_of_our_clock_does_not_bring_it_before_its_beginning() {
        let clock = Clock::new(OurTime::default(), second(1_000_000), second(5_000), 60);
        assert_eq!(clock.at(second(999_000)), second(5_000));
    }

    #[test]
    fn at_speed_one_it_is_ours() {
        let clock = Clock::real(OurTime::default(), second(1_000_000));
        assert_eq!(clock.at(second(1_234_567)), second(1_234_567));
    }
}
