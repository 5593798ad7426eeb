//! A scraper that polls without a broker: what it makes of its Envoy is seen by what it logs.

use rig::programs::Program;
use rig::wait;

use crate::ARRIVAL;

/// A port on which nothing listens: nobody but the system may.
pub(crate) const NO_BROKER: &str = "mqtt://127.0.0.1:1";

/// Its times.
pub(crate) const SETTINGS: &str = "[testing]\npoll_interval = \"250ms\"\nenvoy_timeout = \"5s\"\n";

/// What it logs at `debug` of each poll that brought an answer.
pub(crate) const POLLED: &str = "listed=";

/// How often the program has said this.
pub(crate) fn said(program: &Program, part: &str) -> usize {
    let lines = program.stderr();
    lines.iter().filter(|line| line.contains(part)).count()
}

/// Waits until it has said this so often more.
pub(crate) async fn says_more(program: &Program, part: &str, times: usize) {
    let before = said(program, part);
    let what = format!("{part:?}, {times} times more");
    wait::until_true(&what, ARRIVAL, async || {
        said(program, part) >= before + times
    })
    .await;
}
