//! The binaries of this workspace, freshly built.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// A binary of this workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binary {
    /// `envoy-scraper`.
    Scraper,
    /// `envoy-receiver`.
    Receiver,
    /// `envoy-scrape`.
    Standalone,
    /// `envoy-simulator`.
    Simulator,
}

impl Binary {
    /// Its file name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Scraper => "envoy-scraper",
            Self::Receiver => "envoy-receiver",
            Self::Standalone => "envoy-scrape",
            Self::Simulator => "envoy-simulator",
        }
    }

    /// Where it is, freshly built.
    ///
    /// # Panics
    /// When it can't be built.
    #[must_use]
    pub fn path(self) -> PathBuf {
        built().join(self.name())
    }
}

/// The directory with the binaries, built once per test process.
fn built() -> &'static PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let running = std::env::current_exe().expect("a test has a path");
        let folder = running.parent().expect("a file is in a folder");
        // A test is at <target>/<profile>/deps/<test>, a program one level higher.
        let profile = if folder.ends_with("deps") {
            folder.parent().expect("a profile has a place")
        } else {
            folder
        };
        let mut build = Command::new(env!("CARGO"));
        build
            .args(["build", "--quiet", "--workspace", "--bins"])
            .current_dir(workspace())
            .stdin(Stdio::null());
        if profile.ends_with("release") {
            build.arg("--release");
        }
        let target = profile
            .parent()
            .expect("a profile is in a target directory");
        build.env("CARGO_TARGET_DIR", target);
        forget_own_package(&mut build);
        let status = build.status().expect("cargo runs");
        assert!(status.success(), "the programs can't be built: {status}");
        profile.to_owned()
    })
}

/// Takes from a cargo what the cargo that started this test has said of its package. Build scripts that
/// look at that would run again, and all that depends on them would be compiled again, each time.
pub fn forget_own_package(cargo: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let of_package = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        });
        if of_package {
            cargo.env_remove(name);
        }
    }
}

/// The target directory that the running test was built into.
///
/// # Panics
/// When the programs can't be built.
#[must_use]
pub fn target() -> PathBuf {
    let target = built().parent();
    target
        .expect("a profile is in a target directory")
        .to_owned()
}

/// The root of the workspace.
#[must_use]
pub fn workspace() -> PathBuf {
    let rig = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    rig.ancestors()
        .nth(2)
        .expect("the rig is at tests/rig")
        .to_owned()
}
