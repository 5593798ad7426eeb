//! Which times the contract has, and which it refuses.
#![allow(clippy::unwrap_used)]

use wire::{ReportTime, SET_BACK_S};

#[test]
fn a_time_that_is_not_the_contracts() {
    for text in [
        "",
        "now",
        "2026-11-23",
        "2026-11-23T09:15Z",
        "2026-11-23 09:15:00Z",
        "2026-11-23T09:15:00",
        "2026-11-23T09:15:00+01:00[Europe/Berlin]",
        "20261123T091500Z",
        "2026-13-01T00:00:00Z",
        "2026-11-23T25:00:00Z",
        "1795425300",
    ] {
        let error = text.parse::<ReportTime>().unwrap_err().to_string();
        assert!(error.contains(&format!("{text:?}")), "{error}");
    }
}

#[test]
fn a_fraction_of_a_second() {
    let error = "2026-11-23T09:15:00.5Z".parse::<ReportTime>().unwrap_err();
    assert_eq!(
        error.to_string(),
        r#""2026-11-23T09:15:00.5Z" has a fraction of a second"#
    );
}

#[test]
fn a_time_that_no_store_can_hold() {
    for seconds in [0, -1, i64::MIN, 9_214_646_400, i64::MAX] {
        let error = ReportTime::from_unix_seconds(seconds).unwrap_err();
        assert!(error.to_string().starts_with(&seconds.to_string()));
    }
    assert!("1970-01-01T00:00:00Z".parse::<ReportTime>().is_err());
    assert!("2262-01-01T00:00:00Z".parse::<ReportTime>().is_err());
    assert_eq!(ReportTime::MIN.to_string(), "1970-01-01T00:00:01Z");
    assert_eq!(ReportTime::MAX.to_string(), "2261-12-31T23:59:59Z");
}

#[test]
fn any_offset_means_the_same_moment() {
    let utc: ReportTime = "2026-11-23T09:15:00Z".parse().unwrap();
    for text in [
        "2026-11-23T10:15:00+01:00",
        "2026-11-23T03:45:00-05:30",
        "2026-11-23T09:15:00+00:00",
    ] {
        assert_eq!(text.parse::<ReportTime>().unwrap(), utc, "{text}");
    }
}

#[test]
fn a_later_time_supersedes_an_earlier_one_and_so_does_one_of_a_clock_that_fell_back_by_over_a_day()
{
    let noon: ReportTime = "2026-06-01T12:00:00Z".parse().unwrap();
    let after =
        |seconds: i64| ReportTime::from_unix_seconds(noon.unix_seconds() + seconds).unwrap();
    for (seconds, expected) in [
        (1, true),
        (0, true),
        (-1, false),
        (-SET_BACK_S, false),
        (-SET_BACK_S - 1, true),
    ] {
        assert_eq!(after(seconds).supersedes(noon), expected, "{seconds} s");
    }
}
