//! What is set and is no setting: keys of the file, and variables that look like ours.

use std::collections::BTreeMap;

use super::source::Origin;
use super::toml::Leaves;
use super::{Key, Problem, nearest};

/// The words that our variables begin with.
const OURS: [&str; 5] = ["ENVOY_", "MQTT_", "INFLUX_", "ENLIGHTEN_", "ENTREZ_"];

/// What the file has that no key takes.
pub(super) fn in_file(
    keys: &[Key],
    leaves: &Leaves,
    place: impl Fn(&str) -> Origin,
) -> Vec<Problem> {
    let known: Vec<String> = keys.iter().flat_map(|key| key.names_in_file()).collect();
    let set = leaves.values.keys().chain(&leaves.lists);
    set.filter_map(|name| {
        let message = if !known.contains(name) {
            unknown(keys, &known, name)
        } else if leaves.lists.contains(name) {
            "is a list; give one value".to_owned()
        } else {
            return None;
        };
        Some(Problem::new(place(name).to_string(), message))
    })
    .collect()
}

fn unknown(keys: &[Key], known: &[String], name: &str) -> String {
    let section = |outer: &str, inner: &str| {
        inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.starts_with('.'))
    };
    if let Some(known) = known.iter().find(|known| section(known, name)) {
        return format!("{known} takes one value, not a section; write {known} = \"value\"");
    }
    if known.iter().any(|known| section(name, known)) {
        return format!("is a section; write [{name}] on a line of its own, and its keys below");
    }
    let variable = keys.iter().find(|key| key.env.eq_ignore_ascii_case(name));
    let meant = variable
        .map(|key| key.name)
        .or_else(|| nearest::key(name, known.iter().map(String::as_str)));
    match meant {
        Some(meant) => format!("there is no such key; did you mean {meant}?"),
        None => "there is no such key; --print-config lists them all".to_owned(),
    }
}

/// Variables that are probably a misspelt one of ours. No more than that: other programs have
/// variables too, and a cluster sets some for each of its services (`MQTT_PORT_1883_TCP`).
pub(super) fn in_environment(keys: &[Key], environment: &BTreeMap<String, String>) -> Vec<Problem> {
    let known: Vec<String> = keys.iter().flat_map(|key| key.variables()).collect();
    let free = |name: &&str| !environment.contains_key(*name);
    environment
        .iter()
        .filter(|(name, value)| {
            OURS.iter().any(|prefix| name.starts_with(prefix))
                && !value.is_empty()
                && !known.contains(name)
                && !is_of_a_service(name)
        })
        .filter_map(|(name, _)| {
            // One that is set already was not meant.
            let meant = nearest::variable(name, known.iter().map(String::as_str).filter(free))?;
            let message = format!("is no setting of this program; did you mean {meant}?");
            Some(Problem::new(name.clone(), message))
        })
        .collect()
}

/// Whether Docker's links or Kubernetes made this variable out of a service's name.
fn is_of_a_service(name: &str) -> bool {
    let parts = ["_SERVICE_", "_PORT_"];
    name.ends_with("_PORT") || parts.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [Key; 6] = [
        Key::new("enlighten.username", "ENLIGHTEN_USERNAME"),
        Key::new("enlighten.entrez_url", "ENTREZ_URL"),
        Key::new("name", "RECEIVER_NAME"),
        Key::new("mqtt.url", "MQTT_URL"),
        Key::new("mqtt.username", "MQTT_USERNAME"),
        Key::new("mqtt.password", "MQTT_PASSWORD").secret(),
    ];

    fn said_of(name: &str) -> String {
        let mut leaves = Leaves::default();
        leaves.values.insert(name.to_owned(), String::new());
        let problems = in_file(&KEYS, &leaves, |name| Origin::Environment(name.to_owned()));
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_unknown_key_names_the_nearest_known_one() {
        for (name, said) in [
            ("mqtt.url", ""),
            ("mqtt.password_file", ""),
            (
                "mqtt.pasword",
                "mqtt.pasword: there is no such key; did you mean mqtt.password?",
            ),
            (
                "mqtt.passwordfile",
                "mqtt.passwordfile: there is no such key; did you mean mqtt.password_file?",
            ),
            (
                "MQTT_URL",
                "MQTT_URL: there is no such key; did you mean mqtt.url?",
            ),
            ("url", "url: there is no such key; did you mean mqtt.url?"),
            (
                "colour",
                "colour: there is no such key; --print-config lists them all",
            ),
            (
                "mqtt",
                "mqtt: is a section; write [mqtt] on a line of its own, and its keys below",
            ),
            (
                "name.first",
                "name.first: name takes one value, not a section; write name = \"value\"",
            ),
        ] {
            assert_eq!(said_of(name), said);
        }
    }

    #[test]
    fn only_a_variable_that_must_be_a_misspelt_one_is_remarked_upon() {
        let remarks = |variables: &[&str]| {
            let environment = variables
                .iter()
                .map(|name| ((*name).to_owned(), "x".to_owned()));
            let remarks = in_environment(&KEYS, &environment.collect());
            remarks.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            remarks(&[
                "MQTT_USER",
                "MQTT_PASWORD_FILE",
                "ENLIGHTEN_USER",
                "ENTREZ_ULR"
            ]),
            [
                "ENLIGHTEN_USER: is no setting of this program; did you mean ENLIGHTEN_USERNAME?",
                "ENTREZ_ULR: is no setting of this program; did you mean ENTREZ_URL?",
                "MQTT_PASWORD_FILE: is no setting of this program; did you mean MQTT_PASSWORD_FILE?",
                "MQTT_USER: is no setting of this program; did you mean MQTT_USERNAME?",
            ]
        );
        let innocent = [
            "MQTT_URL",
            "MQTT_PORT",
            "MQTT_PORT_1883_TCP",
            "MQTT_SERVICE_HOST",
            "MQTT_URL_PORT",
            "ENVOY_HOST",
            "INFLUX_URL",
            "HOME",
            "MQTT_URI",
        ];
        // The last one would be a misspelt MQTT_URL, were that not set as well.
        assert_eq!(remarks(&innocent), [""; 0]);
    }
}
