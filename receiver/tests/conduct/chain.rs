//! The receiver between both servers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use daemon::service::Service;
use daemon::settings::Sources;
use receiver::config;
use receiver::metrics::Metrics;
use scripted::broker::Broker;
use scripted::influx::{Request, Server};
use scripted::leaks::Secrets;
use scripted::watch::Watch;
use scripted::within;
use store::{BesideFile, InfluxDb, MarksFile, Settings, TokenSource};
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::task::AbortOnDropHandle;
use wire::{Announcement, JournalSpan};

use crate::broker::{self, Order};
use crate::influx::{Said, Script, influx, sound};
use crate::state::{ENVOY, State};

/// The secrets of the receiver, which nothing may log.
const TOKEN: &str = "a-token-that-is-long-enough-to-be-found";
const PASSWORD: &str = "correct-horse-battery-staple";

/// How long after its announcement a reading is asked for, and the first pause.
pub(crate) const AUDIT_AFTER: Duration = Duration::from_millis(300);

/// A running receiver and its two servers.
pub(crate) struct Chain {
    state: watch::Sender<State>,
    script: Arc<Mutex<Script>>,
    orders: mpsc::Sender<Order>,
    receiver: Receiver,
    broker: AbortOnDropHandle<()>,
    /// The settings of the store, for a further start.
    pub(crate) settings: Settings,
    broker_url: String,
    state_dir: PathBuf,
    _influx: Server,
    _folder: TempDir,
    _watch: Watch,
}

/// A receiver that runs.
struct Receiver {
    stop: oneshot::Sender<()>,
    task: AbortOnDropHandle<Result<(), receiver::RunError>>,
}

impl Receiver {
    fn start(config: config::Config, store: BesideFile<InfluxDb>) -> Self {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let shutdown = async {
                let _ = stopped.await;
            };
            receiver::run(
                config,
                Metrics::default(),
                store,
                &Service::none(),
                shutdown,
            )
            .await
        });
        Self {
            stop,
            task: AbortOnDropHandle::new(task),
        }
    }
}

impl Chain {
    /// A receiver with `count` readings on their way, of which those at `bad` are never taken, and
    /// a store that behaves like this.
    pub(crate) async fn start(
        count: usize,
        bad: &[usize],
        script: impl Fn(&Request, usize) -> Said + Send + 'static,
    ) -> Self {
        Self::start_with(count, bad, script, |_| {}).await
    }

    pub(crate) async fn start_with(
        count: usize,
        bad: &[usize],
        script: impl Fn(&Request, usize) -> Said + Send + 'static,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        Self::start_in(false, count, bad, script, change).await
    }

    /// The same; where it is blocked, nothing can be kept in the state directory.
    pub(crate) async fn start_in(
        blocked: bool,
        count: usize,
        bad: &[usize],
        script: impl Fn(&Request, usize) -> Said + Send + 'static,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let secrets = Secrets::new().with("token", TOKEN);
        let watch = Watch::for_secrets(secrets.with("password", PASSWORD));
        daemon::install_crypto_provider();
        let mut expected = State::default();
        expected.expect(count, bad);
        let state = watch::Sender::new(expected);
        let script: Arc<Mutex<Script>> = Arc::new(Mutex::new(Box::new(script)));
        let influx = influx(state.clone(), Arc::clone(&script)).await;

        let broker = Broker::bind().await;
        let broker_url = broker.url();
        let folder = tempfile::tempdir().unwrap();
        let state_dir = folder.path().join("state");
        let (orders, taken) = mpsc::channel(1);
        let broker = tokio::spawn(broker::serve(broker, state.clone(), taken));

        let mut settings = Settings {
            url: format!("http://{}", influx.address).parse().unwrap(),
            token: TokenSource::Value(TOKEN.into()),
            org: "home".into(),
            bucket: "solar".into(),
            timeout: Duration::from_secs(10),
            ca_file: None,
        };
        change(&mut settings);
        if blocked {
            std::fs::write(&state_dir, "no directory").unwrap();
        }
        let (config, store, marks) = parts(&broker_url, &state_dir, &settings);
        state.send_modify(|state| state.marks = Some(marks).filter(|_| !state_dir.is_file()));
        Self {
            state,
            script,
            orders,
            receiver: Receiver::start(config, store),
            broker: AbortOnDropHandle::new(broker),
            settings,
            broker_url,
            state_dir,
            _influx: influx,
            _folder: folder,
            _watch: watch,
        }
    }

    /// The marks are not read with each acknowledgement, which takes long where there are thousands.
    pub(crate) fn without_looking_at_marks(&self) {
        self.state.send_modify(|state| state.marks = None);
    }

    /// A file in the receiver's state directory.
    pub(crate) fn state_file(&self, name: &str) -> PathBuf {
        self.state_dir.join(name)
    }

    /// Stops the receiver in order.
    pub(crate) async fn stop(&mut self) {
        let (stop, task) = (&mut self.receiver.stop, &mut self.receiver.task);
        let stop = std::mem::replace(stop, oneshot::channel().0);
        stop.send(()).unwrap();
        within(task).await.unwrap().unwrap();
    }

    /// Ends the receiver wherever it is.
    pub(crate) async fn kill(&mut self) {
        self.receiver.task.abort();
        let _ = within(&mut self.receiver.task).await;
    }

    /// Starts the receiver again, and waits until it is connected.
    pub(crate) async fn start_again(&mut self) {
        let connections = self.state.borrow().connections;
        let (config, store, marks) = parts(&self.broker_url, &self.state_dir, &self.settings);
        self.state.send_modify(|state| state.marks = Some(marks));
        self.receiver = Receiver::start(config, store);
        self.until(|state| state.connections > connections).await;
    }

    /// What is settled by now is not delivered again.
    pub(crate) fn is_over(&self) {
        self.state.send_modify(|state| {
            state.over = state.readings.len();
            state.acknowledged.clear();
        });
    }

    /// Delivers something else.
    pub(crate) async fn say(&self, topic: &str, payload: &str, retain: bool) {
        let order = Order::Say {
            topic: topic.to_owned(),
            payload: payload.to_owned(),
            retain,
        };
        self.orders.send(order).await.unwrap();
    }

    /// Announces what a journal holds.
    pub(crate) async fn announce(&self, journal: &str, first: u64, last: u64) {
        let announcement = Announcement {
            instance: "p7".parse().unwrap(),
            journals: vec![JournalSpan::new(journal.parse().unwrap(), first, last).unwrap()],
            waiting: 0,
        };
        let topic = format!("envoy/{ENVOY}/journal");
        self.say(&topic, &announcement.encode(), false).await;
    }

    /// From now on the store behaves like this.
    pub(crate) fn now(&self, script: impl Fn(&Request, usize) -> Said + Send + 'static) {
        *self.script.lock().unwrap() = Box::new(script);
    }

    /// From now on the store is sound.
    pub(crate) fn mend(&self) {
        self.now(|request, _| sound(request));
    }

    /// Delivers further readings.
    pub(crate) async fn deliver(&self, count: usize, bad: &[usize]) {
        self.state.send_modify(|state| state.expect(count, bad));
        self.orders.send(Order::Deliver).await.unwrap();
    }

    /// Closes the receiver's connection to the broker, and waits for the next one.
    pub(crate) async fn cut(&self) {
        let connections = self.state.borrow().connections;
        self.orders.send(Order::Cut).await.unwrap();
        self.until(|state| state.connections > connections).await;
    }

    /// Waits until the store was asked so many times more. The receiver has then taken in all
    /// answers but the last.
    pub(crate) async fn asked(&self, times: usize) {
        let enough = self.state.borrow().asked.len() + times;
        self.until(|state| state.asked.len() >= enough).await;
    }

    /// Looks at what there is.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.borrow())
    }

    /// Waits until everything is settled.
    pub(crate) async fn settles(&self) {
        self.until(State::is_settled).await;
        self.look(State::check_settled);
    }

    /// Ends the test: the receiver stops in order, and nothing came after all.
    pub(crate) async fn ends(mut self) {
        self.settles().await;
        self.stop().await;
        self.state.borrow().check_settled();
        drop(self.broker);
    }

    /// The fault is over: everything is stored and acknowledged, in order.
    pub(crate) async fn heals(self) {
        self.look(State::check);
        self.mend();
        self.ends().await;
    }

    /// Waits for a condition; whatever was acknowledged by then must have been stored.
    pub(crate) async fn until(&self, condition: impl Fn(&State) -> bool) {
        let mut state = self.state.subscribe();
        let over = |state: &State| !state.violations.is_empty() || condition(state);
        let waited = within(state.wait_for(over)).await;
        waited.unwrap().check();
    }
}

/// What a receiver is made of, and its marks.
fn parts(
    broker: &str,
    state_dir: &Path,
    settings: &Settings,
) -> (config::Config, BesideFile<InfluxDb>, MarksFile) {
    let config = config(broker, state_dir);
    let influxdb = InfluxDb::new(settings.clone()).unwrap();
    let marks = MarksFile::new(config.marks_file(), influxdb.identity().to_owned());
    (config, BesideFile::new(influxdb, marks.clone()), marks)
}

/// The settings that a user has who sets nothing but what is needed, with short pauses.
fn config(broker: &str, state: &Path) -> config::Config {
    let environment = [
        ("MQTT_URL", broker),
        ("STATE_DIR", state.to_str().unwrap()),
        ("MQTT_PASSWORD", PASSWORD),
        ("INFLUX_TOKEN", TOKEN),
        ("INFLUX_ORG", "unused"),
        ("INFLUX_BUCKET", "unused"),
    ];
    let environment: BTreeMap<_, _> = environment
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let read = config::read(Sources {
        environment,
        ..Sources::default()
    });
    let mut config = read
        .map_err(|mistakes| mistakes.to_string())
        .unwrap()
        .config;
    config.broker.backoff_cap = Duration::from_millis(40);
    config.audit_after = AUDIT_AFTER;
    config
}
