//! What a check found: printed as it goes for people, or as one object at the end for programs.

use std::io::{self, Write};
use std::pin::pin;
use std::time::Duration;

use serde::Serialize;
use tokio::time::timeout;

/// The width of a step's name; the longest, organisation, has as many letters.
const WIDTH: usize = 12;

/// How long a person waits without a word before a program seems to hang.
const SILENCE: Duration = Duration::from_secs(5);

/// How a check is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A line for each step, as soon as it is done.
    Text,
    /// One object at the end: `passed`, and `steps` with `part`, `step`, `outcome` (`passed`,
    /// `failed`, `skipped`) and `text` each.
    Json,
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Passed,
    Failed,
    Skipped,
}

impl Outcome {
    fn mark(self) -> char {
        match self {
            Self::Passed => '✓',
            Self::Failed => '✗',
            Self::Skipped => '–',
        }
    }
}

#[derive(Debug, Serialize)]
struct Finding {
    part: &'static str,
    step: &'static str,
    outcome: Outcome,
    text: String,
}

/// What to say of a step that an attempt took and that did not fail.
#[derive(Debug, Clone)]
pub enum Taken {
    /// It worked.
    Passed(String),
    /// There was nothing to try.
    Skipped(String),
}

/// The findings of a check, in order.
#[derive(Debug)]
pub struct Report<W> {
    format: Format,
    out: W,
    part: &'static str,
    findings: Vec<Finding>,
    /// The first fault of the output, which ends the printing.
    fault: Option<io::Error>,
}

impl<W: Write> Report<W> {
    /// Nothing was found yet.
    pub fn new(format: Format, out: W) -> Self {
        Self {
            format,
            out,
            part: "",
            findings: Vec::new(),
            fault: None,
        }
    }

    /// Begins the steps about one thing: the Envoy, the broker, the store.
    pub fn begin(&mut self, part: &'static str) {
        self.part = part;
        if self.format == Format::Text {
            self.print(&format!("{part}\n"));
        }
    }

    /// Waits for `work`; once that takes long, a person is told that the step is under way, and what
    /// is waited for.
    pub async fn patiently<T>(
        &mut self,
        step: &'static str,
        awaited: &str,
        work: impl Future<Output = T>,
    ) -> T {
        let mut work = pin!(work);
        if let Ok(done) = timeout(SILENCE, work.as_mut()).await {
            return done;
        }
        if self.format == Format::Text {
            self.print(&format!("  … {step:WIDTH$} {awaited}\n"));
        }
        work.await
    }

    /// A step succeeded; the text says what was found.
    pub fn passed(&mut self, step: &'static str, text: impl Into<String>) {
        self.add(step, Outcome::Passed, text.into());
    }

    /// A step failed; the text says what was found and what to do about it.
    pub fn failed(&mut self, step: &'static str, text: impl Into<String>) {
        self.add(step, Outcome::Failed, text.into());
    }

    /// A step could not be tried, or there is nothing to try; the text says why.
    pub fn skipped(&mut self, step: &'static str, text: impl Into<String>) {
        self.add(step, Outcome::Skipped, text.into());
    }

    /// Steps that one attempt takes one after the other, with what to say of each if it succeeds.
    /// Those before the failed one succeeded, those behind it were never tried.
    ///
    /// # Panics
    /// When the failed step is none of them: a mistake in the caller.
    pub fn attempt(
        &mut self,
        steps: Vec<(&'static str, Taken)>,
        failed: Option<(&'static str, String)>,
    ) {
        let end = failed.as_ref().map_or(steps.len(), |(step, _)| {
            let mut names = steps.iter().map(|(name, _)| name);
            names
                .position(|name| name == step)
                .expect("a failed step is one of those that were tried")
        });
        let mut steps = steps.into_iter();
        for (step, taken) in steps.by_ref().take(end) {
            match taken {
                Taken::Passed(text) => self.passed(step, text),
                Taken::Skipped(text) => self.skipped(step, text),
            }
        }
        if let Some((step, text)) = failed {
            self.failed(step, text);
            for (behind, _) in steps.skip(1) {
                self.skipped(behind, format!("not tried, because of the step '{step}'"));
            }
        }
    }

    /// Whether no step has failed so far.
    #[must_use]
    pub fn is_good(&self) -> bool {
        !self
            .findings
            .iter()
            .any(|finding| finding.outcome == Outcome::Failed)
    }

    /// Prints what is left to print. Whether all steps passed or were skipped.
    ///
    /// # Errors
    /// When the output could not be written.
    pub fn finish(mut self) -> io::Result<bool> {
        let passed = self.is_good();
        if self.format == Format::Json {
            let object = serde_json::json!({ "passed": passed, "steps": self.findings });
            self.print(&format!("{object}\n"));
        }
        match self.fault {
            Some(fault) => Err(fault),
            None => Ok(passed),
        }
    }

    fn add(&mut self, step: &'static str, outcome: Outcome, text: String) {
        if self.format == Format::Text {
            self.print(&format!("  {} {step:WIDTH$} {text}\n", outcome.mark()));
        }
        self.findings.push(Finding {
            part: self.part,
            step,
            outcome,
            text,
        });
    }

    fn print(&mut self, text: &str) {
        if self.fault.is_none() {
            let printed = self.out.write_all(text.as_bytes());
            self.fault = printed.and_then(|()| self.out.flush()).err();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps() -> Vec<(&'static str, Taken)> {
        ["name", "reachable", "login"]
            .map(|step| (step, Taken::Passed(format!("{step} is fine"))))
            .into()
    }

    fn printed(format: Format, failed: Option<(&'static str, String)>) -> (String, bool) {
        let mut out = Vec::new();
        let mut report = Report::new(format, &mut out);
        report.begin("broker");
        report.attempt(steps(), failed);
        let passed = report.finish().expect("a vector can be written");
        (String::from_utf8(out).expect("text"), passed)
    }

    #[test]
    fn steps_before_the_failed_one_passed_and_those_behind_it_were_not_tried() {
        let (text, passed) = printed(
            Format::Text,
            Some(("reachable", "nothing listens there; check the port".into())),
        );
        assert_eq!(
            text,
            "broker\n\
             \x20 ✓ name         name is fine\n\
             \x20 ✗ reachable    nothing listens there; check the port\n\
             \x20 – login        not tried, because of the step 'reachable'\n"
        );
        assert!(!passed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_step_that_takes_long_says_so_once_to_people() {
        for (format, seconds, said) in [
            (Format::Text, 4, "broker\n"),
            (
                Format::Text,
                60,
                "broker\n\x20 … reachable    no answer yet\n",
            ),
            (Format::Json, 60, ""),
        ] {
            let mut out = Vec::new();
            let mut report = Report::new(format, &mut out);
            report.begin("broker");
            let work = tokio::time::sleep(Duration::from_secs(seconds));
            report.patiently("reachable", "no answer yet", work).await;
            assert_eq!(String::from_utf8(out).expect("text"), said);
        }
    }

    #[test]
    fn a_program_gets_one_object_with_every_step() {
        let (text, passed) = printed(Format::Json, None);
        let object: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert!(passed);
        assert_eq!(object["passed"], true);
        assert_eq!(object["steps"].as_array().map(Vec::len), Some(3));
        assert_eq!(
            object["steps"][2],
            serde_json::json!({
                "part": "broker", "step": "login", "outcome": "passed", "text": "login is fine"
            })
        );
    }

    #[test]
    fn what_was_not_tried_is_no_failure() {
        let mut report = Report::new(Format::Text, Vec::new());
        report.skipped("TLS", "mqtt:// has none");
        assert!(report.finish().expect("a vector can be written"));
    }

    #[test]
    fn an_output_that_is_closed_is_an_error_and_no_success() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut report = Report::new(Format::Text, Closed);
        report.passed("name", "fine");
        assert!(report.finish().is_err());
    }
}
