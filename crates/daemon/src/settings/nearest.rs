//! The known name that somebody may have meant by an unknown one.

use strsim::damerau_levenshtein;

/// How many letters may be wrong, missing, swapped or too many.
const SLIPS: usize = 2;

/// How much of a name must be there for an abbreviation to be taken as one: `mqtt.user`.
const STEM: usize = 3;

/// The key of a file that was meant by this one: misspelt, abbreviated, or in another section.
pub(super) fn key<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let unknown = unknown.to_lowercase();
    nearest(&unknown, known, |unknown, known| {
        let same_leaf = leaf(unknown) == leaf(known);
        slips(unknown, known, '.').or_else(|| same_leaf.then_some(SLIPS + 2))
    })
}

/// The environment variable that was meant by this one: misspelt or abbreviated.
pub(super) fn variable<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    nearest(unknown, known, |unknown, known| slips(unknown, known, '_'))
}

fn nearest<'a>(
    unknown: &str,
    known: impl Iterator<Item = &'a str>,
    distance: impl Fn(&str, &str) -> Option<usize>,
) -> Option<&'a str> {
    known
        .filter_map(|known| Some((distance(unknown, known)?, known)))
        .min()
        .map(|(_, known)| known)
}

/// How far apart two names are; none when they are not alike. `separator` ends a name's first
/// word, which alone makes no abbreviation.
fn slips(unknown: &str, known: &str, separator: char) -> Option<usize> {
    let distance = damerau_levenshtein(unknown, known);
    if distance <= SLIPS {
        return Some(distance);
    }
    let stem = unknown
        .split_once(separator)
        .map_or(0, |(_, stem)| stem.len());
    (known.starts_with(unknown) && stem >= STEM).then_some(SLIPS + 1)
}

fn leaf(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(_, leaf)| leaf)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 5] = [
        "name",
        "mqtt.url",
        "mqtt.username",
        "mqtt.password",
        "influx.url",
    ];
    const VARIABLES: [&str; 4] = ["MQTT_URL", "MQTT_USERNAME", "MQTT_PASSWORD", "ENVOY_HOST"];

    #[test]
    fn a_slip_of_the_finger_an_abbreviation_and_a_wrong_section_are_understood() {
        for (unknown, meant) in [
            ("mqtt.pasword", Some("mqtt.password")),
            ("mqqt.url", Some("mqtt.url")),
            ("MQTT.URL", Some("mqtt.url")),
            ("influxdb.url", Some("influx.url")),
            ("mqtt.user", Some("mqtt.username")),
            ("receiver.name", Some("name")),
            ("password", Some("mqtt.password")),
            ("mqtt.colour", None),
            ("mqtt", None),
        ] {
            assert_eq!(key(unknown, KEYS.into_iter()), meant, "{unknown}");
        }
    }

    #[test]
    fn a_variable_is_only_taken_for_one_that_it_resembles() {
        for (unknown, meant) in [
            ("MQTT_USERNMAE", Some("MQTT_USERNAME")),
            ("MQTT_PASS", Some("MQTT_PASSWORD")),
            ("MQTT_USER", Some("MQTT_USERNAME")),
            ("ENVOY_HOTS", Some("ENVOY_HOST")),
            ("MQTT_PORT", None),
            ("MQTT_", None),
            ("ENVOY_HOST_NAME", None),
        ] {
            assert_eq!(variable(unknown, VARIABLES.into_iter()), meant, "{unknown}");
        }
    }
}
