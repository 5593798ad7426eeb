//! Where the recorded gateways are, and what it means when they are not.

use std::io::Write;
use std::path::PathBuf;

/// Fewer gateways than these are not what the tests were written for.
pub(crate) const GATEWAYS: usize = 9;

/// The directory of recorded gateways, or nothing where none is required.
pub(crate) fn recordings() -> Option<PathBuf> {
    let directory = std::env::var_os("RECORDINGS").map(PathBuf::from);
    if directory.is_none() {
        skip("RECORDINGS is not set");
    }
    directory
}

/// One recorded gateway, or nothing where it is not there and need not be.
pub(crate) fn recording(name: &str) -> Option<PathBuf> {
    let directory = recordings()?.join(name);
    if directory.is_dir() {
        return Some(directory);
    }
    skip(&format!("{name} is not among the RECORDINGS"));
    None
}

fn skip(reason: &str) {
    assert!(
        !required(),
        "{reason}, and REQUIRE_SERVERS=1 forbids to skip"
    );
    // Not `eprintln!`, which the test runner would keep to itself for a test that passes.
    writeln!(std::io::stderr(), "skipped: {reason}").expect("standard error is open");
}

/// Whether everything that was recorded must be there.
pub(crate) fn required() -> bool {
    std::env::var("REQUIRE_SERVERS").as_deref() == Ok("1")
}
