//! What people in a home use.

use super::noise::{hash, smooth, unit};

/// What a home uses at a moment, `since_midnight` seconds into its day: a refrigerator and lamps always,
/// breakfast, an evening, a kettle now and then.
pub(super) fn home_w(seed: u64, at: i64, since_midnight: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a day in seconds")]
    let hour = since_midnight as f64 / 3_600.0;
    let around = |middle: f64, width: f64| (-((hour - middle) / width).powi(2)).exp();
    let always = 140.0 + 120.0 * smooth(hash(&[seed, 31]), at, 1_500);
    let breakfast = 900.0 * around(7.5, 1.1) * smooth(hash(&[seed, 32]), at, 700);
    let evening = 1_600.0 * around(19.0, 2.2) * smooth(hash(&[seed, 33]), at, 1_100);
    let awake = (6.0..23.0).contains(&hour);
    let five_minutes = at.div_euclid(300).cast_unsigned();
    let kettle = if awake && unit(&[seed, 34, five_minutes]) < 0.04 {
        2_000.0
    } else {
        0.0
    };
    always + breakfast + evening + kettle
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_S: i64 = 24 * 3_600;
    const BEGINS: i64 = 20_619 * DAY_S;

    #[test]
    fn a_home_uses_something_always_and_a_plausible_amount_in_a_day() {
        let used: Vec<f64> = (0..DAY_S)
            .map(|second| home_w(7, BEGINS + second, second))
            .collect();
        assert!(used.iter().all(|watts| (100.0..6_000.0).contains(watts)));
        let wh: f64 = used.iter().sum::<f64>() / 3_600.0;
        assert!((6_000.0..20_000.0).contains(&wh), "{wh}");
    }
}
