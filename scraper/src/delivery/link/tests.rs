use super::*;

const JOURNAL: &str = "envoy/e/journal";

fn span(id: &str, last: u64) -> JournalSpan {
    JournalSpan::new(id.parse().expect("an id"), 1, last).expect("a span")
}

fn announcement(instance: &str, journals: &[JournalSpan]) -> String {
    let announcement = Announcement {
        instance: instance.parse().expect("an id"),
        journals: journals.to_vec(),
        waiting: 0,
    };
    announcement.encode()
}

fn ours() -> JournalId {
    "ours".parse().expect("an id")
}

/// What `link` makes of a message, in the process `us` that has written 10 readings to the journal `ours`.
fn hear(link: &mut Link, topic: &str, payload: &str, retain: bool) -> Heard {
    let message = Message {
        topic,
        payload: payload.as_bytes(),
        retain,
    };
    let us = Listener {
        base: &BaseTopic::default(),
        instance: &"us".parse().expect("an id"),
        journals: &[span("ours", 10)],
    };
    link.hear(message, us)
}

/// A connection on which our announcement has come back.
fn proven() -> Link {
    let mut link = Link::default();
    link.announced(1);
    let ours = announcement("us", &[span("ours", 10)]);
    assert_eq!(hear(&mut link, JOURNAL, &ours, false), Heard::Echo);
    link
}

#[test]
fn the_announcement_of_the_process_before_this_one_means_nothing() {
    let before = announcement("before", &[span("ours", 10)]);
    let mut link = Link::default();
    assert_eq!(hear(&mut link, JOURNAL, &before, true), Heard::Nothing);
    // Its last word may still have been on its way when we threw it out.
    assert_eq!(hear(&mut link, JOURNAL, &before, false), Heard::Nothing);
    assert!(!link.is_ready());
}

#[test]
fn a_journal_that_was_announced_with_more_than_it_has_was_put_back_from_a_copy() {
    let before = announcement("before", &[span("ours", 11)]);
    for retain in [true, false] {
        let heard = hear(&mut Link::default(), JOURNAL, &before, retain);
        assert_eq!(heard, Heard::JournalUsedElsewhere(ours()));
    }
}

#[test]
fn a_second_scraper_with_a_copy_of_our_journal_is_told_from_one_with_its_own() {
    let mut link = proven();
    let copy = announcement("other", &[span("ours", 3)]);
    assert_eq!(
        hear(&mut link, JOURNAL, &copy, false),
        Heard::JournalUsedElsewhere(ours())
    );
    let own = announcement("other", &[span("theirs", 3)]);
    assert!(matches!(
        hear(&mut link, JOURNAL, &own, false),
        Heard::AnotherScraper(_)
    ));
}

#[test]
fn a_request_is_heard_and_one_that_was_kept_or_makes_no_sense_is_not() {
    let topic = "envoy-receiver/r/replay/e";
    let request = r#"{"journal":"ours","ranges":[[1,2]]}"#;
    let mut link = proven();
    assert!(matches!(
        hear(&mut link, topic, request, false),
        Heard::Request(_)
    ));
    assert_eq!(hear(&mut link, topic, request, true), Heard::Nothing);
    let nonsense = r#"{"journal":"ours","ranges":[[2,1]]}"#;
    assert_eq!(hear(&mut link, topic, nonsense, false), Heard::Nothing);
}

#[test]
fn a_broker_that_shows_readings_without_end_fills_nothing_and_it_is_said_once() {
    let show = |link: &mut Link, number: usize, time: &str| {
        let reading = format!(
            r#"{{"serial":"i{number}","envoy":"e","reported_at":"2026-11-23T09:{time}Z","device_type":1,
            "power_w":1,"peak_power_w":2,"journal":"theirs","seq":1}}"#
        );
        hear(
            link,
            &format!("envoy/e/inverters/i{number}"),
            &reading,
            true,
        )
    };
    let mut link = Link::default();
    for number in 0..MOST_HELD {
        assert_eq!(show(&mut link, number, "15:00"), Heard::Nothing);
    }
    assert_eq!(show(&mut link, MOST_HELD, "15:00"), Heard::TooManyTopics);
    assert_eq!(show(&mut link, MOST_HELD + 1, "15:00"), Heard::Nothing);
    let before = link.held();
    // Whoever is known goes on.
    assert_eq!(show(&mut link, 0, "30:00"), Heard::Nothing);
    let after = link.held();
    assert_eq!((before.len(), after.len()), (MOST_HELD, MOST_HELD));
    let known = Subject::Inverter("i0".parse().expect("a serial"));
    assert!(after[&known] > before[&known]);
}
