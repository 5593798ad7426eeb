//! Measured values with a fraction.

use std::fmt;
use std::num::NonZeroI64;

use serde::{Deserialize, Serialize};

/// Thousandths in one.
const THOUSANDTHS: i64 = 1000;

/// A measured value in the unit that its field names, in thousandths: finite, and between
/// [`MIN`](Self::MIN) and [`MAX`](Self::MAX).
///
/// Kept as a whole number, so that the same value is always the same text, and two of them can be
/// compared. No meter of a gateway is as exact as a thousandth.
///
/// The number that is kept is higher by `LIFT`, and so never 0: an unknown one takes no more room than one that
/// is known, and a reading has up to ten of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "f64", try_from = "f64")]
pub struct Quantity(NonZeroI64);

/// Twice the largest value: what is kept is between once and three times that.
const LIFT: i64 = 2 * 1_000_000_000_000 * THOUSANDTHS;

/// A value that is not finite, or too large to have been measured.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{0} is not a measured value: expected a number from -1e12 to 1e12")]
pub struct InvalidQuantity(f64);

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self::kept(0);
    /// The lowest value, −10¹².
    pub const MIN: Self = Self::kept(-1_000_000_000_000 * THOUSANDTHS);
    /// The highest value, 10¹²: a terawatt-hour. Up to here every thousandth is exact in an `f64`.
    pub const MAX: Self = Self::kept(1_000_000_000_000 * THOUSANDTHS);

    /// A value within the bounds, in thousandths.
    const fn kept(thousandths: i64) -> Self {
        Self(
            NonZeroI64::new(thousandths + LIFT)
                .expect("no value within the bounds is as low as minus LIFT"),
        )
    }

    const fn thousandths(self) -> i64 {
        self.0.get() - LIFT
    }

    /// `value`, to the nearest thousandth.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the bounds are looked at before"
    )]
    pub fn new(value: f64) -> Result<Self, InvalidQuantity> {
        if value.abs() <= 1e12 {
            Ok(Self::kept((value * 1000.0).round() as i64))
        } else {
            Err(InvalidQuantity(value))
        }
    }

    /// The value as a number.
    #[must_use]
    #[allow(
        clippy::cast_precision_loss,
        reason = "at most 10^15, and an f64 counts exactly up to 2^53"
    )]
    pub fn get(self) -> f64 {
        self.thousandths() as f64 / 1000.0
    }

    /// The sum, which ends at the bounds.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let sum = self.thousandths() + other.thousandths();
        Self::kept(sum.clamp(Self::MIN.thousandths(), Self::MAX.thousandths()))
    }
}

impl Default for Quantity {
    fn default() -> Self {
        Self::ZERO
    }
}

impl From<i32> for Quantity {
    fn from(whole: i32) -> Self {
        Self::kept(i64::from(whole) * THOUSANDTHS)
    }
}

impl From<u32> for Quantity {
    fn from(whole: u32) -> Self {
        Self::kept(i64::from(whole) * THOUSANDTHS)
    }
}

impl From<Quantity> for f64 {
    fn from(quantity: Quantity) -> Self {
        quantity.get()
    }
}

impl TryFrom<f64> for Quantity {
    type Error = InvalidQuantity;

    fn try_from(value: f64) -> Result<Self, InvalidQuantity> {
        Self::new(value)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.get(), formatter)
    }
}

impl fmt::Debug for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Quantity({})", self.get())
    }
}
