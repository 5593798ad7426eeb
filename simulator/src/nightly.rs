//! The outage of a night: shortly after 23:00 local time a gateway is busy with itself for two to five
//! minutes, and requests hang for half a minute to a minute and a half.

use jiff::{SignedDuration, Timestamp, civil};

use crate::site::hash;

/// From noon to 23:00, in seconds.
const FROM_NOON_S: i64 = 11 * 3_600;
const DAY_S: i64 = 24 * 3_600;

/// Until when a request of `now` hangs, by the gateway's clock; none when it does not. Local time is
/// that of the sun: its noon, in UTC, is 12:00.
pub(crate) fn hangs_until(now: Timestamp, noon: civil::Time) -> Option<Timestamp> {
    let noon_s = noon.duration_since(civil::Time::midnight()).as_secs();
    let since = now.as_second() - noon_s - FROM_NOON_S;
    let (day, into) = (since.div_euclid(DAY_S), since.rem_euclid(DAY_S));
    let of = |what: u64, of: u64| (hash(&[what, of]) >> 32).cast_signed();
    let begins = of(23, day.cast_unsigned()).rem_euclid(60);
    let ends = begins + 120 + of(24, day.cast_unsigned()).rem_euclid(181);
    if !(begins..ends).contains(&into) {
        return None;
    }
    let hangs = 30 + of(25, now.as_second().cast_unsigned()).rem_euclid(61);
    let until = hangs.min(ends - into);
    now.checked_add(SignedDuration::from_secs(until)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The seconds after midnight UTC of a day in which requests hang.
    fn outage(noon: civil::Time, day: i64) -> Vec<i64> {
        let hangs = |second: &i64| {
            let now = Timestamp::from_second(day * DAY_S + second).expect("a time");
            hangs_until(now, noon).is_some()
        };
        (0..DAY_S).filter(hangs).collect()
    }

    #[test]
    fn it_lasts_two_to_five_minutes_shortly_after_23_local_time() {
        for (noon, begins_s) in [(12, 23 * 3_600), (2, 13 * 3_600), (20, 7 * 3_600)] {
            for day in 20_000..20_010 {
                let outage = outage(civil::time(noon, 0, 0, 0), day);
                let (first, last) = (outage[0], outage[outage.len() - 1]);
                assert!((begins_s..begins_s + 60).contains(&first), "{first}");
                assert!((120..=300).contains(&outage.len()), "{}", outage.len());
                let length = i64::try_from(outage.len()).expect("few");
                assert_eq!(last - first + 1, length, "in one piece");
            }
        }
    }

    #[test]
    fn requests_hang_for_half_a_minute_and_more_but_not_beyond_it() {
        let noon = civil::time(12, 0, 0, 0);
        let outage = outage(noon, 20_000);
        let end = 20_000 * DAY_S + outage[outage.len() - 1] + 1;
        for second in outage {
            let now = Timestamp::from_second(20_000 * DAY_S + second).expect("a time");
            let until = hangs_until(now, noon).expect("it hangs").as_second();
            let hangs = until - now.as_second();
            assert!(until == end || (30..=90).contains(&hangs), "{hangs}");
            assert!(until <= end);
        }
    }
}
