//! What happens in the month, and when: one line each.

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The day, from 1.
    pub day: u64,
    /// The hour of that day, in UTC; it is noon at 12.
    pub hour: u64,
    /// What happens.
    pub event: Event,
}

/// What can happen.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// The Envoy is updated, by itself and in the middle of a run.
    Update(&'static str),
    /// It makes a new certificate.
    Certificate,
    /// It is away for two minutes, and then for three has not heard any inverter.
    Reboot,
    /// The router gives it another address, at which it announces itself.
    Move,
    /// An inverter is replaced.
    Replace,
    /// Something goes wrong with it: as `envoy-simulator --fault` writes it, times counted from now.
    Fault(&'static str),
    /// Enphase's cloud behaves otherwise from now on: as the simulator's control socket has it.
    Cloud(&'static str),
    /// The broker goes away.
    BrokerAway,
    /// The broker is back.
    BrokerBack,
}

const fn on(day: u64, hour: u64, event: Event) -> Entry {
    Entry { day, hour, event }
}

/// The firmware at the beginning.
pub const FIRMWARE: &str = "D5.0.62";

/// How many days it has.
pub const DAYS: u64 = 30;

/// What happens in it.
///
/// Tokens are good for four days, so that each is renewed eight hours before its end.
pub const MONTH: &[Entry] = &[
    on(1, 0, Event::Cloud("lifetime 96h")),
    on(1, 0, Event::Fault("nightly")),
    on(2, 10, Event::Reboot),
    // As with a password that somebody has changed: whatever is sent is refused.
    on(3, 6, Event::Fault("unauthorized@0s+24h")),
    on(5, 12, Event::Update("D7.6.175")),
    on(7, 9, Event::Fault("hang@0s+2h")),
    on(8, 14, Event::Certificate),
    // While a token is due, the cloud is away, and wants a second factor. The old one goes on working.
    on(9, 0, Event::Cloud("down on")),
    on(9, 9, Event::Cloud("down off")),
    on(12, 23, Event::Cloud("mfa on")),
    on(13, 9, Event::Cloud("mfa off")),
    on(13, 13, Event::Replace),
    on(14, 10, Event::Reboot),
    on(15, 15, Event::BrokerAway),
    on(15, 21, Event::BrokerBack),
    // Tokens are refused for a day, also those that are fetched anew.
    on(16, 6, Event::Fault("unauthorized@0s+24h")),
    on(18, 11, Event::Update("D8.3.5169")),
    on(19, 10, Event::Fault("refuse@0s+3h")),
    on(20, 10, Event::Fault("busy@0s+1h")),
    on(20, 14, Event::Fault("truncate@0s+1h~1/2")),
    on(21, 10, Event::Fault("html@0s+30m")),
    on(21, 12, Event::Fault("empty-list@0s+10m")),
    on(22, 13, Event::Fault("drip@0s+1h")),
    on(23, 2, Event::Reboot),
    on(24, 11, Event::Move),
    on(25, 13, Event::Update("D8.3.5433")),
    on(26, 12, Event::Replace),
    on(28, 12, Event::Certificate),
];
