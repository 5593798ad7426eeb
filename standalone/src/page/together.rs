//! Inverters together, span by span: no database, no clock.
//!
//! At the edge of a gap some inverters' reports are there and others' are not: their sum would show a dip that nobody
//! saw. So a span beside a gap is unknown, too, while an inverter is missing in it that reports in the span after.

use super::energy::{Made, whole};

/// What is known of one span.
#[derive(Debug, Clone, Copy, Default)]
struct Span {
    energy_wh: f64,
    /// The sum of the average powers of which each is known.
    power_w: f64,
    /// Inverters of which something is known in it, and how many of those in the next one, too.
    inverters: usize,
    also_in_next: usize,
}

/// What inverters made together.
#[derive(Debug)]
pub(super) struct Together {
    spans: Vec<Span>,
    /// The longest interval at which one of them reports, in seconds.
    interval_s: i64,
}

impl Together {
    /// Nothing is known of so many spans.
    pub(super) fn new(spans: usize) -> Self {
        let spans = vec![Span::default(); spans];
        let interval_s = 0;
        Self { spans, interval_s }
    }

    /// One more inverter, which reports at this interval, in seconds.
    pub(super) fn add(&mut self, made: &[Made], interval_s: i64) {
        self.interval_s = self.interval_s.max(interval_s);
        let next = made.iter().skip(1).map(|next| next.known_s > 0);
        let next = next.chain([false]);
        for ((span, own), is_in_next) in self.spans.iter_mut().zip(made).zip(next) {
            if own.known_s > 0 {
                span.energy_wh += own.energy_wh;
                span.power_w += own.energy_wh * 3600.0 / whole(own.known_s);
                span.inverters += 1;
                span.also_in_next += usize::from(is_in_next);
            }
        }
    }

    /// The energy of all spans, in watt-hours.
    pub(super) fn energy_wh(&self) -> f64 {
        self.spans.iter().map(|span| span.energy_wh).sum()
    }

    /// The average power of each span, in watts: of those inverters of which it is known, none where of none.
    pub(super) fn power_w(&self) -> Vec<Option<f64>> {
        let power = |span: &Span| (span.inverters > 0).then_some(span.power_w);
        self.spans.iter().map(power).collect()
    }

    /// Leaves the power of those spans unknown that are beside a gap and lack inverters: of as many on each side as
    /// reports of one interval lie in. Each span has `step` seconds.
    pub(super) fn leave_out_edges(&self, power: &mut [Option<f64>], step: i64) {
        let most = usize::try_from((self.interval_s + step - 1) / step).unwrap_or(usize::MAX);
        let is_gap: Vec<bool> = power.iter().map(Option::is_none).collect();
        for gap in (0..power.len()).filter(|span| is_gap[*span]) {
            let after = (gap + 1..power.len()).take(most);
            for span in after.take_while(|span| self.lacks(*span, span + 1, &is_gap)) {
                power[span] = None;
            }
            let before = (0..gap).rev().take(most);
            for span in before.take_while(|span| {
                span.checked_sub(1)
                    .is_some_and(|inner| self.lacks(*span, inner, &is_gap))
            }) {
                power[span] = None;
            }
        }
    }

    /// Whether of an inverter something is known in the span beside this one, and nothing in this one.
    fn lacks(&self, span: usize, beside: usize, is_gap: &[bool]) -> bool {
        let Some(other) = self.spans.get(beside) else {
            return false;
        };
        let in_both = self.spans[span.min(beside)].also_in_next;
        !is_gap[span] && !is_gap[beside] && in_both < other.inverters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two inverters of 100 W, of which so many seconds of each span of 600 are known.
    fn together(known_s: [&[i64]; 2], interval_s: i64) -> Together {
        let mut together = Together::new(known_s[0].len());
        for known_s in known_s {
            let made = known_s.iter().map(|known_s| Made {
                energy_wh: 100.0 * whole(*known_s) / 3600.0,
                known_s: *known_s,
            });
            together.add(&made.collect::<Vec<_>>(), interval_s);
        }
        together
    }

    fn drawn(known_s: [&[i64]; 2], interval_s: i64) -> Vec<Option<i64>> {
        let together = together(known_s, interval_s);
        let mut power = together.power_w();
        together.leave_out_edges(&mut power, 600);
        let power = power.into_iter();
        power
            .map(|power| power.map(super::super::series::rounded))
            .collect()
    }

    #[test]
    fn an_inverter_that_is_known_for_a_part_of_a_span_counts_with_its_average() {
        let power = drawn([&[600, 600, 600], &[600, 120, 600]], 300);
        assert_eq!(power, [Some(200), Some(200), Some(200)]);
    }

    #[test]
    fn a_gap_has_no_dip_beside_it() {
        let known_s: [&[i64]; 2] = [&[600, 600, 0, 0, 100, 600], &[600, 0, 0, 0, 0, 600]];
        let both = Some(200);
        assert_eq!(drawn(known_s, 300), [both, None, None, None, None, both]);
    }

    #[test]
    fn an_inverter_that_falls_silent_alone_leaves_the_others_known() {
        let power = drawn([&[600, 600, 600, 0], &[600, 0, 0, 0]], 300);
        assert_eq!(power, [Some(200), Some(100), Some(100), None]);
    }

    #[test]
    fn no_more_is_left_out_than_reports_of_one_interval_lie_in() {
        let known_s: [&[i64]; 2] = [&[0, 600, 600, 600, 600], &[0, 0, 0, 600, 600]];
        let (one, both) = (Some(100), Some(200));
        // The first span lacks none that the second has.
        assert_eq!(drawn(known_s, 300), [None, one, one, both, both]);
        let known_s: [&[i64]; 2] = [&[0, 0, 600, 600, 0], &[0, 600, 600, 0, 0]];
        assert_eq!(drawn(known_s, 900), [None, None, both, None, None]);
    }

    #[test]
    fn the_border_of_what_was_asked_for_is_no_gap() {
        let power = drawn([&[600, 600], &[0, 600]], 300);
        assert_eq!(power, [Some(100), Some(200)]);
        assert!((together([&[600], &[300]], 300).energy_wh() - 25.0).abs() < 1e-9);
    }
}
