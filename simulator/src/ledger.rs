//! The ledger: every report that a client was shown in a complete answer, once each, as JSON lines.
//!
//! A line is appended when the whole answer, its last byte and any end mark included, has been
//! written to the client's connection and that connection was flushed: with TLS, all records have
//! been encrypted, and everything has been accepted by the system's socket, whose buffer is kept
//! small. So a line can come a moment after the client has the answer; once a simulator was stopped
//! all are there. Whether the client then reads and understands it is the client's affair: one that breaks
//! off while the rest of an answer is still in the simulator leaves no line; one that dies with an
//! answer in its own receive buffer does. Each line has the time, by our clock, at which it was written.

use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;
use thiserror::Error;

use crate::answer::ShownReport;
use crate::clock::OurTime;

/// A ledger file, shared by all connections.
#[derive(Debug)]
pub(crate) struct Ledger {
    path: PathBuf,
    ours: OurTime,
    inner: Mutex<Inner>,
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    report: &'a ShownReport,
    shown_at: Timestamp,
}

#[derive(Debug)]
struct Inner {
    file: File,
    /// Times of reports by inverter, in Unix seconds.
    seen: HashMap<String, HashSet<i64>>,
    failing: bool,
}

/// Why a ledger can't be kept.
#[derive(Debug, Error)]
pub enum LedgerError {
    /// The file can't be opened or read.
    #[error("can't open the ledger {}: name a file that can be written", .path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file exists and holds something else.
    #[error("line {line} of {} is not a ledger's: name another file, or move this one away", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The number of the line, from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

impl Ledger {
    /// Opens a ledger, to go on with what it holds: a report in it is not written again.
    pub(crate) fn open(path: &Path, ours: OurTime) -> Result<Self, LedgerError> {
        let unusable = |source| LedgerError::Unusable {
            path: path.to_owned(),
            source,
        };
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path);
        let file = file.map_err(unusable)?;
        let mut seen: HashMap<String, HashSet<i64>> = HashMap::new();
        for (index, line) in BufReader::new(&file).lines().enumerate() {
            let line = line.map_err(unusable)?;
            let report: ShownReport =
                serde_json::from_str(&line).map_err(|source| LedgerError::Foreign {
                    path: path.to_owned(),
                    line: index + 1,
                    source,
                })?;
            seen.entry(report.inverter)
                .or_default()
                .insert(report.reported_at.as_second());
        }
        let inner = Inner {
            file,
            seen,
            failing: false,
        };
        Ok(Self {
            path: path.to_owned(),
            ours,
            inner: Mutex::new(inner),
        })
    }

    /// Appends those of the reports that are new, in one write.
    pub(crate) fn append(&self, reports: &[ShownReport]) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut lines, shown_at) = (Vec::new(), self.ours.now());
        for report in reports {
            let times = inner.seen.entry(report.inverter.clone()).or_default();
            if times.insert(report.reported_at.as_second()) {
                serde_json::to_writer(&mut lines, &Line { report, shown_at })
                    .expect("writing strings and numbers into memory can't fail");
                lines.push(b'\n');
            }
        }
        let written = inner.file.write_all(&lines);
        let failed = written.is_err();
        match written {
            Err(error) if !inner.failing => {
                tracing::error!(path = %self.path.display(), %error, "the ledger is incomplete");
            }
            Ok(()) if inner.failing => {
                tracing::warn!(path = %self.path.display(), "the ledger is written again");
            }
            _ => {}
        }
        inner.failing = failed;
    }
}
