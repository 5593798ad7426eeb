//! Times as people write them, beside the gateway's clock.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What is measured in the same minute is so now.
const NOW: i64 = 60;

/// How times are shown.
#[derive(Debug, Clone)]
pub(in crate::print) struct Times {
    now: Option<i64>,
    zone: TimeZone,
}

impl Times {
    /// In the time zone of this machine, beside the gateway's clock in Unix seconds.
    pub(in crate::print) fn here(now: Option<i64>) -> Self {
        Self::in_zone(now, TimeZone::system())
    }

    /// In a time zone.
    pub(super) fn in_zone(now: Option<i64>, zone: TimeZone) -> Self {
        // One that this machine does not know is shown as UTC is.
        let zone = if zone.is_unknown() {
            TimeZone::UTC
        } else {
            zone
        };
        Self { now, zone }
    }

    /// What the gateway's clock shows, and in which zone.
    pub(super) fn head(&self) -> String {
        let zone = self.zone.iana_name().unwrap_or("this machine's time zone");
        let zone = zone.trim_start_matches("Etc/");
        match self.now.and_then(|now| self.text(now, "%Y-%m-%d %H:%M:%S")) {
            Some(now) => format!("Its clock shows {now} ({zone})."),
            None => format!("It does not say what time it is. Times are in {zone}."),
        }
    }

    /// A time in Unix seconds: of today without its date.
    pub(super) fn show(&self, at: i64) -> String {
        let date = |at| self.text(at, "%Y-%m-%d");
        let is_today = self.now.and_then(date) == date(at);
        let form = if is_today && self.now.is_some() {
            "%H:%M:%S"
        } else {
            "%Y-%m-%d %H:%M"
        };
        self.text(at, form).unwrap_or_default()
    }

    /// When something was measured, where that is not now.
    pub(super) fn unless_now(&self, at: i64) -> String {
        let is_now = self.now.is_some_and(|now| (now - at).abs() <= NOW);
        if is_now {
            String::new()
        } else {
            format!(" (at {})", self.show(at))
        }
    }

    fn text(&self, at: i64, form: &str) -> Option<String> {
        let at = Timestamp::from_second(at).ok()?;
        Some(self.zone.to_datetime(at).strftime(form).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2025-05-30T03:50:49Z.
    const NOW: i64 = 1_748_577_049;

    #[test]
    fn a_time_of_today_has_no_date_and_the_clock_says_its_zone() {
        let times = Times::in_zone(Some(NOW), TimeZone::UTC);
        assert_eq!(times.head(), "Its clock shows 2025-05-30 03:50:49 (UTC).");
        assert_eq!(times.show(NOW - 3600), "02:50:49");
        assert_eq!(times.show(NOW - 4 * 3600), "2025-05-29 23:50");
        let east = TimeZone::get("Europe/Berlin").expect("known");
        let times = Times::in_zone(Some(NOW), east);
        assert_eq!(
            times.head(),
            "Its clock shows 2025-05-30 05:50:49 (Europe/Berlin)."
        );
        assert_eq!(times.show(NOW - 4 * 3600), "01:50:49");
    }

    #[test]
    fn what_is_measured_now_needs_no_time() {
        let times = Times::in_zone(Some(NOW), TimeZone::UTC);
        assert_eq!(times.unless_now(NOW - 3), "");
        assert_eq!(times.unless_now(NOW - 300), " (at 03:45:49)");
        let times = Times::in_zone(None, TimeZone::UTC);
        assert_eq!(times.unless_now(NOW), " (at 2025-05-30 03:50)");
        assert!(times.head().starts_with("It does not say what time it is."));
    }
}
