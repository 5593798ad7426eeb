//! Many Envoys and journals: who is asked, and what is bounded.

use wire::MAX_SEQ;

use super::*;

/// So many journals of an Envoy, by its number.
fn many(rig: &mut Rig, envoy: usize, journals: usize) {
    let span = |number| JournalSpan::new(journal(&format!("j{number}")), 1, MAX_SEQ);
    let announcement = Announcement {
        instance: "i".parse().expect("an id"),
        journals: (0..journals)
            .map(|number| span(number).expect("a span"))
            .collect(),
        waiting: 0,
    };
    let envoy = format!("n{envoy}").parse().expect("a serial");
    rig.now += Duration::from_millis(1);
    let marks = &mut rig.marks;
    rig.audit.announced(&envoy, &announcement, marks, rig.now);
}

#[test]
fn envoys_from_outside_are_bounded_and_those_that_were_heard_last_stay() {
    let mut rig = Rig::new();
    let last = MOST_ENVOYS + MOST_ENVOYS / 8;
    for number in 0..=last {
        many(&mut rig, number, 1);
        assert!(rig.audit.sites.len() <= MOST_ENVOYS);
    }
    assert!(rig.audit.sites.len() > MOST_ENVOYS / 16 * 14);
    for (number, stays) in [(0, false), (last / 2, true), (last, true)] {
        let envoy: Serial = format!("n{number}").parse().expect("a serial");
        assert_eq!(rig.audit.sites.contains_key(&envoy), stays, "{number}");
    }
}

#[test]
fn journals_from_outside_are_bounded_and_nobodys_give_way_to_them() {
    let mut rig = Rig::new();
    many(&mut rig, 0, 1);
    for number in 1..=MOST_ENVOYS / 4 {
        many(&mut rig, number, MAX_JOURNALS);
    }
    let journals = |rig: &Rig, number: usize| {
        let envoy: Serial = format!("n{number}").parse().expect("a serial");
        rig.audit
            .sites
            .get(&envoy)
            .map(|looked| looked.site.journals())
    };
    assert_eq!(journals(&rig, 0), Some(1));
    assert_eq!(journals(&rig, 1), Some(MAX_JOURNALS));
    assert_eq!(journals(&rig, MOST_ENVOYS / 4), Some(FEW_JOURNALS));
    many(&mut rig, 1, MAX_JOURNALS);
    assert_eq!(
        journals(&rig, 1),
        Some(MAX_JOURNALS),
        "they were there before"
    );
    let sites = rig.audit.sites.values();
    let all: usize = sites.map(|looked| looked.site.journals()).sum();
    assert_eq!(rig.audit.journals, all);
    assert!(all <= MOST_JOURNALS + FEW_JOURNALS * MOST_ENVOYS);
}

#[test]
fn of_many_envoys_only_some_are_asked_at_a_time_and_in_the_end_all() {
    let mut rig = Rig::new();
    let envoys = 3 * MOST_ASKED;
    for number in 0..envoys {
        many(&mut rig, number, 1);
    }
    let mut asked = std::collections::BTreeSet::new();
    for _ in 0..3 {
        rig.now += WAIT;
        let (requests, _) = rig.audit.requests(&rig.marks, rig.now);
        assert_eq!(requests.len(), MOST_ASKED);
        asked.extend(requests.into_iter().map(|(envoy, _)| envoy));
        let (requests, _) = rig.audit.requests(&rig.marks, rig.now);
        assert!(requests.is_empty(), "the others are still answering");
    }
    assert_eq!(asked.len(), envoys, "nobody who keeps silent is in the way");
}

#[test]
fn those_who_send_a_little_now_and_then_keep_nobody_from_being_asked() {
    let mut rig = Rig::new();
    let envoys = 2 * MOST_ASKED;
    for number in 0..envoys {
        many(&mut rig, number, 1);
    }
    let mut asked = std::collections::BTreeMap::new();
    for _ in 0..4 {
        rig.now += WAIT;
        let (requests, _) = rig.audit.requests(&rig.marks, rig.now);
        assert_eq!(requests.len(), MOST_ASKED);
        for (envoy, request) in requests {
            let first = *request.ranges()[0].start();
            asked
                .entry(envoy.clone())
                .or_insert_with(Vec::new)
                .push(first);
            // All but the last one of the piece comes at once, and that one never.
            let most = request.ranges()[0].end() - 1;
            rig.settle(&envoy, request.journal(), first..=most);
        }
    }
    assert_eq!(asked.len(), envoys);
    assert!(asked.values().all(|times| times.len() == 2));
}

#[test]
fn an_envoy_that_lacks_nothing_rests_until_more_is_announced_or_due() {
    let mut rig = Rig::after(1, 10);
    assert!(!rig.rests(), "it was not looked at");
    rig.store(1..=9);
    assert_eq!(rig.asked(), [10..=10]);
    assert!(!rig.rests(), "something is missing");
    rig.receive(10..=10);
    assert_eq!(rig.asked(), []);
    assert!(rig.rests());
    rig.announce("i", &[("j", 1, 12)]);
    assert!(!rig.rests(), "more was announced");
    assert_eq!(rig.asked(), []);
    let due = rig.now + WAIT;
    rig.now += Duration::from_secs(59);
    assert!(rig.rests(), "it may still come");
    rig.now = due;
    assert_eq!(rig.asked(), [11..=12]);
}

#[test]
fn an_envoy_whose_journals_are_gone_rests_until_it_announces_one() {
    let mut rig = Rig::after(1, 10);
    rig.store(1..=10);
    assert_eq!(rig.asked(), []);
    rig.now += Duration::from_mins(15);
    assert!(!rig.rests(), "it has to be seen that they are gone");
    assert_eq!(rig.asked(), []);
    rig.now += Duration::from_hours(24);
    assert!(rig.rests());
    rig.announce("i", &[("j", 1, 12)]);
    assert_eq!(rig.asked(), []);
    rig.now += WAIT;
    assert_eq!(rig.asked(), [11..=12]);
}
