use std::cell::RefCell;
use std::rc::Rc;

use wire::Announcement;

use super::sending::READ_AGAIN;
use super::*;

mod again;
mod announcing;
mod delivered;
mod ids;

const T: i64 = 1_700_000_000;

/// A journal in memory, with the id `j1`, then `j2`, and so on.
#[derive(Debug, Clone, Default)]
struct Held(Rc<RefCell<Content>>);

#[derive(Debug, Default)]
struct Content {
    renewed: u32,
    readings: Vec<Reading>,
    /// It is being opened again.
    closed: bool,
}

impl Held {
    fn id(&self) -> JournalId {
        format!("j{}", self.0.borrow().renewed + 1)
            .parse()
            .expect("an id")
    }

    /// What a poll brings: a reading of each of these inverters, at this minute.
    fn append(&self, inverters: &[&str], minute: i64) -> Vec<Reading> {
        let journal = self.id();
        let readings = &mut self.0.borrow_mut().readings;
        let first = readings.len();
        for inverter in inverters {
            readings.push(Reading {
                envoy: "e".parse().expect("a serial"),
                measured: wire::Inverter {
                    serial: inverter.parse().expect("a serial"),
                    reported_at: wire::ReportTime::from_unix_seconds(T + 60 * minute)
                        .expect("a time"),
                    device_type: Some(1),
                    power_w: 1,
                    peak_power_w: 2,
                    detail: None,
                }
                .into(),
                journal: journal.clone(),
                seq: readings.len() as u64 + 1,
            });
        }
        readings[first..].to_vec()
    }
}

impl Journal for Held {
    fn spans(&self) -> Vec<JournalSpan> {
        let last = self.0.borrow().readings.len() as u64;
        vec![JournalSpan::new(self.id(), 1, last).expect("a span")]
    }

    fn reading(&self, journal: &JournalId, seq: u64) -> Result<Option<Reading>, Unreadable> {
        if self.0.borrow().closed || *journal != self.id() {
            return Err(Unreadable);
        }
        let place = usize::try_from(seq).expect("small") - 1;
        Ok(self.0.borrow().readings.get(place).cloned())
    }

    fn renew(&self, journal: &JournalId) -> Option<JournalId> {
        if *journal != self.id() {
            return None;
        }
        self.0.borrow_mut().renewed += 1;
        let id = self.id();
        for reading in &mut self.0.borrow_mut().readings {
            reading.journal = id.clone();
        }
        Some(id)
    }

    fn successor(&self, journal: &JournalId) -> Option<JournalId> {
        (*journal != self.id()).then(|| self.id())
    }
}

/// A delivery and its time, with a connection on which nothing was said yet.
struct Rig {
    journal: Held,
    delivery: Delivery<Held>,
    now: Instant,
}

impl Rig {
    fn new() -> Self {
        let journal = Held::default();
        let now = Instant::now();
        let sender = Sender {
            base: BaseTopic::default(),
            instance: "us".parse().expect("an id"),
        };
        let beginning = Beginning {
            newest: Vec::new(),
            delivered_below: 1,
        };
        let mut delivery = Delivery::new(sender, journal.clone(), beginning, now);
        delivery.connected(now);
        Self {
            journal,
            delivery,
            now,
        }
    }

    /// One on which our announcement has come back, so that readings go out.
    fn allowed() -> Self {
        let mut rig = Self::new();
        let sent = rig.send();
        rig.delivery.acknowledged(&sent[0].1, rig.now);
        assert_eq!(rig.echo(&sent[0].0), News::Allowed);
        rig
    }

    /// The scraper is started anew.
    fn begin(&mut self, beginning: Beginning) {
        let sender = self.delivery.sender.clone();
        self.delivery = Delivery::new(sender, self.journal.clone(), beginning, self.now);
        self.delivery.connected(self.now);
    }

    fn poll(&mut self, inverters: &[&str], minute: i64) {
        let readings = self.journal.append(inverters, minute);
        self.delivery.take(readings, self.now);
    }

    fn send(&mut self) -> Vec<(Outgoing, Ticket)> {
        self.send_at_most(usize::MAX)
    }

    fn send_at_most(&mut self, messages: usize) -> Vec<(Outgoing, Ticket)> {
        let send = || {
            let outgoing = self.delivery.next(self.now)?;
            let ticket = self.delivery.sent(&outgoing, self.now);
            Some((outgoing, ticket))
        };
        std::iter::from_fn(send).take(messages).collect()
    }

    /// All that waits is sent, acknowledged and proven.
    fn arrive(&mut self) {
        loop {
            let sent = self.send();
            if sent.is_empty() {
                return;
            }
            for (outgoing, ticket) in sent {
                self.delivery.acknowledged(&ticket, self.now);
                if let Outgoing::Announcement(_) = outgoing {
                    self.echo(&outgoing);
                }
            }
        }
    }

    fn delivered_below(&self) -> (String, u64) {
        let (journal, below) = self.delivery.delivered_below().expect("what was told");
        (journal.to_string(), below)
    }

    /// An announcement comes back.
    fn echo(&mut self, outgoing: &Outgoing) -> News {
        let Outgoing::Announcement(announcement) = outgoing else {
            panic!("no announcement: {outgoing:?}");
        };
        self.hear("envoy/e/journal", &announcement.encode(), false)
    }

    fn hear(&mut self, topic: &str, payload: &str, retain: bool) -> News {
        let message = link::Message {
            topic,
            payload: payload.as_bytes(),
            retain,
        };
        self.delivery.hear(message, self.now)
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.delivery.at(self.now);
    }
}

/// What was sent, in short.
fn short(sent: &[(Outgoing, Ticket)]) -> Vec<String> {
    let short = |(outgoing, _): &(Outgoing, Ticket)| match outgoing {
        Outgoing::Plain(reading) => format!("plain {} {}", reading.journal, reading.seq),
        Outgoing::Late(reading) => format!("late {} {}", reading.journal, reading.seq),
        Outgoing::Again(reading) => format!("again {} {}", reading.journal, reading.seq),
        Outgoing::Announcement(Announcement { waiting, .. }) => format!("announcement {waiting}"),
    };
    sent.iter().map(short).collect()
}

#[test]
fn a_restarted_scraper_waits_for_the_envoy_before_it_shows_what_its_journal_has() {
    let mut rig = Rig::new();
    let newest = rig.journal.append(&["a"], 0);
    rig.begin(Beginning {
        newest,
        delivered_below: 2,
    });
    let sent = rig.send();
    rig.echo(&sent[0].0);
    assert_eq!(short(&rig.send()), [""; 0]);
    rig.pass(FIRST_ANSWER);
    assert_eq!(short(&rig.send()), ["plain j1 1"]);
}

#[test]
fn a_journal_that_can_not_be_read_for_a_while_is_read_later_and_nothing_is_given_up() {
    let mut rig = Rig::allowed();
    rig.poll(&["a"], 0);
    rig.arrive();
    let request = r#"{"journal":"j1","ranges":[[1,1]]}"#;
    rig.hear("envoy-receiver/r/replay/e", request, false);
    rig.poll(&["a", "b"], 2);
    rig.poll(&["a"], 1);
    rig.journal.0.borrow_mut().closed = true;
    assert_eq!(short(&rig.send()), ["plain j1 2", "plain j1 3"]);
    let due = rig.delivery.due();
    assert_eq!(due, Some(rig.now + READ_AGAIN));
    rig.pass(READ_AGAIN);
    assert_eq!(short(&rig.send()), [""; 0]);
    assert_eq!(rig.delivery.due(), Some(rig.now + READ_AGAIN));
    rig.journal.0.borrow_mut().closed = false;
    rig.pass(READ_AGAIN);
    assert_eq!(short(&rig.send()), ["late j1 4", "again j1 1"]);
    assert_eq!(rig.delivery.given_up(), 0);
}

#[test]
fn an_acknowledgement_from_before_everything_was_lined_up_anew_counts_no_more() {
    let mut rig = Rig::allowed();
    rig.poll(&["a"], 0);
    let sent = rig.send();
    rig.delivery.disconnected();
    rig.delivery.connected(rig.now);
    rig.delivery.acknowledged(&sent[0].1, rig.now);
    assert_eq!(rig.delivery.waiting(), 1);
}
