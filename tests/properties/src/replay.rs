//! What a scraper announces, what a receiver asks for because of it, and what the scraper makes of that.

use std::collections::BTreeSet;
use std::time::Duration;

use receiver::audit::{Audit, MOST_ASKED, MOST_DOUBTED, MOST_ENVOYS, PIECE};
use scraper::delivery::replay::{MOST_RANGES, Replay};
use store::{MOST_JOURNALS, Marks};
use tokio::time::Instant;
use wire::{Announcement, JournalId, ReplayRequest, Serial};

use crate::{Input, first_line, logged};

/// The first pause of the audit.
const WAIT: Duration = Duration::from_mins(1);

/// In each line an Envoy's serial and its announcement; after each of them time passes, and half of what the receiver
/// asks for is stored. It asks for what was announced and is not stored, a piece at a time, and remembers of all of
/// them no more than it has room for.
pub(crate) fn audit(data: &[u8]) -> Input {
    let mut audit = Audit::new(WAIT);
    let mut marks = Marks::default();
    let mut now = Instant::now();
    let mut is_understood = true;
    for line in data.split(|byte| *byte == b'\n') {
        let mut words = line.splitn(2, |byte| *byte == b' ');
        let envoy = words.next().and_then(|word| str::from_utf8(word).ok());
        let Some(Ok(envoy)) = envoy.map(str::parse::<Serial>) else {
            is_understood &= line.is_empty();
            continue;
        };
        match Announcement::decode(words.next().unwrap_or_default()) {
            Ok(announcement) => {
                audit.announced(&envoy, &announcement, &mut marks, now);
            }
            Err(error) => {
                is_understood = false;
                logged::is_fit(&error.to_string());
            }
        }
        now += WAIT + Duration::from_secs(1);
        let (requests, _) = audit.requests(&marks, now);
        assert!(requests.len() <= MOST_ASKED + MOST_DOUBTED);
        for (envoy, request) in requests {
            is_sound(&request);
            for range in request.ranges() {
                // The highest that is stored is asked for where a journal is announced with less.
                let highest = marks.highest(&envoy, request.journal());
                let is_doubt = highest == Some(*range.start()) && range.start() == range.end();
                let missing = marks.missing(&envoy, request.journal(), range);
                assert!(
                    is_doubt || missing == [range.clone()],
                    "stored, and asked for"
                );
            }
            for range in request.ranges().iter().step_by(2) {
                marks.settle(&envoy, request.journal(), range.clone());
            }
            audit.marked(&envoy);
        }
    }
    let known: BTreeSet<_> = marks.iter().map(|(envoy, ..)| envoy).collect();
    assert!(known.len() <= MOST_ENVOYS);
    let journals: BTreeSet<_> = marks.iter().map(|(envoy, id, _)| (envoy, id)).collect();
    assert!(journals.len() <= MOST_ENVOYS * MOST_JOURNALS);
    Input::understood_if(is_understood)
}

fn is_sound(request: &ReplayRequest) {
    let again = ReplayRequest::decode(request.encode().as_bytes());
    assert_eq!(&again.expect("what was written"), request);
    let asked: u64 = request
        .ranges()
        .iter()
        .map(|range| range.end() - range.start() + 1)
        .sum();
    assert!((1..=PIECE).contains(&asked), "{asked} at once");
}

/// In the first line what a scraper announces, in each further one a request: what is held and was asked for is sent, and
/// nothing else, each number once, the lowest first.
pub(crate) fn replay(data: &[u8]) -> Input {
    /// So many are sent; a request may be as wide as all numbers.
    const SENT: usize = 200;
    let (held, requests) = first_line(data);
    let Ok(held) = Announcement::decode(held) else {
        return Input::Refused;
    };
    let mut replay = Replay::default();
    let mut asked = Vec::new();
    let mut is_understood = true;
    for line in requests.split(|byte| *byte == b'\n') {
        match ReplayRequest::decode(line) {
            Ok(request) => {
                assert!((1..=wire::MAX_RANGES).contains(&request.ranges().len()));
                replay.ask(&request, &held.journals);
                asked.push(request);
            }
            Err(error) => {
                is_understood &= line.is_empty();
                logged::is_fit(&error.to_string());
            }
        }
    }
    let mut sent = BTreeSet::new();
    let mut last: Option<(JournalId, u64)> = None;
    while let Some((journal, seq)) = replay.next(|_| true) {
        let span = held.journals.iter().find(|span| *span.id() == journal);
        let span = span.expect("a journal that is held");
        assert!(
            (span.first()..=span.last()).contains(&seq),
            "{seq} is not held"
        );
        let mut of_journal = asked.iter().filter(|request| *request.journal() == journal);
        assert!(
            of_journal.any(|request| request.ranges().iter().any(|range| range.contains(&seq))),
            "nobody has asked for {seq}"
        );
        let is_next = last.is_none_or(|(id, before)| id != journal || before < seq);
        assert!(is_next, "not the lowest first");
        last = Some((journal.clone(), seq));
        assert!(sent.insert((journal.clone(), seq)), "sent twice");
        replay.sent(&journal, seq);
        if sent.len() == SENT {
            replay.hold_only(&[]);
            assert!(replay.next(|_| true).is_none(), "not held any more");
        }
    }
    let ranges: usize = asked.iter().map(|request| request.ranges().len()).sum();
    if sent.len() < SENT && ranges < MOST_RANGES {
        is_all(&sent, &asked, &held);
    }
    Input::understood_if(is_understood)
}

/// Nothing that is held and was asked for is left out.
fn is_all(sent: &BTreeSet<(JournalId, u64)>, asked: &[ReplayRequest], held: &Announcement) {
    for request in asked {
        let span = held
            .journals
            .iter()
            .find(|span| span.id() == request.journal());
        let Some(span) = span else { continue };
        for range in request.ranges() {
            let first = span.first().max(*range.start());
            for seq in first..=span.last().min(*range.end()) {
                let number = (request.journal().clone(), seq);
                assert!(sent.contains(&number), "{number:?} is not sent");
            }
        }
    }
}
