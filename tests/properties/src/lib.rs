//! What must hold for whatever comes from outside, as functions of bytes that panic where it does not.
//!
//! `libFuzzer` makes up the bytes in the targets of `fuzz/`; the seeds from which it starts, `fuzz/seeds/`, and what it has
//! kept beyond them, `fuzz/corpus/`, are an ordinary test of this crate. What the bytes of a property are stands at its
//! function: text, as far as possible, so that seeds can be read and written by people.

mod certificate;
mod configuration;
mod discovery;
mod gateway;
mod influx;
mod messages;
mod names;
mod replay;
mod secrets;
mod topic;

mod challenged;
mod line;
mod logged;

/// What became of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// All of it was understood.
    Understood,
    /// Something in it was refused.
    Refused,
}

impl Input {
    fn understood_if(is_understood: bool) -> Self {
        if is_understood {
            Self::Understood
        } else {
            Self::Refused
        }
    }
}

/// A property, by the name of its fuzz target. It says what became of its input, so that a seed which is meant to be
/// understood is seen to be.
pub type Property = (&'static str, fn(&[u8]) -> Input);

/// All of them.
pub const ALL: [Property; 13] = [
    ("audit", replay::audit),
    ("certificate", certificate::certificate),
    ("configuration", configuration::configuration),
    ("cookie", secrets::cookie),
    ("digest", secrets::digest),
    ("discovery", discovery::discovery),
    ("gateway", gateway::gateway),
    ("influx", influx::influx),
    ("message", messages::message),
    ("names", names::names),
    ("replay", replay::replay),
    ("token", secrets::token),
    ("topic", topic::topic),
];

/// Tries the property of this name.
///
/// # Panics
/// It does not hold for these bytes, or there is none of this name.
pub fn check(name: &str, data: &[u8]) {
    let property = ALL.iter().find(|(known, _)| *known == name);
    let (_, holds) = property.expect("a property of this name");
    let _ = holds(data);
}

/// The first line, and what follows it.
fn first_line(data: &[u8]) -> (&[u8], &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n');
    end.map_or((data, &[]), |end| (&data[..end], &data[end + 1..]))
}
