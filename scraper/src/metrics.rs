//! What the scraper counts and shows. Each part sets its own, where it happens; without `LISTEN` nobody
//! looks.

mod inverters;
mod known;

use std::time::Duration;

use daemon::health::{Board, Milestone, Moment};
use envoy::Note;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Unit;
use wire::{Health, Reading, Serial};

use crate::journal::Journals;
use crate::reach::Unreached;
use inverters::Inverters;
use known::Known;

/// In seconds: most Envoys take less than one, old ones with many inverters half a minute.
const POLL_BUCKETS: [f64; 9] = [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// What an inverter can be.
const STATES: [&str; 3] = ["reporting", "asleep", "silent"];

/// One count for each kind of failure.
type ByKind = Family<[(&'static str, &'static str); 1], Counter>;

/// One count for each endpoint and kind of failure: both are words of ours, so that they are few.
type ByEndpoint = Family<[(&'static str, &'static str); 2], Counter>;

/// A number of inverters for each state.
type ByState = Family<[(&'static str, &'static str); 1], Gauge>;

/// The handles of all metrics; cheap to clone.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// The Envoy let us in, and gave its readings.
    pub(crate) authenticated: Milestone,
    pub(crate) last_poll: Moment,
    poll_duration: Histogram,
    polls_failed: ByKind,
    asked_in_vain: ByEndpoint,
    pub(crate) values_refused: Counter,
    inverter_states: ByState,
    pub(crate) last_publish: Moment,
    pub(crate) last_acknowledge: Moment,
    pub(crate) published: Counter,
    pub(crate) sent_again: Counter,
    pub(crate) asked_for: Counter,
    pub(crate) given_up: Counter,
    waiting: Gauge,
    broker_connected: Gauge,
    journal_readings: Gauge,
    journal_bytes: Gauge,
    token_expiry: Known,
    inverters: Option<Inverters>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            authenticated: Milestone::default(),
            last_poll: Moment::default(),
            poll_duration: Histogram::new(POLL_BUCKETS),
            polls_failed: ByKind::default(),
            asked_in_vain: ByEndpoint::default(),
            values_refused: Counter::default(),
            inverter_states: ByState::default(),
            last_publish: Moment::default(),
            last_acknowledge: Moment::default(),
            published: Counter::default(),
            sent_again: Counter::default(),
            asked_for: Counter::default(),
            given_up: Counter::default(),
            waiting: Gauge::default(),
            broker_connected: Gauge::default(),
            journal_readings: Gauge::default(),
            journal_bytes: Gauge::default(),
            token_expiry: Known::default(),
            inverters: None,
        }
    }
}

impl Metrics {
    /// Metrics that the board shows, with those of each inverter if that is chosen.
    #[must_use]
    pub fn register(board: &mut Board, each_inverter: bool) -> Self {
        let metrics = Self {
            authenticated: board.milestone("the first readings of the Envoy"),
            inverters: each_inverter.then(|| Inverters::register(board.registry())),
            ..Self::default()
        };
        for kind in Unreached::KINDS {
            drop(metrics.polls_failed.get_or_create(&[("kind", kind)]));
        }
        for state in STATES {
            drop(metrics.inverter_states.get_or_create(&[("state", state)]));
        }
        metrics.register_own(board);
        metrics
    }

    fn register_own(&self, board: &mut Board) {
        let registry = board.registry().sub_registry_with_prefix("envoy_scraper");
        self.last_poll.register(
            registry,
            "last_poll_timestamp",
            "When the Envoy was last read, as Unix time; 0 before",
        );
        registry.register_with_unit(
            "poll_duration",
            "How long a poll took, whatever came of it",
            Unit::Seconds,
            self.poll_duration.clone(),
        );
        registry.register(
            "polls_failed",
            "Polls that brought nothing, by what was wrong",
            self.polls_failed.clone(),
        );
        registry.register(
            "endpoints_failed",
            "Endpoints beside the inverters' that were asked in vain, by what was wrong: missing, slow, broken",
            self.asked_in_vain.clone(),
        );
        registry.register(
            "values_refused",
            "Reports and other values that can't be, such as a time in the Envoy's future; one that stays counts at each poll",
            self.values_refused.clone(),
        );
        registry.register(
            "inverters",
            "Inverters by how they do: reporting, asleep, or silent while others report",
            self.inverter_states.clone(),
        );
        self.last_publish.register(
            registry,
            "last_publish_timestamp",
            "When a reading was last handed to the connection to the broker, as Unix time; 0 before",
        );
        self.last_acknowledge.register(
            registry,
            "last_acknowledge_timestamp",
            "When the broker last acknowledged a reading, as Unix time; 0 before",
        );
        registry.register(
            "readings_published",
            "Readings that the broker acknowledged, unasked for; one that had to be sent anew counts again",
            self.published.clone(),
        );
        registry.register(
            "readings_asked_for",
            "Readings that receivers lacked and asked for",
            self.asked_for.clone(),
        );
        registry.register(
            "readings_sent_again",
            "Readings that the broker acknowledged, sent because a receiver had asked",
            self.sent_again.clone(),
        );
        registry.register(
            "readings_given_up",
            "Readings that left the full journal before the broker had them",
            self.given_up.clone(),
        );
        registry.register(
            "readings_waiting",
            "Readings that wait for the broker",
            self.waiting.clone(),
        );
        registry.register(
            "broker_connected",
            "Whether there is a connection to the broker, 1 or 0",
            self.broker_connected.clone(),
        );
        registry.register(
            "journal_readings",
            "Readings that the journals hold",
            self.journal_readings.clone(),
        );
        registry.register_with_unit(
            "journal_size",
            "The size of the journal's file; 0 without one",
            Unit::Bytes,
            self.journal_bytes.clone(),
        );
        registry.register_with_unit(
            "token_expiry_timestamp",
            "When the Envoy's token expires, as Unix time; absent where none is used, or none was shown to the Envoy yet",
            Unit::Seconds,
            self.token_expiry.clone(),
        );
    }

    /// A poll took so long, and brought nothing if there is an error.
    pub(crate) fn polled(&self, took: Duration, error: Option<&Unreached>) {
        self.poll_duration.observe(took.as_secs_f64());
        match error {
            None => {
                self.last_poll.is_now();
                self.authenticated.reach();
            }
            Some(error) => self.poll_failed(error),
        }
    }

    /// The Envoy could not be asked what was wanted of it.
    pub(crate) fn poll_failed(&self, error: &Unreached) {
        let kind = [("kind", error.kind())];
        self.polls_failed.get_or_create(&kind).inc();
    }

    /// A poll asked for these in vain; it has its inverters all the same.
    pub fn asked_in_vain(&self, notes: &[Note]) {
        for note in notes {
            let labels = [("endpoint", note.endpoint), ("kind", note.failure.as_str())];
            self.asked_in_vain.get_or_create(&labels).inc();
        }
    }

    /// The inverters do so.
    pub(crate) fn health(&self, health: &Health) {
        let counts = [health.reporting, health.asleep, health.silent];
        for (state, inverters) in STATES.into_iter().zip(counts) {
            let gauge = self.inverter_states.get_or_create(&[("state", state)]);
            gauge.set(inverters.into());
        }
    }

    /// Takes in readings, and that the Envoy's clock shows `now`, as Unix time; does nothing where
    /// inverters are not shown.
    pub fn readings(&self, envoy: &Serial, readings: &[Reading], now: Option<i64>) {
        if let Some(inverters) = &self.inverters {
            if let Some(now) = now {
                inverters.forget_later_than(now);
            }
            inverters.take(readings);
            if let Some(now) = now {
                inverters.look(envoy, now);
            }
        }
    }

    /// This inverter is forgotten: nothing is shown of it until it reports again.
    pub(crate) fn forget(&self, envoy: &Serial, inverter: &Serial) {
        if let Some(inverters) = &self.inverters {
            inverters.forget(envoy, inverter);
        }
    }

    /// The journals as they are now.
    pub(crate) fn journals(&self, journals: &Journals) {
        let readings = journals.spans().iter().map(wire::JournalSpan::len).sum();
        self.journal_readings.set(whole(readings));
        self.journal_bytes.set(whole(journals.bytes()));
    }

    /// The expiry of the token that the Envoy was shown last, as Unix time, whether it was let in or not.
    pub(crate) fn token_expires_at(&self, time: Option<i64>) {
        self.token_expiry.set(time);
    }

    /// So many readings wait for the broker.
    pub(crate) fn waiting(&self, readings: u64) {
        self.waiting.set(whole(readings));
    }

    /// There is a connection to the broker, or none.
    pub(crate) fn connected(&self, is_connected: bool) {
        self.broker_connected.set(is_connected.into());
    }
}

/// A number as a gauge takes it. None here comes near the bound.
fn whole(number: u64) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}
