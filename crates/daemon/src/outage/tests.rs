use std::io::Write;
use std::sync::{Arc, Mutex};

use tokio::time::advance;
use tracing_subscriber::fmt::MakeWriter;

use super::*;

const MONTH: Duration = Duration::from_hours(30 * 24);
const MINUTE: Duration = Duration::from_mins(1);
const SECOND: Duration = Duration::from_secs(1);

/// The lines that were logged at `info` and above.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Takes what this thread logs.
    fn begin() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::INFO)
            .with_ansi(false)
            .with_writer(log.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    fn lines(&self) -> Vec<String> {
        let bytes = self.0.lock().expect("no test panics with it").clone();
        let text = String::from_utf8(bytes).expect("text");
        text.lines().map(ToOwned::to_owned).collect()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no test panics with it").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// An outage and a caller that says its end.
struct Thing(Outage);

impl Thing {
    fn new() -> Self {
        Self(Outage::new("it is away"))
    }

    fn fails(&mut self, reason: &str) {
        self.0.failed(reason, false);
    }

    fn is_well(&mut self) {
        if let Some(ended) = self.0.over() {
            let (outage_s, failures) = (ended.seconds(), ended.failures);
            tracing::info!(outage_s, failures, "it is back");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_a_month_is_two_lines_with_its_length_and_what_failed() {
    let (log, _guard) = Log::begin();
    let mut thing = Thing::new();
    let begun = Instant::now();
    let mut failures = 0;
    while begun.elapsed() < MONTH {
        thing.fails("no route to it");
        failures += 1;
        advance(MINUTE).await;
    }
    thing.is_well();
    thing.is_well();
    let lines = log.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains("WARN") && lines[0].contains("it is away reason=no route to it"));
    assert!(
        lines[1].contains("it is back outage_s=2592000.0"),
        "{lines:?}"
    );
    assert!(lines[1].contains(&format!("failures={failures}")));
}

#[tokio::test(start_paused = true)]
async fn what_a_restart_goes_through_in_its_seconds_is_one_reason() {
    let (log, _guard) = Log::begin();
    let mut thing = Thing::new();
    for reason in ["closed", "refused", "not ready"] {
        thing.fails(reason);
        advance(SECOND).await;
    }
    thing.is_well();
    let lines = log.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains("closed"));
    assert!(lines[1].contains("outage_s=3.0"), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn a_reason_with_other_numbers_in_it_is_no_news() {
    let (log, _guard) = Log::begin();
    let mut thing = Thing::new();
    for reason in [
        "begins with 1781942746",
        "begins with 1781943046",
        "is empty",
    ] {
        thing.0.failed(reason, true);
    }
    assert_eq!(log.lines().len(), 2, "{:?}", log.lines());
}

#[tokio::test(start_paused = true)]
async fn another_reason_is_said_once_when_it_lasts_and_at_once_when_a_person_is_needed() {
    let (log, _guard) = Log::begin();
    let mut thing = Thing::new();
    thing.fails("closed");
    thing.0.failed("wrong password", true);
    thing.fails("refused");
    assert_eq!(log.lines().len(), 2, "{:?}", log.lines());
    advance(MINUTE).await;
    for _ in 0..100 {
        thing.fails("refused");
        thing.0.failed("wrong password", true);
        advance(MINUTE).await;
    }
    let lines = log.lines();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[1].contains("ERROR") && lines[1].contains("wrong password"));
    assert!(lines[2].contains("WARN") && lines[2].contains("refused"));
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_ever_new_reasons_has_few_lines() {
    let (log, _guard) = Log::begin();
    let mut thing = Thing::new();
    for number in 0..1000 {
        thing.0.failed(&"a".repeat(number), true);
        advance(MINUTE).await;
    }
    assert_eq!(log.lines().len(), REASONS);
}

#[tokio::test(start_paused = true)]
async fn what_comes_and_goes_for_a_month_is_a_dozen_lines() {
    let (log, _guard) = Log::begin();
    let mut thing = Thing::new();
    let begun = Instant::now();
    while begun.elapsed() < MONTH {
        thing.fails("closed");
        advance(MINUTE).await;
        thing.is_well();
        advance(MINUTE).await;
    }
    let lines = log.lines();
    // Five are said with their ends, the one that goes on has a beginning.
    assert_eq!(lines.len(), 11, "{lines:?}");
    assert!(lines[10].contains("comes and goes"), "{lines:?}");

    thing.is_well();
    advance(STEADY).await;
    thing.is_well();
    let lines = log.lines();
    assert_eq!(lines.len(), 12, "{lines:?}");
    assert!(lines[11].contains("it is back"), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn what_breaks_off_as_soon_as_it_is_well_is_one_outage_until_it_has_held() {
    let (log, _guard) = Log::begin();
    let mut thing = Thing::new();
    for _ in 0..1000 {
        thing.is_well();
        thing.fails("closed");
        advance(SECOND).await;
    }
    assert_eq!(log.lines().len(), 1, "{:?}", log.lines());
    thing.is_well();
    advance(SECOND).await;
    thing.is_well();
    assert_eq!(log.lines().len(), 1, "{:?}", log.lines());
    advance(SECOND).await;
    thing.is_well();
    let lines = log.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[1].contains("outage_s=1000.0"), "{lines:?}");

    // One that was well for longer is back at once.
    thing.fails("closed");
    thing.is_well();
    assert_eq!(log.lines().len(), 4, "{:?}", log.lines());
}

#[tokio::test(start_paused = true)]
async fn what_was_well_for_moments_tells_when_to_look_again() {
    let mut outage = Outage::new("no connection to the broker");
    assert_eq!(outage.over(), None);
    assert_eq!(outage.ends(), None, "there is no outage");
    outage.failed("closed", false);
    assert_eq!(outage.ends(), None, "nothing is well");
    assert_eq!(outage.over(), None);
    let ends = outage.ends().expect("it is well again");
    advance(ends - Instant::now()).await;
    assert!(outage.over().is_some());
    assert_eq!(outage.ends(), None);
}

#[tokio::test(start_paused = true)]
async fn outages_with_a_steady_time_between_them_are_said_one_by_one() {
    let (log, _guard) = Log::begin();
    let mut thing = Thing::new();
    for _ in 0..20 {
        thing.fails("closed");
        advance(SECOND).await;
        thing.is_well();
        advance(STEADY).await;
    }
    assert_eq!(log.lines().len(), 40);
}

#[test]
fn a_length_has_tenths_only_while_they_matter() {
    let seconds = |milliseconds| {
        let lasted = Duration::from_millis(milliseconds);
        Ended {
            lasted,
            failures: 1,
        }
        .seconds()
        .to_string()
    };
    assert_eq!(seconds(40), "0");
    assert_eq!(seconds(440), "0.4");
    assert_eq!(seconds(9_940), "9.9");
    assert_eq!(seconds(62_400), "62");
}
