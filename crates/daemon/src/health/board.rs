//! What is shown: metrics, what has been reached, and whether the loops turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::service::Service;

/// How long a loop may show no sign of life before it counts as stuck: as long as the watchdog of the
/// unit files lets it. A poll under way shows signs of life for as long as one can take.
const STUCK_AFTER: Duration = Duration::from_mins(5);

/// All that is shown of one process.
pub struct Board {
    registry: Registry,
    milestones: Vec<(&'static str, Milestone)>,
    service: Service,
}

impl Board {
    /// A board with what every daemon shows: its version, and when it began.
    #[must_use]
    pub fn new(service: Service) -> Self {
        let mut registry = Registry::default();
        registry.register(
            "envoy_scrape_build",
            "The version that runs",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        let began = Moment::default();
        began.is_now();
        began.register(
            &mut registry,
            "process_start_time",
            "When the process began, as Unix time",
        );
        Self {
            registry,
            milestones: Vec::new(),
            service,
        }
    }

    /// Where metrics are registered.
    pub fn registry(&mut self) -> &mut Registry {
        &mut self.registry
    }

    /// Something that has to be reached once before the daemon is ready, in words that follow on
    /// "waits for".
    pub fn milestone(&mut self, waits_for: &'static str) -> Milestone {
        let milestone = Milestone(Some(Arc::default()));
        self.milestones.push((waits_for, milestone.clone()));
        milestone
    }

    /// Why the daemon is not well, in one line; none when all its loops turn.
    pub(super) fn illness(&self) -> Option<String> {
        let (part, since) = self.service.stuck(STUCK_AFTER)?;
        let seconds = since.as_secs();
        Some(format!(
            "the {part} has shown no sign of life for {seconds} s"
        ))
    }

    /// What it waits for, in one line; none when it is ready.
    pub(super) fn waits_for(&self) -> Option<String> {
        let missing = self.milestones.iter().filter(|(_, one)| !one.is_reached());
        let missing: Vec<&str> = missing.map(|(waits_for, _)| *waits_for).collect();
        if missing.is_empty() {
            return None;
        }
        let waits = format!("waits for {}", missing.join(" and "));
        match self.service.status().as_str() {
            "" => Some(waits),
            status => Some(format!("{waits} ({status})")),
        }
    }

    /// All metrics, as text of `OpenMetrics`.
    #[must_use]
    pub fn exposition(&self) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)
            .expect("a string takes whatever is written to it");
        text
    }
}

/// Something that was reached once or not yet. Cheap to clone; by default nobody waits for it.
#[derive(Debug, Clone, Default)]
pub struct Milestone(Option<Arc<AtomicBool>>);

impl Milestone {
    /// It is reached, for good.
    pub fn reach(&self) {
        if let Some(reached) = &self.0 {
            reached.store(true, Ordering::Relaxed);
        }
    }

    /// Whether somebody waits for it.
    #[must_use]
    pub fn is_awaited(&self) -> bool {
        self.0.is_some() && !self.is_reached()
    }

    fn is_reached(&self) -> bool {
        let reached = self.0.as_ref();
        reached.is_some_and(|reached| reached.load(Ordering::Relaxed))
    }
}

/// When something happened last, as Unix time; 0 until then.
#[derive(Debug, Clone, Default)]
pub struct Moment(Gauge<f64, AtomicU64>);

impl Moment {
    /// It happens now, by our own clock.
    pub fn is_now(&self) {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        // To the millisecond: what is finer is noise.
        let now = since.unwrap_or_default().as_millis();
        #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
        self.0.set(now as f64 / 1000.0);
    }

    /// Shows it under this name, to which the unit is added.
    pub fn register(&self, registry: &mut Registry, name: &str, help: &str) {
        registry.register_with_unit(name, help, Unit::Seconds, self.0.clone());
    }
}
