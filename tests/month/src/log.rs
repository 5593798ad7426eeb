//! All that is logged in the month, down to the traces of libraries.

use std::fmt::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::time::Time;

/// The poller's first and last word of each poll.
const BEGINS: &str = "polling";
const ENDS: [&str; 2] = ["polled", "the Envoy's readings can't be had"];

/// The log of this process; cheap to clone.
#[derive(Clone, Debug)]
pub struct Log(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    time: Time,
    /// Grows with whatever is logged.
    stirred: AtomicU64,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    said: Vec<String>,
    lines: Vec<String>,
    /// When polls began.
    polls: Vec<Timestamp>,
    polling: bool,
}

impl Log {
    /// Takes all that this process logs from now on.
    ///
    /// # Panics
    /// When something else takes it already.
    #[must_use]
    pub fn start(time: Time) -> Self {
        let log = Self(Arc::new(Shared {
            time,
            stirred: AtomicU64::default(),
            inner: Mutex::default(),
        }));
        tracing_subscriber::registry().with(log.clone()).init();
        log
    }

    /// A number that grows with whatever is logged.
    pub(crate) fn stirred(&self) -> u64 {
        self.0.stirred.load(Ordering::Relaxed)
    }

    /// Whether a poll is under way.
    pub(crate) fn is_polling(&self) -> bool {
        self.lock().polling
    }

    /// The beginnings of polls since this was called last.
    #[must_use]
    pub fn take_polls(&self) -> Vec<Timestamp> {
        std::mem::take(&mut self.lock().polls)
    }

    /// What the scraper has said, at INFO and above, since this was called last.
    #[must_use]
    pub fn take_said(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().said)
    }

    /// All lines, at whatever level, of everybody but the simulator, since this was called last.
    #[must_use]
    pub fn take_lines(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().lines)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, metadata: &Metadata<'_>, line: String, message: &str) {
        self.0.stirred.fetch_add(1, Ordering::Relaxed);
        let mut inner = self.lock();
        if message == BEGINS {
            inner.polling = true;
            let now = self.0.time.now();
            inner.polls.push(now);
        } else if ENDS.iter().any(|end| message.starts_with(end)) {
            inner.polling = false;
        }
        if metadata.target().starts_with("simulator") {
            return;
        }
        if *metadata.level() <= Level::INFO {
            inner.said.push(line.clone());
        }
        inner.lines.push(line);
    }
}

impl<S: Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = Text::of(event.metadata());
        event.record(&mut text);
        self.note(event.metadata(), text.line, &text.message);
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let mut text = Text::of(attributes.metadata());
        attributes.record(&mut text);
        self.lock().lines.push(text.line);
    }
}

/// A line that is being made.
struct Text {
    line: String,
    message: String,
}

impl Text {
    fn of(metadata: &Metadata<'_>) -> Self {
        Self {
            line: format!("{} {}", metadata.level(), metadata.target()),
            message: String::new(),
        }
    }
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let name = field.name();
        let _ = if name == "message" {
            let _ = write!(self.message, "{value:?}");
            write!(self.line, ": {}", self.message)
        } else {
            write!(self.line, " {name}={value:?}")
        };
    }
}
