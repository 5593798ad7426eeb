//! Why something is not there, in words of the Envoy's owner.

use envoy::{Failure, Note};

use super::super::super::look::Look;

/// Why an endpoint brought nothing.
pub(super) fn why(note: &Note) -> String {
    match (note.status, note.failure) {
        (Some(503), _) => {
            "the Envoy is busy, as for some minutes after it was started (503)".to_owned()
        }
        (Some(status @ (502 | 504)), _) => {
            format!("the part of the Envoy that knows it does not answer ({status})")
        }
        (Some(status @ 500..), _) => format!("the Envoy has a fault there ({status})"),
        (Some(status), _) => format!("the Envoy does not give it ({status})"),
        (None, Failure::Slow) => "no answer in time".to_owned(),
        (None, _) => "its answer could not be used".to_owned(),
    }
}

/// That a meter's value is not there, and why.
pub(super) fn meter(look: &Look) -> String {
    format!("not measured: {}", why_no_meter(look))
}

/// Why there is no meter's value.
pub(super) fn why_no_meter(look: &Look) -> &'static str {
    let is_of_meters = |note: &Note| {
        let endpoint = note.endpoint;
        let failed = note.failure != Failure::Missing;
        endpoint.starts_with("/ivp/meters") || (endpoint == "/production.json" && failed)
    };
    if !look.info.firmware.is_at_least(&[4]) {
        "this firmware has no meters"
    } else if look.info.metered == Some(false) {
        "this Envoy has no meters"
    } else if look.poll.notes.iter().any(is_of_meters) {
        "its meters could not be read"
    } else {
        "no meter for it is installed and enabled"
    }
}

/// Why there is only the difference of what was taken from the grid and given to it.
pub(super) fn why_not_apart(look: &Look) -> &'static str {
    let mut notes = look.poll.notes.iter();
    match notes.find(|note| note.endpoint.starts_with("/ivp/meters")) {
        None => "",
        Some(note) if note.failure == Failure::Missing => {
            ": this Envoy does not show its meters one by one"
        }
        Some(_) => ": its meters could not be read one by one",
    }
}

/// Why nothing is said of a generator, where there may be one: it is started by what came with firmware 7.
pub(super) fn generator(look: &Look) -> Option<&'static str> {
    let may_be = look.info.firmware.is_at_least(&[7]);
    may_be.then_some(
        "not read, if there is one: it is in the Envoy's live data alone, which have to be switched on in it",
    )
}
