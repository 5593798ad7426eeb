//! Where a daemon keeps what must outlive it.

use std::path::PathBuf;

use crate::settings::{Key, Settings};

/// The directory for state.
pub const STATE_DIR: Key = Key::new("state_dir", "STATE_DIR")
    .flag("state-dir", "DIRECTORY")
    .example("/var/lib/envoy-scrape")
    .help("the directory for what must outlive the process");

/// The chosen directory, else `/var/lib/envoy-scrape` as root, else `envoy-scrape` in the XDG
/// state directory.
pub fn state_dir(settings: &mut Settings) -> Option<PathBuf> {
    if settings.is_set(&STATE_DIR) {
        return settings.optional(&STATE_DIR, str::parse::<PathBuf>);
    }
    let directory = usual(settings)?;
    settings.assume(&STATE_DIR, directory.to_string_lossy());
    Some(directory)
}

fn usual(settings: &mut Settings) -> Option<PathBuf> {
    if rustix::process::geteuid().is_root() {
        return Some(PathBuf::from("/var/lib/envoy-scrape"));
    }
    let xdg = settings.variable("XDG_STATE_HOME").map(PathBuf::from);
    let home = settings.variable("HOME").map(PathBuf::from);
    let directory = xdg.or_else(|| Some(home?.join(".local/state")));
    if directory.is_none() {
        settings.reject(
            &STATE_DIR,
            "missing: there is no home directory to take instead; give one with --state-dir",
        );
    }
    Some(directory?.join("envoy-scrape"))
}
