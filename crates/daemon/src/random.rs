//! Random ids for journals, processes, and words that nobody else says.

use rand::RngExt;

/// Characters of an id: no capitals, so that it can be read out over a telephone.
const ALPHABET: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// 36^8 ids, some 2.8 million million: two journals of one Envoy share one about never.
const LENGTH: usize = 8;

/// A random id as the contract allows it, for any of its kinds of id, or as text.
///
/// # Panics
/// When the type takes no eight letters and digits: a mistake in the caller.
#[must_use]
pub fn id<T: std::str::FromStr<Err: std::fmt::Debug>>() -> T {
    let mut random = rand::rng();
    let text: String = (0..LENGTH)
        .map(|_| char::from(ALPHABET[random.random_range(0..ALPHABET.len())]))
        .collect();
    text.parse()
        .expect("eight letters and digits are an id of every kind")
}

/// A random part of a time, so that many that wait for the same thing do not act at once.
#[must_use]
pub fn part_of(time: std::time::Duration) -> std::time::Duration {
    time.mul_f64(rand::rng().random())
}
