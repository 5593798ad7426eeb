//! Randomness without a state: the same arguments always give the same number.

/// Mixes all parts into one number (the finaliser of splitmix64 over a running sum).
pub(crate) fn hash(parts: &[u64]) -> u64 {
    parts.iter().fold(0x9e37_79b9_7f4a_7c15, |state, part| {
        let mut z = (state ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

/// The same for text.
pub(crate) fn text_hash(text: &str) -> u64 {
    text.bytes()
        .fold(0, |state, byte| hash(&[state, u64::from(byte)]))
}

/// Evenly distributed in 0..1.
pub(super) fn unit(parts: &[u64]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "53 bits are what an f64 holds")]
    let unit = (hash(parts) >> 11) as f64 / (1_u64 << 53) as f64;
    unit
}

/// A value in 0..1 that wanders smoothly, with a new height every `period_s`.
pub(super) fn smooth(seed: u64, at: i64, period_s: i64) -> f64 {
    let step = at.div_euclid(period_s);
    #[expect(clippy::cast_precision_loss, reason = "below a day in seconds")]
    let x = at.rem_euclid(period_s) as f64 / period_s as f64;
    let height = |step: i64| unit(&[seed, period_s.cast_unsigned(), step.cast_unsigned()]);
    let ease = x * x * (3.0 - 2.0 * x);
    height(step) + (height(step + 1) - height(step)) * ease
}
