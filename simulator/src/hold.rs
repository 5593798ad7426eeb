//! Reports that stay on show until their reader has had them: for tests that compare what was shown
//! with what arrived.
//!
//! A real gateway shows an inverter's next report whenever it has it, whether or not anybody has seen
//! the one before. Here the next one comes only once the one on show stood in two complete answers
//! to the reader: the first may have reached a reader that was killed before it could write it down;
//! that it asks again says that it was not. A reader that is started again starts the count again.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::answer::ShownReport;
use crate::site::Row;

/// Complete answers in which a report has to stand.
const ANSWERS: u32 = 2;

/// What is on show, and who has had it.
#[derive(Debug)]
pub(crate) struct Hold {
    /// Whose answers count.
    reader: IpAddr,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    inverters: HashMap<String, OnShow>,
    /// Nothing new is shown.
    frozen: bool,
    /// How far the gateway's clock was set back, in seconds.
    set_back_s: i64,
}

#[derive(Debug)]
struct OnShow {
    /// As it is shown.
    row: Row,
    /// When the site made it, by a clock that was never set back.
    made_at: i64,
    /// Complete answers to the reader.
    answers: u32,
    /// The times of all that were shown. Two reports of one second would be one to whoever reads them.
    times: HashSet<i64>,
}

impl Hold {
    /// Counts the answers to clients at this address.
    pub(crate) fn new(reader: IpAddr) -> Self {
        Self {
            reader,
            inner: Mutex::default(),
        }
    }

    /// The rows to show, of those that the site has made.
    pub(crate) fn rows(&self, made: Vec<Row>) -> Vec<Row> {
        let mut inner = self.lock();
        made.into_iter().map(|row| inner.row(row)).collect()
    }

    /// A client has all of an answer with these reports.
    pub(crate) fn answered(&self, client: IpAddr, reports: &[ShownReport]) {
        if client != self.reader {
            return;
        }
        let mut inner = self.lock();
        for report in reports {
            if let Some(on_show) = inner.inverters.get_mut(&report.inverter)
                && on_show.row.reported_at == report.reported_at.as_second()
            {
                on_show.answers += 1;
            }
        }
    }

    /// Answers until now count no more.
    pub(crate) fn reader_started(&self) {
        for on_show in self.lock().inverters.values_mut() {
            on_show.answers = 0;
        }
    }

    /// Whether nothing new is to be shown.
    pub(crate) fn freeze(&self, frozen: bool) {
        self.lock().frozen = frozen;
    }

    /// Sets the gateway's clock back, once more.
    pub(crate) fn set_back(&self, by: Duration) {
        let seconds = i64::try_from(by.as_secs()).unwrap_or(i64::MAX);
        let mut inner = self.lock();
        inner.set_back_s = inner.set_back_s.saturating_add(seconds);
    }

    /// How far the gateway's clock was set back, in seconds.
    pub(crate) fn set_back_s(&self) -> i64 {
        self.lock().set_back_s
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn row(&mut self, made: Row) -> Row {
        // One that has never reported has nothing to keep.
        if made.reported_at == 0 {
            return made;
        }
        let (frozen, set_back_s) = (self.frozen, self.set_back_s);
        if let Some(on_show) = self.inverters.get_mut(&made.inverter) {
            if !frozen && on_show.answers >= ANSWERS && on_show.made_at != made.reported_at {
                on_show.replace(made, set_back_s);
            }
            return on_show.row.clone();
        }
        let times = HashSet::from([made.reported_at]);
        let on_show = OnShow {
            made_at: made.reported_at,
            answers: 0,
            times,
            row: made,
        };
        let row = on_show.row.clone();
        self.inverters.insert(row.inverter.clone(), on_show);
        row
    }
}

impl OnShow {
    fn replace(&mut self, made: Row, set_back_s: i64) {
        let mut at = made.reported_at - set_back_s;
        while !self.times.insert(at) {
            at += 1;
        }
        self.made_at = made.reported_at;
        self.answers = 0;
        self.row = Row {
            reported_at: at,
            ..made
        };
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use jiff::Timestamp;

    use super::*;

    const READER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn made(at: i64) -> Vec<Row> {
        vec![Row {
            inverter: "482000000001".to_owned(),
            reported_at: at,
            power_w: 100,
            peak_power_w: 200,
        }]
    }

    /// Shows what there is to show, to its end, and says which report that was.
    fn read(hold: &Hold, client: IpAddr, at: i64) -> i64 {
        let row = hold.rows(made(at)).remove(0);
        let report = ShownReport {
            envoy: "122012345678".to_owned(),
            inverter: row.inverter,
            reported_at: Timestamp::from_second(row.reported_at).expect("a time"),
            device_type: None,
            power_w: row.power_w,
            peak_power_w: row.peak_power_w,
        };
        hold.answered(client, &[report]);
        row.reported_at
    }

    #[test]
    fn a_report_stays_until_its_reader_had_it_twice() {
        let hold = Hold::new(READER);
        assert_eq!(read(&hold, READER, 1_000), 1_000);
        assert_eq!(read(&hold, READER, 1_300), 1_000);
        assert_eq!(
            read(&hold, READER, 1_600),
            1_600,
            "the newest, not the next"
        );
    }

    #[test]
    fn the_answers_to_another_client_do_not_count() {
        let hold = Hold::new(READER);
        let other = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
        for at in [1_000, 1_300, 1_600] {
            assert_eq!(read(&hold, other, at), 1_000);
        }
    }

    #[test]
    fn a_reader_that_starts_again_has_it_twice_again() {
        let hold = Hold::new(READER);
        read(&hold, READER, 1_000);
        read(&hold, READER, 1_000);
        hold.reader_started();
        assert_eq!(read(&hold, READER, 1_300), 1_000);
        assert_eq!(read(&hold, READER, 1_300), 1_000);
        assert_eq!(read(&hold, READER, 1_300), 1_300);
    }

    #[test]
    fn nothing_new_is_shown_while_it_is_frozen() {
        let hold = Hold::new(READER);
        hold.freeze(true);
        for at in [1_000, 1_300, 1_600] {
            assert_eq!(read(&hold, READER, at), 1_000);
        }
        hold.freeze(false);
        assert_eq!(read(&hold, READER, 1_900), 1_900);
    }

    #[test]
    fn after_the_clock_was_set_back_no_second_is_used_twice() {
        let hold = Hold::new(READER);
        let next = |at| {
            let mut shown = 0;
            for _ in 0..=ANSWERS {
                shown = read(&hold, READER, at);
            }
            shown
        };
        assert_eq!([1_000, 1_300].map(next), [1_000, 1_300]);
        hold.set_back(Duration::from_mins(10));
        assert_eq!(
            next(1_600),
            1_001,
            "dated by the new clock, but not as 1,000"
        );
        assert_eq!(next(1_950), 1_350);
    }
}
