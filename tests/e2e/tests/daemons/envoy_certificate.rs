//! The Envoy's certificate as the real scraper sees it: a new one, and somebody else's.
//!
//! No broker is needed: polls go on without one.

mod check;
mod impostor;
mod new;
mod taken_over;

use std::path::{Path, PathBuf};

use rig::gateway::Gateway;
use rig::programs::{Binary, Start};
use tempfile::TempDir;

use crate::WITH_SUN;
use crate::alone::{NO_BROKER, POLLED, SETTINGS, said, says_more};

/// A scraper's settings and state, which outlive it.
struct Scene {
    serial: &'static str,
    policy: String,
    directory: TempDir,
}

impl Scene {
    fn new(serial: &'static str, policy: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(directory.path().join("scraper.toml"), SETTINGS).expect("it can be written");
        Self {
            serial,
            policy: policy.to_owned(),
            directory,
        }
    }

    async fn gateway(&self) -> Gateway {
        let own = ["--serial", self.serial, "--firmware", "8.3.5169"];
        Gateway::start(&[&own, &WITH_SUN[..]].concat()).await
    }

    /// A scraper that is not started yet, or a check with its settings.
    fn scraper(&self, gateway: &Gateway) -> Start {
        gateway
            .reader(Binary::Scraper)
            .arg("--config")
            .arg(self.directory.path().join("scraper.toml"))
            .env("STATE_DIR", self.state())
            .env("ENVOY_CERTIFICATE", &self.policy)
            .env("MQTT_URL", NO_BROKER)
            .env("RUST_LOG", "info,scraper=debug,daemon=debug")
    }

    fn state(&self) -> PathBuf {
        self.directory.path().join("state")
    }

    fn pin_file(&self) -> PathBuf {
        self.state().join(format!("certificate-{}", self.serial))
    }

    /// The fingerprint that is pinned on disk.
    fn pinned(&self) -> String {
        let text = std::fs::read_to_string(self.pin_file()).expect("a pin");
        text.trim().to_owned()
    }
}

/// The names of what is in a directory.
fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(directory)
        .expect("a directory")
        .map(|entry| {
            let name = entry.expect("an entry").file_name();
            name.to_string_lossy().into_owned()
        })
        .collect();
    names.sort();
    names
}
