//! What the receiver counts and shows. Each part sets its own, where it happens; without `LISTEN` nobody
//! looks.

use std::time::Duration;

use daemon::health::{Board, Milestone, Moment};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Unit;
use store::{WriteError, Written};

/// In seconds: an InfluxDB on the same machine takes milliseconds, and a request ten seconds at most.
const WRITE_BUCKETS: [f64; 9] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 10.0];

/// In readings, up to the largest batch.
const BATCH_BUCKETS: [f64; 7] = [1.0, 5.0, 20.0, 100.0, 500.0, 1000.0, 5000.0];

/// The kinds of failed writes.
const UNAVAILABLE: &str = "unavailable";
const CONFIGURATION: &str = "configuration";
const UNPROVEN: &str = "unproven";

/// The handles of all metrics; cheap to clone.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// The broker took our subscriptions.
    pub(crate) subscribed: Milestone,
    /// The store answered.
    pub(crate) store_reached: Milestone,
    pub(crate) last_receive: Moment,
    last_write: Moment,
    pub(crate) last_acknowledge: Moment,
    write_duration: Histogram,
    writes_failed: Family<[(&'static str, &'static str); 1], Counter>,
    batch: Histogram,
    points_written: Counter,
    dead_letters: Counter,
    waiting: Gauge,
    pub(crate) asked_for: Counter,
    pub(crate) lost: Counter,
    broker_connected: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            subscribed: Milestone::default(),
            store_reached: Milestone::default(),
            last_receive: Moment::default(),
            last_write: Moment::default(),
            last_acknowledge: Moment::default(),
            write_duration: Histogram::new(WRITE_BUCKETS),
            writes_failed: Family::default(),
            batch: Histogram::new(BATCH_BUCKETS),
            points_written: Counter::default(),
            dead_letters: Counter::default(),
            waiting: Gauge::default(),
            asked_for: Counter::default(),
            lost: Counter::default(),
            broker_connected: Gauge::default(),
        }
    }
}

impl Metrics {
    /// Metrics that the board shows.
    #[must_use]
    pub fn register(board: &mut Board) -> Self {
        let metrics = Self {
            subscribed: board.milestone("the broker to take its subscriptions"),
            store_reached: board.milestone("the store to answer"),
            ..Self::default()
        };
        for kind in [UNAVAILABLE, CONFIGURATION, UNPROVEN] {
            drop(metrics.writes_failed.get_or_create(&[("kind", kind)]));
        }
        metrics.register_own(board);
        metrics
    }

    fn register_own(&self, board: &mut Board) {
        let registry = board.registry().sub_registry_with_prefix("envoy_receiver");
        self.last_receive.register(
            registry,
            "last_receive_timestamp",
            "When a message last came from the broker, as Unix time; 0 before",
        );
        self.last_write.register(
            registry,
            "last_write_timestamp",
            "When the store last took readings, as Unix time; 0 before",
        );
        self.last_acknowledge.register(
            registry,
            "last_acknowledge_timestamp",
            "When a message was last acknowledged to the broker, as Unix time; 0 before",
        );
        registry.register_with_unit(
            "write_duration",
            "How long the store took for a batch, whatever came of it",
            Unit::Seconds,
            self.write_duration.clone(),
        );
        registry.register(
            "batch_readings",
            "How many readings a batch has",
            self.batch.clone(),
        );
        registry.register(
            "writes_failed",
            "Batches that the store did not take, by what was wrong; each is tried again",
            self.writes_failed.clone(),
        );
        registry.register(
            "points_written",
            "Readings that the store took",
            self.points_written.clone(),
        );
        registry.register(
            "dead_letters",
            "Messages that can never be stored",
            self.dead_letters.clone(),
        );
        registry.register(
            "messages_waiting",
            "Messages that wait for the store",
            self.waiting.clone(),
        );
        registry.register(
            "readings_asked_for",
            "Readings found missing, which scrapers are asked for",
            self.asked_for.clone(),
        );
        registry.register(
            "readings_lost",
            "Readings that left their journal before they were stored",
            self.lost.clone(),
        );
        registry.register(
            "broker_connected",
            "Whether there is a connection to the broker, 1 or 0",
            self.broker_connected.clone(),
        );
    }

    /// The store took so long for a batch of so many readings.
    pub(crate) fn wrote(&self, took: Duration, readings: usize) {
        self.write_duration.observe(took.as_secs_f64());
        #[allow(clippy::cast_precision_loss, reason = "a batch has thousands at most")]
        self.batch.observe(readings as f64);
    }

    /// A batch of so many readings is settled.
    pub(crate) fn stored(&self, readings: usize, written: &Written) {
        let without = written.unstorable.len() + written.outside_retention;
        self.points_written
            .inc_by(readings.saturating_sub(without) as u64);
        self.last_write.is_now();
        self.store_reached.reach();
    }

    /// A batch was not taken.
    pub(crate) fn write_failed(&self, error: &WriteError) {
        let kind = match error {
            WriteError::Unavailable { .. } => UNAVAILABLE,
            WriteError::Configuration { .. } => CONFIGURATION,
            WriteError::Unproven { .. } => UNPROVEN,
        };
        self.writes_failed.get_or_create(&[("kind", kind)]).inc();
    }

    /// So many messages can never be stored.
    pub(crate) fn dead_letters(&self, letters: usize) {
        self.dead_letters.inc_by(letters as u64);
    }

    /// So many messages wait for the store.
    pub(crate) fn waiting(&self, messages: usize) {
        self.waiting.set(messages.try_into().unwrap_or(i64::MAX));
    }

    /// There is a connection to the broker, or none.
    pub(crate) fn connected(&self, is_connected: bool) {
        self.broker_connected.set(is_connected.into());
    }
}
