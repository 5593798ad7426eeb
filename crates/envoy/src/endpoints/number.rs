//! Numbers as the firmwares write them: integers, floats for the same key in another version, and
//! integers in quotation marks.

use super::plain::Plain;

/// A whole number that fits into `T`. `None` for anything else, also for a fraction.
pub(super) fn whole<'a, T: TryFrom<i64>>(value: impl Into<Plain<'a>>) -> Option<T> {
    integer(&value.into())
}

/// The nearest whole number that fits into `T`, for quantities that may have a fraction.
pub(super) fn nearest<'a, T: TryFrom<i64>>(value: impl Into<Plain<'a>>) -> Option<T> {
    match value.into() {
        Plain::Float(float) => to_i64(float.round()).and_then(|whole| T::try_from(whole).ok()),
        value => integer(&value),
    }
}

/// A measured value, as any of those; `None` where it is missing or no finite number.
pub(super) fn quantity<'a>(value: Option<impl Into<Plain<'a>>>) -> Option<f64> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "what is measured has fewer digits than a float"
    )]
    match value?.into() {
        Plain::None => None,
        Plain::Unsigned(number) => Some(number as f64),
        Plain::Negative(number) => Some(number as f64),
        Plain::Float(number) => Some(number),
        Plain::Text(text) => text.trim().parse().ok(),
    }
    .filter(|value: &f64| value.is_finite())
}

fn integer<T: TryFrom<i64>>(value: &Plain<'_>) -> Option<T> {
    match value {
        Plain::Unsigned(number) => i64::try_from(*number).ok(),
        Plain::Negative(number) => Some(*number),
        Plain::Float(float) if float.fract() == 0.0 => to_i64(*float),
        Plain::Float(_) | Plain::None => None,
        Plain::Text(text) => text.trim().parse().ok(),
    }
    .and_then(|whole| T::try_from(whole).ok())
}

/// A float without a fraction as an integer, where it is one of those that f64 tells apart.
fn to_i64(float: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the range is checked, and the callers pass no fraction"
    )]
    (-EXACT..=EXACT).contains(&float).then_some(float as i64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_way_to_write_an_integer_is_read() {
        for value in [json!(212), json!(212.0), json!("212"), json!(" 212 ")] {
            assert_eq!(whole::<i32>(&value), Some(212), "{value}");
        }
        assert_eq!(whole::<i32>(&json!(-4)), Some(-4));
        assert_eq!(whole::<i32>(&json!(-0.0)), Some(0));
        assert_eq!(whole::<i64>(&json!(1_785_332_841.0)), Some(1_785_332_841));
    }

    #[test]
    fn what_is_no_integer_or_does_not_fit_is_not_read() {
        for value in [
            json!(null),
            json!(true),
            json!(""),
            json!("many"),
            json!([1]),
            json!(0.5),
            json!(1e300),
            json!(u64::MAX),
            json!(3_000_000_000_u32),
        ] {
            assert_eq!(whole::<i32>(&value), None, "{value}");
        }
        assert_eq!(whole::<u32>(&json!(-1)), None);
    }

    #[test]
    fn fractions_of_a_quantity_are_rounded() {
        assert_eq!(nearest::<i32>(&json!(211.5)), Some(212));
        assert_eq!(nearest::<i32>(&json!(-1.4)), Some(-1));
        assert_eq!(nearest::<i32>(&json!("7")), Some(7));
        assert_eq!(nearest::<i32>(&json!(1e12)), None);
        assert_eq!(nearest::<i32>(&json!("0x7")), None);
    }
}
