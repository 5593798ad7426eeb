//! What the service manager is told, by a socket as systemd's.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use rig::programs::{Program, Signal, Start};
use rig::wait;

use super::surroundings::{ENVOY, Hanging, PATIENCE, receiver, scraper, standalone};

/// In microseconds: short, so that a test sees several signs of life.
const WATCHDOG: &str = "400000";

/// The service manager's end of the socket.
struct Manager {
    socket: UnixDatagram,
    name: String,
    told: Vec<String>,
}

impl Manager {
    fn of(socket: UnixDatagram, name: String) -> Self {
        socket.set_nonblocking(true).expect("a socket");
        let told = Vec::new();
        Self { socket, name, told }
    }

    fn at_a_path(directory: &std::path::Path) -> Self {
        let path = directory.join("notify");
        let socket = UnixDatagram::bind(&path).expect("a new path");
        Self::of(socket, path.display().to_string())
    }

    fn with_an_abstract_name(directory: &std::path::Path) -> Self {
        // As random as the directory's name.
        let name = directory.display().to_string();
        let address = SocketAddr::from_abstract_name(&name).expect("a short name");
        let socket = UnixDatagram::bind_addr(&address).expect("a new name");
        Self::of(socket, format!("@{name}"))
    }

    fn watches(&self, start: Start) -> Program {
        start
            .env("NOTIFY_SOCKET", &self.name)
            .env("WATCHDOG_USEC", WATCHDOG)
            .spawn()
    }

    /// Waits until it was told this, so often.
    async fn is_told(&mut self, message: &str, times: usize) {
        self.hears(message, times, |told| told.starts_with(message))
            .await;
    }

    /// Waits until it was told that the parts are so; they are named in the order in which they began.
    async fn is_told_of(&mut self, parts: &[&str]) {
        self.hears(&parts.join(" and "), 1, |told| {
            let mut said: Vec<&str> = told
                .strip_prefix("STATUS=")
                .map_or_else(Vec::new, |status| status.split("; ").collect());
            parts.iter().all(|part| {
                let place = said.iter().position(|said| said.starts_with(part));
                place.map(|place| said.swap_remove(place)).is_some()
            })
        })
        .await;
    }

    async fn hears(&mut self, what: &str, times: usize, is_meant: impl Fn(&str) -> bool) {
        wait::until_true(what, PATIENCE, async || {
            let mut datagram = [0; 4096];
            while let Ok(length) = self.socket.recv(&mut datagram) {
                let text = String::from_utf8_lossy(&datagram[..length]);
                self.told.push(text.into_owned());
            }
            let told = self.told.iter();
            told.filter(|told| is_meant(told)).count() >= times
        })
        .await;
    }

    /// From the start to the end of a program; `parts` is how things stand in between.
    async fn sees_the_life_of(&mut self, start: Start, parts: &[&str]) {
        let mut program = self.watches(start);
        self.is_told("READY=1", 1).await;
        self.is_told_of(parts).await;
        self.is_told("WATCHDOG=1", 5).await;
        program.signal(Signal::TERM);
        self.is_told("STOPPING=1", 1).await;
        assert_eq!(program.ended().await.code(), Some(0));
        let ready = self.told.iter().filter(|told| *told == "READY=1");
        assert_eq!(ready.count(), 1, "{:?}", self.told);
    }
}

#[tokio::test]
async fn a_scraper_is_ready_and_alive_though_broker_and_envoy_are_away() {
    let envoy = Hanging::start().await;
    let directory = tempfile::tempdir().expect("a temporary directory");
    // Nobody listens at port 9.
    let start = scraper(&envoy, "mqtt://127.0.0.1:9", Some(ENVOY));
    Manager::at_a_path(directory.path())
        .sees_the_life_of(start, &["no connection to the broker"])
        .await;
}

#[tokio::test]
async fn a_scraper_is_ready_and_alive_before_the_envoy_has_said_who_it_is() {
    let envoy = Hanging::start().await;
    let directory = tempfile::tempdir().expect("a temporary directory");
    let start = scraper(&envoy, "mqtt://127.0.0.1:9", None);
    Manager::at_a_path(directory.path())
        .sees_the_life_of(start, &[])
        .await;
}

#[tokio::test]
async fn a_receiver_says_how_it_is_to_a_socket_with_an_abstract_name() {
    let influx = Hanging::start().await;
    let directory = tempfile::tempdir().expect("a temporary directory");
    let start = receiver("mqtt://127.0.0.1:9", &influx);
    Manager::with_an_abstract_name(directory.path())
        .sees_the_life_of(start, &["nothing to store yet", "no connection"])
        .await;
}

#[tokio::test]
async fn the_single_process_says_once_that_it_is_ready_and_how_its_parts_are() {
    let envoy = Hanging::start().await;
    let directory = tempfile::tempdir().expect("a temporary directory");
    let start = standalone(&envoy, directory.path());
    Manager::with_an_abstract_name(directory.path())
        // Both the scraper's part and the receiver's say how the broker is; it is told once.
        .sees_the_life_of(start, &["connected to the broker", "nothing to store yet"])
        .await;
}

#[tokio::test]
async fn a_socket_that_is_not_there_is_said_and_stops_nothing() {
    let influx = Hanging::start().await;
    let mut program = receiver("mqtt://127.0.0.1:9", &influx)
        .env("NOTIFY_SOCKET", "/nowhere/notify")
        .spawn();
    program
        .stderr_line("the service manager can't be told anything")
        .await;
    program.stderr_line("no connection to the broker").await;
    assert!(program.terminate().await.success());
}
