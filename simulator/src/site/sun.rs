//! Where the sun stands: a cosine curve at one latitude, with seasons.

use std::f64::consts::TAU;

use jiff::civil;

/// Degrees north of every simulated site.
const LATITUDE_DEG: f64 = 42.0;
/// How far the panels are tilted towards the equator, in degrees.
const TILT_DEG: f64 = 35.0;
const DAY_S: i64 = 86_400;

/// The sun over a site. Its days are solar days: from 12 h before noon to 12 h after it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sun {
    /// Solar noon, in seconds after midnight UTC.
    noon_s: i64,
}

impl Sun {
    /// A sun that stands highest at `noon` UTC, every day.
    pub(crate) fn new(noon: civil::Time) -> Self {
        let (hour, minute, second) = (noon.hour(), noon.minute(), noon.second());
        Self {
            noon_s: i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second),
        }
    }

    /// The number of the solar day that this Unix second falls into.
    pub(crate) fn day(self, at: i64) -> i64 {
        (at - self.noon_s + DAY_S / 2).div_euclid(DAY_S)
    }

    /// The beginning of that solar day, in Unix seconds.
    pub(crate) fn midnight(self, day: i64) -> i64 {
        self.noon(day) - DAY_S / 2
    }

    fn noon(self, day: i64) -> i64 {
        day * DAY_S + self.noon_s
    }

    /// Sunrise of that solar day, in Unix seconds.
    pub(crate) fn dawn(self, day: i64) -> i64 {
        self.noon(day) - half_day_s(day)
    }

    /// Sunset of that solar day, in Unix seconds.
    pub(crate) fn dusk(self, day: i64) -> i64 {
        self.noon(day) + half_day_s(day)
    }

    /// How much light falls on the panels under a clear sky: 0 at night, about 1 at its best.
    pub(crate) fn light(self, at: i64) -> f64 {
        let day = self.day(at);
        let hour_angle = seconds(at - self.noon(day)) / seconds(DAY_S) * TAU;
        let declination = declination(day);
        let latitude = LATITUDE_DEG.to_radians();
        let height = sine_towards(latitude, declination, hour_angle);
        if height <= 0.0 {
            return 0.0;
        }
        let incidence = sine_towards(latitude - TILT_DEG.to_radians(), declination, hour_angle);
        // Low light passes through more air; the fraction fades out at the horizon.
        let air = (1.0 - 0.25 * (-6.0 * height).exp()) * height / (height + 0.06);
        incidence.max(0.0) * air * 1.05
    }
}

/// Sine of the sun's height over a plane that lies level at `latitude`.
fn sine_towards(latitude: f64, declination: f64, hour_angle: f64) -> f64 {
    latitude.sin() * declination.sin() + latitude.cos() * declination.cos() * hour_angle.cos()
}

/// The sun's declination in radians; day 0 is the first of January 1970.
fn declination(day: i64) -> f64 {
    let of_year = seconds(day).rem_euclid(365.2425);
    -(23.44_f64.to_radians()) * ((of_year + 10.0) / 365.2425 * TAU).cos()
}

/// Seconds from sunrise to noon.
fn half_day_s(day: i64) -> i64 {
    let angle = (-LATITUDE_DEG.to_radians().tan() * declination(day).tan()).acos();
    #[expect(clippy::cast_possible_truncation, reason = "less than a day")]
    let half_day_s = (angle / TAU * seconds(DAY_S)) as i64;
    half_day_s
}

#[expect(
    clippy::cast_precision_loss,
    reason = "days and seconds of a day are small"
)]
fn seconds(value: i64) -> f64 {
    value as f64
}
