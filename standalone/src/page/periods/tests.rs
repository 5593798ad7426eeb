use super::*;

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").expect("a zone")
}

fn calendar_of(length: Length, count: i64, today: &str) -> (Vec<Date>, Vec<i64>) {
    let today = today.parse().expect("a date");
    let Ok(found) = calendar(length, count, today, &berlin()) else {
        panic!("Berlin has these days");
    };
    found
}

fn names(length: Length, dates: &[Date]) -> Vec<String> {
    dates.iter().map(|date| length.named(*date).1).collect()
}

#[test]
fn a_day_is_as_long_as_it_is_there() {
    let (_, edges) = calendar_of(Length::Day, 3, "2026-10-26");
    let lengths: Vec<i64> = edges
        .windows(2)
        .map(|day| (day[1] - day[0]) / 3600)
        .collect();
    assert_eq!(lengths, [24, 25, 24], "summer time ends on the 25th");
}

#[test]
fn months_and_years_are_those_of_the_calendar() {
    let (dates, _) = calendar_of(Length::Month, 3, "2026-01-31");
    assert_eq!(
        names(Length::Month, &dates),
        ["2025-11", "2025-12", "2026-01", "2026-02"]
    );
    let (dates, _) = calendar_of(Length::Year, 2, "2028-02-29");
    assert_eq!(names(Length::Year, &dates), ["2027", "2028", "2029"]);
}

#[test]
fn counters_are_looked_at_month_by_month_over_years() {
    let (dates, edges) = calendar_of(Length::Year, 2, "2026-11-27");
    let Ok((parts, spans)) = Length::Year.counted_by(&dates, &edges, &berlin()) else {
        panic!("Berlin has these months");
    };
    assert_eq!((parts.len(), spans), (2 * 12 + 1, 12));
    assert_eq!([parts[0], parts[12], parts[24]], edges[..]);
}

#[test]
fn years_reach_back_to_the_first_reading() {
    let today = "2026-11-27".parse().expect("a date");
    assert_eq!(years_since(None, &berlin(), today), 1);
    // 2024-12-31 23:00 in London is 2025 in Berlin.
    assert_eq!(years_since(Some(1_735_686_000), &berlin(), today), 2);
    assert_eq!(years_since(Some(0), &berlin(), today), 50);
}

#[test]
fn an_hour_counts_for_the_day_in_which_it_begins() {
    let hour = |begins, power: i32| Hour {
        begins,
        energy_ws: i64::from(power) * 3600,
        highest_w: Some(power),
        reports: 12,
        missed: 1,
    };
    let hours = [hour(0, 5), hour(3_600, 7), hour(7_200, 1), hour(10_800, 99)];
    let sums = summed(&hours, &[0, 5_400, 10_800]);
    let found: Vec<_> = sums
        .iter()
        .map(|sum| (sum.energy_ws / 3600, sum.highest_w))
        .collect();
    assert_eq!(found, [(12, Some(7)), (1, Some(1))]);
    assert_eq!((sums[0].reports, sums[0].missed), (24, 2));
}
