//! What the service manager is told: that we are ready, how things stand, that every loop lives, and
//! that we stop. Nothing, where none asks (`NOTIFY_SOCKET` unset).
//!
//! The protocol is systemd's `sd_notify(3)`: lines in a datagram. Written here, because the crate for
//! it can't reach abstract sockets (`@…`), and its sending could block a loop.
//!
//! *Ready* means that the settings are read and the parts run. It does not wait for the Envoy, the
//! broker or the store: each may be away for a week, and a service manager that waits in vain starts
//! us again, with the loss of what we hold.
//!
//! *The watchdog* is fed by the loops that do the work, not by a timer beside them: each [`Part`]
//! shows in its own turns that it lives, and only when all of them have done so is the service manager
//! told. A loop that is stuck stops that, and the service manager
//! aborts the process and starts it anew.

mod status;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write;
use std::io;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};

/// How many signs of life fit into the time after which the service manager gives us up: each part
/// may be late for two of them.
const BEATS: u32 = 4;

/// How often each part shows that it lives where that is looked at by others than the service manager.
const BEAT: Duration = Duration::from_secs(10);

/// The way to the service manager; cheap to clone.
#[derive(Clone)]
pub struct Service(Arc<Inner>);

type Tell = Box<dyn Fn(&str) + Send + Sync>;

struct Inner {
    tell: Option<Tell>,
    watchdog: Option<Duration>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    is_ready: bool,
    /// Whether others than the service manager look at the parts, too.
    is_watched: bool,
    /// By number, in the order of their beginning.
    parts: BTreeMap<u64, PartState>,
    made: u64,
    /// The status that was told last.
    status: String,
}

struct PartState {
    name: &'static str,
    /// A sign of life since the service manager was last told.
    beat: bool,
    last_beat: Instant,
    status: String,
}

impl State {
    /// What the parts say, in one line.
    fn said(&self) -> String {
        status::joined(self.parts.values().map(|part| part.status.as_str()))
    }
}

impl Service {
    /// The service manager of this process, if there is one.
    #[must_use]
    pub fn of_process() -> Self {
        let socket = std::env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty());
        let variable = |name| std::env::var(name).ok()?.parse::<u64>().ok();
        let is_ours =
            variable("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        let watchdog = variable("WATCHDOG_USEC").filter(|usec| *usec > 0 && is_ours);
        let tell = socket.and_then(|name| match connect(&name) {
            Ok(socket) => Some(Box::new(move |message: &str| {
                // A service manager that does not listen must not hold us up.
                if let Err(error) = socket.send(message.as_bytes()) {
                    tracing::debug!(%error, "the service manager was not told");
                }
            }) as Tell),
            Err(error) => {
                tracing::warn!(socket = ?name, %error, "the service manager can't be told anything");
                None
            }
        });
        Self::new(tell, watchdog.map(Duration::from_micros))
    }

    /// No service manager.
    #[must_use]
    pub fn none() -> Self {
        Self::new(None, None)
    }

    fn new(tell: Option<Tell>, watchdog: Option<Duration>) -> Self {
        Self(Arc::new(Inner {
            watchdog: watchdog.filter(|_| tell.is_some()),
            tell,
            state: Mutex::default(),
        }))
    }

    /// The parts run. Only the first call tells it: in one process there may be several daemons.
    pub fn ready(&self) {
        if !std::mem::replace(&mut self.state().is_ready, true) {
            self.tell("READY=1");
        }
    }

    /// The parts do not run yet, and may take that much longer from now on; each call begins anew.
    pub fn starts_within(&self, time: Duration) {
        if !self.state().is_ready {
            self.tell(&format!("EXTEND_TIMEOUT_USEC={}", time.as_micros()));
        }
    }

    /// We were asked to stop.
    pub fn stopping(&self) {
        self.tell("STOPPING=1");
    }

    /// The parts that are made from now on show that they live also where no service manager asks.
    pub fn watch(&self) {
        self.state().is_watched = true;
    }

    /// The part that has shown no sign of life for the longest time, if that is longer than `limit`, and
    /// how long that is. Parts that nobody watches are not stuck.
    #[must_use]
    pub fn stuck(&self, limit: Duration) -> Option<(&'static str, Duration)> {
        let state = self.state();
        if !state.is_watched {
            return None;
        }
        let parts = state.parts.values();
        let silent = parts.map(|part| (part.name, part.last_beat.elapsed()));
        silent
            .max_by_key(|(_, since)| *since)
            .filter(|(_, since)| *since > limit)
    }

    /// How things stand in all parts, in one line.
    #[must_use]
    pub fn status(&self) -> String {
        self.state().said()
    }

    /// A part that has to show that it lives from now on, until it is dropped; its name is for people.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn part(&self, name: &'static str) -> Part {
        let mut state = self.state();
        state.made += 1;
        let number = state.made;
        let part = PartState {
            name,
            beat: false,
            last_beat: Instant::now(),
            status: String::new(),
        };
        state.parts.insert(number, part);
        let watched = state.is_watched.then_some(BEAT);
        drop(state);
        let watchdog = self.0.watchdog.map(|watchdog| watchdog / BEATS);
        let beats = watchdog.into_iter().chain(watched).min().map(|every| {
            let mut beats = interval(every.max(Duration::from_millis(1)));
            beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
            beats
        });
        Part {
            service: self.clone(),
            number,
            beats,
        }
    }

    fn beat(&self, number: u64) {
        let mut state = self.state();
        if let Some(part) = state.parts.get_mut(&number) {
            part.beat = true;
            part.last_beat = Instant::now();
        }
        if self.0.watchdog.is_some() && state.parts.values().all(|part| part.beat) {
            for part in state.parts.values_mut() {
                part.beat = false;
            }
            drop(state);
            self.tell("WATCHDOG=1");
        }
    }

    fn set_status(&self, number: u64, text: &str) {
        // Kept also where no service manager asks: the page shows it.
        let mut state = self.state();
        if let Some(part) = state.parts.get_mut(&number) {
            part.status = text.replace(char::is_control, " ");
        }
        let status = state.said();
        if status != state.status {
            let mut message = String::from("STATUS=");
            let _ = write!(message, "{status}");
            state.status = status;
            drop(state);
            self.tell(&message);
        }
    }

    fn tell(&self, message: &str) {
        if let Some(tell) = &self.0.tell {
            tell(message);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // It is whole at any time.
        let state = self.0.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }
}

/// One loop of the process.
pub struct Part {
    service: Service,
    number: u64,
    /// None where nobody watches.
    beats: Option<Interval>,
}

impl Part {
    /// Waits until a sign of life is due, and gives it; never, where nobody watches. It belongs into
    /// the `select!` of the loop itself. Cancelling loses nothing.
    pub async fn beat(&mut self) {
        match &mut self.beats {
            Some(beats) => {
                beats.tick().await;
                self.service.beat(self.number);
            }
            None => std::future::pending().await,
        }
    }

    /// Does one piece of work that takes longer than the loop may be silent, and gives signs of life
    /// meanwhile, but for no longer than `at_most`: beyond that it is stuck.
    pub async fn during<T>(&mut self, at_most: Duration, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        let deadline = Instant::now() + at_most;
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = self.beat() => {}
                () = sleep_until(deadline) => return work.await,
            }
        }
    }

    /// Says how things stand in this part; told when it changes.
    pub fn status(&self, text: &str) {
        self.service.set_status(self.number, text);
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.service.state().parts.remove(&self.number);
    }
}

/// A name that begins with `@` is an abstract one, else it is a path.
fn connect(name: &OsStr) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    match abstract_address(name) {
        Some(address) => socket.connect_addr(&address?)?,
        None => socket.connect(name)?,
    }
    Ok(socket)
}

#[cfg(target_os = "linux")]
fn abstract_address(name: &OsStr) -> Option<io::Result<SocketAddr>> {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::ffi::OsStrExt;

    let name = name.as_bytes().strip_prefix(b"@")?;
    Some(SocketAddr::from_abstract_name(name))
}

#[cfg(not(target_os = "linux"))]
fn abstract_address(_name: &OsStr) -> Option<io::Result<SocketAddr>> {
    None
}

#[cfg(test)]
mod tests;
