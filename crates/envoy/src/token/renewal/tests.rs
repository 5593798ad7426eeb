use super::*;

const YEAR: i64 = 31_536_000;
const DAY: i64 = 86_400;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a small number of seconds")
}

fn down() -> CloudError {
    CloudError::Down {
        host: "https://enlighten.example".to_owned(),
        status: 503,
        wait: None,
    }
}

#[test]
fn an_owner_s_token_is_renewed_a_month_ahead_and_an_installer_s_an_hour() {
    assert!(!is_due(Some(0), YEAR, at(YEAR - 30 * DAY - 1)));
    assert!(is_due(Some(0), YEAR, at(YEAR - 30 * DAY)));
    assert!(!is_due(Some(0), 43_200, at(39_599)));
    assert!(is_due(Some(0), 43_200, at(39_600)));
    assert!(is_due(None, YEAR, at(YEAR - 30 * DAY)), "by its end alone");
    assert!(is_due(Some(5), 5, at(5)));
    assert_eq!(
        ahead(Some(i64::MIN), i64::MAX),
        AHEAD,
        "nonsense is no panic"
    );
}

#[test]
fn attempts_that_fail_become_rare_and_are_never_given_up() {
    for (error, first_hour) in [
        (down as fn() -> _, 6),
        (|| CloudError::SecondFactor, 3),
        (|| CloudError::TooManySessions, 1),
    ] {
        let mut attempts = Attempts::default();
        let made: Vec<i64> = (0..4 * DAY)
            .step_by(60)
            .filter(|&second| {
                let now = at(second);
                let may = attempts.may(now).is_ok();
                if may {
                    attempts.failed(error(), now, 0.0);
                }
                may
            })
            .collect();
        let within = |from, until| made.iter().filter(|at| (from..until).contains(*at)).count();
        assert_eq!(within(0, 3_600), first_hour);
        assert_eq!(within(3 * DAY, 4 * DAY), 4);
    }
}

#[test]
fn tokens_that_the_envoy_refuses_are_fetched_ever_more_rarely() {
    let mut attempts = Attempts::default();
    let mut fetch = |from: i64, until: i64| {
        let minutes = (from..until).step_by(60).map(at);
        let fetched = minutes.filter(|&now| {
            attempts.refused(now);
            let may = attempts.may(now).is_ok();
            if may {
                attempts.succeeded(now);
            }
            may
        });
        fetched.count()
    };
    assert_eq!(fetch(0, 3_600), 1);
    assert!(fetch(3_600, DAY) < 6);
    assert_eq!(fetch(3 * DAY, 4 * DAY), 4);
    // One that was good for long is replaced at once.
    attempts.succeeded(at(5 * DAY));
    attempts.refused(at(9 * DAY));
    assert!(attempts.may(at(9 * DAY)).is_ok());
    attempts.succeeded(at(9 * DAY));
    assert!(attempts.may(at(9 * DAY + 1_800)).is_ok());
}

#[test]
fn the_reason_of_the_last_failure_is_there_until_the_next_attempt() {
    let mut attempts = Attempts::default();
    attempts.failed(down(), at(0), 1.0);
    let not_yet = attempts.may(at(74)).expect_err("too early");
    assert_eq!(not_yet.again_at, at(75));
    assert!(not_yet.because.is_some());
    assert!(attempts.may(at(75)).is_ok());
    attempts.succeeded(at(75));
    let not_yet = attempts.may(at(1_874)).expect_err("too early");
    assert!(not_yet.because.is_none());
    assert!(attempts.may(at(1_875)).is_ok());
}

#[test]
fn the_cloud_is_left_alone_for_as_long_as_it_asks_but_no_longer_than_a_day() {
    for (asked, seconds) in [(7_200, 7_200), (10, 60), (u64::MAX, DAY)] {
        let mut attempts = Attempts::default();
        let host = "https://enlighten.example".to_owned();
        let wait = Some(std::time::Duration::from_secs(asked));
        let error = CloudError::Down {
            host,
            status: 503,
            wait,
        };
        attempts.failed(error, at(0), 0.0);
        assert!(attempts.may(at(seconds - 1)).is_err(), "{asked}");
        assert!(attempts.may(at(seconds)).is_ok(), "{asked}");
    }
}

#[test]
fn attempts_outlive_the_process_and_who_put_the_account_right_waits_a_quarter_of_an_hour() {
    let mut attempts = Attempts::default();
    for _ in 0..5 {
        attempts.failed(CloudError::SecondFactor, at(0), 0.0);
    }
    let mut next = Attempts::of(&attempts.saved());
    assert!(attempts.may(at(3_600)).is_err());
    let not_yet = next.may(at(899)).expect_err("too early");
    assert_eq!(
        (not_yet.again_at, not_yet.because.is_none()),
        (at(900), true)
    );
    assert!(next.may(at(900)).is_ok());
    // Nor does it begin from the first pause again.
    next.failed(CloudError::SecondFactor, at(900), 0.0);
    assert!(next.may(at(900 + 5 * 3_600)).is_err());

    let turned_away = || CloudError::TurnedAway {
        said: "wait an hour".to_owned(),
    };
    for error in [CloudError::TooManySessions, turned_away()] {
        attempts.failed(error, at(DAY), 0.0);
        let next = Attempts::of(&attempts.saved());
        assert!(next.may(at(DAY + 3 * 3_600)).is_err());
    }
}

#[test]
fn an_attempt_that_was_killed_counts_as_one_that_failed() {
    let attempts = Attempts::default();
    let mut next = Attempts::of(&attempts.saved_before(at(0)));
    assert!(next.may(at(59)).is_err());
    assert!(next.may(at(60)).is_ok());
    next.failed(down(), at(60), 0.0);
    assert!(
        next.may(at(179)).is_err(),
        "the second pause, of two minutes"
    );
}

#[test]
fn how_many_tokens_the_envoy_has_refused_outlives_the_process() {
    let mut attempts = Attempts::default();
    for round in 0..4 {
        let now = at(round * DAY);
        attempts.succeeded(now);
        assert!(attempts.refused(now));
        assert!(!attempts.refused(now), "told again");
        attempts = Attempts::of(&attempts.saved());
    }
    attempts.succeeded(at(4 * DAY));
    attempts.refused(at(4 * DAY));
    assert!(attempts.may(at(4 * DAY + 5 * 3_600)).is_err());
}

#[test]
fn what_is_no_saved_attempts_holds_nothing_up() {
    for text in [
        "",
        "x",
        "1",
        "1 x",
        "9223372036854775807 1",
        "99999999999 2",
    ] {
        assert!(Attempts::of(text).may(at(0)).is_ok(), "{text}");
    }
}

#[test]
fn a_clock_that_was_set_back_holds_nothing_up_for_long() {
    let mut attempts = Attempts::default();
    attempts.failed(down(), at(YEAR), 0.5);
    assert!(attempts.may(at(0)).is_ok());
}
