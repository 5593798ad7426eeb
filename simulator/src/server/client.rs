//! Who is at the other end of a connection, and what becomes of what they were shown.

use std::net::IpAddr;
use std::sync::Arc;

use crate::answer::ShownReport;
use crate::hold::Hold;
use crate::ledger::Ledger;
use crate::server::Requests;

/// Where it is written down that a client was shown something.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    pub(crate) ledger: Option<Arc<Ledger>>,
    pub(crate) hold: Option<Arc<Hold>>,
    pub(crate) requests: Option<Arc<Requests>>,
}

/// A client of a connection.
#[derive(Clone, Debug)]
pub(super) struct Client {
    address: IpAddr,
    record: Record,
}

impl Client {
    pub(super) fn new(address: IpAddr, record: Record) -> Self {
        Self { address, record }
    }

    /// A client of this machine, whose reports go into the ledger at `path`.
    #[cfg(test)]
    pub(super) fn recorded_in(path: &std::path::Path) -> Self {
        let ledger = Some(Arc::new(
            Ledger::open(path, crate::OurTime::default()).expect("a ledger"),
        ));
        let record = Record {
            ledger,
            ..Record::default()
        };
        Self::new(std::net::Ipv4Addr::LOCALHOST.into(), record)
    }

    /// It has all of an answer with these reports.
    pub(super) fn has(&self, reports: &[ShownReport]) {
        if reports.is_empty() {
            return;
        }
        if let Some(ledger) = &self.record.ledger {
            ledger.append(reports);
        }
        if let Some(hold) = &self.record.hold {
            hold.answered(self.address, reports);
        }
    }
}
