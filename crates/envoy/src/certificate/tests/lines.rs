//! What is logged of changes: each alone, and few of many.

use super::*;
use crate::lines::Lines;

/// What is logged while these are shown, one a minute; none is an answer by http.
fn said(shown: &[Option<Fingerprint>]) -> Vec<String> {
    let lines = Lines::from(tracing::Level::WARN);
    tracing::subscriber::with_default(lines.clone(), || {
        // Each place that logs asks once, when it is first come to, whether anybody listens. Where that was another
        // test's thread at the moment in which this one began to, it may have been told that nobody does.
        show(shown);
        tracing::callsite::rebuild_interest_cache();
        lines.take();
        show(shown);
    });
    lines.take()
}

fn show(shown: &[Option<Fingerprint>]) {
    let state = tempfile::tempdir().expect("a directory");
    let mut certificates = certificates(CertificatePolicy::AcceptNew, state.path());
    for (minute, shown) in (0..).zip(shown) {
        let now = Timestamp::from_second(60 * minute).expect("a small number of seconds");
        let (address, tls) = match shown {
            Some(_) => (ADDRESS, true),
            None => ("http://192.168.1.20", false),
        };
        certificates.begin();
        certificates.noted.set(*shown);
        let judged = certificates.judge(SERIAL, address, tls, now);
        judged.expect("new ones are accepted");
    }
}

fn again_and_again(lines: &[String]) -> usize {
    let repeated = lines.iter().filter(|line| line.contains("again and again"));
    repeated.count()
}

#[test]
fn two_devices_that_answer_in_turns_are_no_line_at_each_poll() {
    for turns in [[Some(one()), Some(other())], [Some(one()), None]] {
        let lines = said(&turns.repeat(100));
        // Two changes as such, and that they go on.
        assert_eq!(lines.len(), 3, "{lines:#?}");
        assert_eq!(again_and_again(&lines), 1, "{lines:#?}");
    }
}

#[test]
fn a_change_that_stays_is_a_line_of_its_own() {
    let two_updates = said(&[one(), other(), one()].map(Some));
    assert_eq!(two_updates.len(), 2, "{two_updates:#?}");
    let an_older_one = said(&[Some(one()), None, None, None, None]);
    assert_eq!(an_older_one.len(), 1, "{an_older_one:#?}");
    for lines in [two_updates, an_older_one] {
        assert_eq!(again_and_again(&lines), 0, "{lines:#?}");
    }
}
