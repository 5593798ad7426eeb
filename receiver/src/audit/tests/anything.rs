//! Whatever comes, in whatever order.

use proptest::prelude::*;
use std::collections::BTreeMap;
use wire::MAX_SEQ;

use super::*;

/// What may come from outside: spans of any width, in any order, again and again.
fn span() -> impl Strategy<Value = (u64, u64)> {
    let number = prop_oneof![1..40_u64, 1..=MAX_SEQ];
    (number.clone(), number).prop_map(|(a, b)| (a.min(b), a.max(b)))
}

#[derive(Debug, Clone)]
enum Step {
    Announce(u8, Vec<(u8, (u64, u64))>),
    Store(u8, (u64, u64)),
    Pass(u64),
}

/// What else may happen.
#[derive(Debug, Clone)]
enum Event {
    Step(Step),
    Receive(u8, u64),
    StoreFails,
    StoreTakes,
    StartOver,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..3_u8, prop::collection::vec((0..4_u8, span()), 0..4))
            .prop_map(|(instance, spans)| Step::Announce(instance, spans)),
        (0..4_u8, span()).prop_map(|(id, numbers)| Step::Store(id, numbers)),
        (1..2_000_u64).prop_map(Step::Pass),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        8 => step().prop_map(Event::Step),
        4 => (0..4_u8, 1..40_u64).prop_map(|(id, seq)| Event::Receive(id, seq)),
        1 => Just(Event::StoreFails),
        2 => Just(Event::StoreTakes),
        1 => Just(Event::StartOver),
    ]
}

fn happens(rig: &mut Rig, event: &Event) {
    match event {
        Event::Step(Step::Announce(instance, spans)) => {
            let named: Vec<_> = spans
                .iter()
                .map(|(id, span)| (format!("j{id}"), *span))
                .collect();
            let spans: Vec<_> = named
                .iter()
                .map(|(id, (first, last))| (id.as_str(), *first, *last))
                .collect();
            rig.announce(&format!("i{instance}"), &spans);
        }
        Event::Step(Step::Store(id, (first, last))) => {
            rig.settle(&envoy(), &journal(&format!("j{id}")), *first..=*last);
        }
        Event::Step(Step::Pass(seconds)) => rig.now += Duration::from_secs(*seconds),
        Event::Receive(id, seq) => rig
            .audit
            .received(&envoy(), &journal(&format!("j{id}")), *seq),
        Event::StoreFails => rig.audit.store_fails(),
        Event::StoreTakes => rig.audit.store_takes(rig.now),
        Event::StartOver => {
            rig.marks = Marks::default();
            rig.audit.start_over();
        }
    }
}

proptest! {
    #[test]
    fn whatever_is_announced_only_what_is_held_and_not_stored_is_asked_for(
        steps in prop::collection::vec(step(), 1..60)
    ) {
        let mut rig = Rig::new();
        let mut announced: BTreeMap<JournalId, (u64, u64)> = BTreeMap::new();
        for step in steps {
            if let Step::Announce(_, spans) = &step {
                announced.extend(spans.iter().map(|(id, span)| (journal(&format!("j{id}")), *span)));
            }
            happens(&mut rig, &Event::Step(step));
            let (requests, _) = rig.audit.requests(&rig.marks, rig.now);
            for (_, request) in requests {
                let asked: u64 = request.ranges().iter().map(|range| range.end() - range.start() + 1).sum();
                prop_assert!((1..=PIECE).contains(&asked));
                let (first, last) = announced[request.journal()];
                let highest = rig.marks.highest(&envoy(), request.journal());
                if highest.is_some_and(|highest| highest > last) && asked == 1 && request.ranges()[0].end() > &last {
                    continue;
                }
                for range in request.ranges() {
                    prop_assert!(first <= *range.start() && *range.end() <= last);
                    let missing = rig.marks.missing(&envoy(), request.journal(), range);
                    prop_assert_eq!(missing, vec![range.clone()]);
                }
            }
        }
    }

    #[test]
    fn an_envoy_that_rests_is_asked_for_the_same_as_one_that_is_looked_at_each_time(
        events in prop::collection::vec(event(), 1..60),
        looks in prop::collection::vec(0..100_u64, 60),
    ) {
        let (mut resting, mut awake) = (Rig::new(), Rig::new());
        awake.now = resting.now;
        for (event, seconds) in events.iter().zip(looks) {
            happens(&mut resting, event);
            happens(&mut awake, event);
            for _ in 0..seconds {
                awake.audit.sites.values_mut().for_each(|looked| looked.rest = Rest::None);
                let [expected, said] = [&mut awake, &mut resting].map(|rig| {
                    rig.now += Duration::from_secs(1);
                    let (requests, findings) = rig.audit.requests(&rig.marks, rig.now);
                    let requests: Vec<_> = requests.iter().map(|(_, request)| request.encode()).collect();
                    (requests, findings)
                });
                prop_assert_eq!(said, expected);
            }
        }
    }

    #[test]
    fn with_a_scraper_that_answers_sometimes_everything_is_stored_and_then_it_is_quiet(
        last in 1..3_000_u64,
        stored in prop::collection::vec((1..3_000_u64, 0..50_u64), 0..40),
        passes in prop::collection::vec(0..1_200_usize, 1..30),
    ) {
        let mut rig = Rig::after(1, last);
        for (first, more) in stored {
            rig.store(first.min(last)..=(first + more).min(last));
        }
        let mut answers = passes.iter().cycle();
        let mut quiet = 0;
        for _ in 0..20_000 {
            let ranges = rig.asked();
            // A part of what is asked for comes; now and then nothing.
            let come = *answers.next().expect("it goes on");
            let numbers = ranges.iter().cloned().flatten().take(come);
            for number in numbers {
                rig.store(number..=number);
            }
            quiet = if ranges.is_empty() { quiet + 1 } else { 0 };
            if rig.marks.missing(&envoy(), &journal("j"), &(1..=last)).is_empty() && quiet > 3 {
                return Ok(());
            }
            rig.now += Duration::from_secs(20);
            rig.announce("i", &[("j", 1, last)]);
        }
        // With no answer at all nothing can be stored.
        prop_assert!(passes.iter().all(|come| *come == 0));
    }
}
