//! What a program prints, kept line by line and passed on to the test's own output.

use std::io::{BufRead, BufReader, Read};
use std::process::Child;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// Which of the two outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    Out,
    Error,
}

type Lines = Arc<Mutex<Vec<(Stream, String)>>>;

/// The lines printed so far.
#[derive(Debug)]
pub(super) struct Output {
    lines: Lines,
    readers: Vec<JoinHandle<()>>,
}

impl Output {
    /// Begins to read both outputs of a child whose outputs are pipes.
    pub(super) fn of(name: &'static str, child: &mut Child) -> Self {
        let lines = Lines::default();
        let mut readers = Vec::new();
        if let Some(out) = child.stdout.take() {
            readers.push(read(name, Stream::Out, out, Arc::clone(&lines)));
        }
        if let Some(error) = child.stderr.take() {
            readers.push(read(name, Stream::Error, error, Arc::clone(&lines)));
        }
        Self { lines, readers }
    }

    /// Whether both pipes were read to their end, which comes a moment after the program's.
    pub(super) fn is_complete(&self) -> bool {
        self.readers.iter().all(JoinHandle::is_finished)
    }

    pub(super) fn lines(&self, wanted: Stream) -> Vec<String> {
        lock(&self.lines)
            .iter()
            .filter(|(stream, _)| *stream == wanted)
            .map(|(_, line)| line.clone())
            .collect()
    }
}

/// A thread of its own for each pipe: a program must never wait for a test to read.
fn read(
    name: &'static str,
    stream: Stream,
    pipe: impl Read + Send + 'static,
    lines: Lines,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            forward(name, &line);
            lock(&lines).push((stream, line));
        }
    })
}

/// Shown by the test runner when the test fails.
#[expect(clippy::print_stderr, reason = "the test runner captures it")]
fn forward(name: &str, line: &str) {
    // It panics where nobody reads standard error any more, and the program must be read all the same.
    let _ = std::panic::catch_unwind(|| eprintln!("{name}: {line}"));
}

fn lock(lines: &Lines) -> MutexGuard<'_, Vec<(Stream, String)>> {
    // A line pushed by a thread that panicked later is still a line.
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}
