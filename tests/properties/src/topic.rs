//! Topics.

use wire::{BaseTopic, Topic};

use crate::{Input, first_line, logged};

/// The base in the first line, the topic in the rest: what is a topic is written as it was read, and leads nowhere
/// but into the tree of its owner.
pub(crate) fn topic(data: &[u8]) -> Input {
    let (base, topic) = first_line(data);
    let (Ok(base), Ok(topic)) = (str::from_utf8(base), str::from_utf8(topic)) else {
        return Input::Refused;
    };
    let base: BaseTopic = match base.parse() {
        Ok(base) => base,
        Err(error) => {
            logged::is_fit_error(&error);
            return Input::Refused;
        }
    };
    let parsed = match Topic::parse(&base, topic) {
        Ok(parsed) => parsed,
        Err(error) => {
            logged::is_fit_error(&error);
            return Input::Refused;
        }
    };
    assert_eq!(parsed.render(&base), topic);
    let (tree, owner) = match &parsed {
        Topic::Plain { envoy, .. }
        | Topic::Backlog { envoy, .. }
        | Topic::Journal { envoy }
        | Topic::Gateway { envoy }
        | Topic::Health { envoy }
        | Topic::EnvoyStatus { envoy }
        | Topic::EnvoyCheck { envoy } => (base.to_string(), envoy.as_str()),
        Topic::ReceiverStatus { name }
        | Topic::ReceiverCheck { name }
        | Topic::Replay { receiver: name, .. } => (format!("{base}-receiver"), name.as_str()),
    };
    let below = topic.strip_prefix(&format!("{tree}/{owner}/"));
    assert!(
        below.is_some_and(|rest| rest.split('/').all(|level| !level.is_empty())),
        "{topic} is not below {tree}/{owner}"
    );
    assert!(!topic.contains(['+', '#']) && !topic.contains(char::is_control));
    Input::Understood
}
