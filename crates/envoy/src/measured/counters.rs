//! Energy counters of meters that fall.
//!
//! They only count up, so one that is lower than before was set back by an update or a replacement. Those of
//! production, consumption, the grid and batteries are carried on by whoever has what they said before this process began.

use std::collections::HashMap;

/// How much a counter may fall by rounding, in watt-hours: firmwares write some of them as whole numbers.
const ROUNDING_WH: f64 = 1.0;

/// The last value of each counter.
#[derive(Debug, Default)]
pub(crate) struct Counters(HashMap<String, f64>);

impl Counters {
    /// The value, or `None` where the counter has fallen since the last one: that tells of no energy. It
    /// counts again from the next one on.
    pub(crate) fn sound(&mut self, counter: &str, value: Option<f64>) -> Option<f64> {
        let value = value?;
        let before = self.0.insert(counter.to_owned(), value);
        let has_fallen = before.is_some_and(|before| value < before - ROUNDING_WH);
        (!has_fallen).then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_that_is_set_back_is_unknown_once_and_counts_on() {
        let mut counters = Counters::default();
        let values = [1_193_000.0, 1_193_046.0, 12.5, 40.0, 0.0, 0.0, 3.0];
        let sound = values.map(|value| counters.sound("delivered", Some(value)));
        assert_eq!(
            sound,
            [
                Some(1_193_000.0),
                Some(1_193_046.0),
                None,
                Some(40.0),
                None,
                Some(0.0),
                Some(3.0)
            ]
        );
    }

    #[test]
    fn a_new_counter_begins_with_nothing() {
        let mut counters = Counters::default();
        let sound = [0.0, 0.0, 3.0].map(|value| counters.sound("exported", Some(value)));
        assert_eq!(sound, [Some(0.0), Some(0.0), Some(3.0)]);
    }

    #[test]
    fn rounding_is_no_fall_and_each_counter_is_its_own() {
        let mut counters = Counters::default();
        assert_eq!(counters.sound("a", Some(100.7)), Some(100.7));
        assert_eq!(counters.sound("a", Some(100.0)), Some(100.0));
        assert_eq!(counters.sound("b", Some(5.0)), Some(5.0));
        assert_eq!(counters.sound("b", None), None);
    }
}
