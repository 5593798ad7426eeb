//! What the Envoy can be asked. One file per endpoint: its path, when it is asked, and a pure function from
//! the body of an answer to what it says.
//!
//! `/info` and the list of inverters are what nothing works without; all others are in [`UPDATERS`].

mod batteries;
mod battery_power;
mod device_data;
pub mod info;
pub mod inverters;
mod meter_readings;
pub(crate) mod meters;
mod number;
mod picking;
mod plain;
mod production;
mod totals;

use std::borrow::Cow;
use std::time::Duration;

use serde_json::{Map, Value};

use self::info::Info;
use self::inverters::Inverters;
use crate::measured::readings::Readings;

/// What is asked beside the inverters, in this order: what belongs to the inverters' reports first, the slow
/// ones last. Of two that measure the same, the first that says it counts.
pub(crate) const UPDATERS: &[Updater] = &[
    device_data::UPDATER,
    totals::UPDATER,
    meters::UPDATER,
    meter_readings::UPDATER,
    batteries::UPDATER,
    battery_power::UPDATER,
    production::UPDATER,
];

/// One endpoint beside the inverters: when it is asked, and what becomes of its answer.
pub(crate) struct Updater {
    pub(crate) path: &'static str,
    /// At most once in this time.
    pub(crate) every: Duration,
    /// So long is waited for an answer.
    pub(crate) limit: Duration,
    /// Whether it is worth asking, by who the Envoy is and what it has said before.
    pub(crate) is_wanted: fn(&Asked<'_>, &Readings) -> bool,
    /// Adds what the body of an answer says to the readings, and leaves them alone where that is nothing. Pure.
    pub(crate) update: fn(&[u8], &Asked<'_>, &mut Readings) -> Result<Worth, Malformed>,
}

/// Who is asked.
pub(crate) struct Asked<'a> {
    pub(crate) info: &'a Info,
    /// What it has answered in this poll.
    pub(crate) inverters: &'a Inverters,
}

/// Whether an endpoint that answered is to be asked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Worth {
    Asking,
    /// It has nothing to say on this Envoy until its firmware changes, or for a few hours.
    Nothing,
}

/// In each poll.
const ALWAYS: Duration = Duration::ZERO;

/// A body that is not what its endpoint should answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// Not JSON: usually a page of HTML.
    #[error("the answer is not JSON")]
    Json(#[source] serde_json::Error),
    /// Not XML: usually a page of HTML.
    #[error("the answer is not XML: {0}")]
    Xml(String),
    /// More of it than any Envoy has to say.
    #[error("the answer has more in it than any Envoy's")]
    TooMuch,
    /// An object `{"error": …}` in place of what was asked for.
    #[error("the Envoy answered with an error")]
    ErrorObject,
    /// Something of another kind.
    #[error("the answer is not {0}")]
    Shape(&'static str),
    /// A part that nothing works without is missing or unusable.
    #[error("the answer has no usable <{0}>")]
    Part(&'static str),
}

/// The path of an endpoint and how its answer is read.
pub(crate) struct Endpoint<T> {
    pub(crate) path: &'static str,
    pub(crate) parse: fn(&[u8]) -> Result<T, Malformed>,
}

/// 2008-01-01T00:00:00Z, before the first Envoy was sold: an earlier time is a clock that was
/// never set.
const EARLIEST: i64 = 1_199_145_600;

/// Whether this can be when something was measured, in Unix seconds.
fn is_time(at: i64) -> bool {
    at >= EARLIEST
}

/// Reads a list, as most endpoints answer one; some answer an object with an error instead, and
/// with status 200.
fn list(body: &[u8]) -> Result<Vec<Value>, Malformed> {
    match json(body)? {
        Value::Array(entries) => Ok(entries),
        Value::Object(object) if object.contains_key("error") => Err(Malformed::ErrorObject),
        _ => Err(Malformed::Shape("a list")),
    }
}

/// Reads an object that is not the one with an error.
fn object(body: &[u8]) -> Result<Map<String, Value>, Malformed> {
    match json(body)? {
        Value::Object(object) if object.contains_key("error") => Err(Malformed::ErrorObject),
        Value::Object(object) => Ok(object),
        _ => Err(Malformed::Shape("an object")),
    }
}

/// The most values in a body, by the characters that begin one. Real ones have a thousand; three hundred inverters
/// with all that is known of each would have twenty thousand. A value takes up to six hundred bytes while it is read,
/// so that a body of the longest that is taken could be some hundred times as large.
const MOST_VALUES: usize = 50_000;

fn json(body: &[u8]) -> Result<Value, Malformed> {
    serde_json::from_str(document(&text(body)?)).map_err(Malformed::Json)
}

/// The text of a body that is JSON, unless there is too much in it.
fn text(body: &[u8]) -> Result<Cow<'_, str>, Malformed> {
    if values_in(body) > MOST_VALUES {
        return Err(Malformed::TooMuch);
    }
    Ok(match str::from_utf8(body) {
        // Ten times as fast as to look for broken characters one by one, of which hardly any body has one.
        Ok(text) => Cow::Borrowed(text),
        // A broken character must cost its own entry, not the whole list.
        Err(_) => String::from_utf8_lossy(body),
    })
}

/// At least as many as begin in it. Counted by pieces of which a byte can hold the count: so the compiler has many
/// bytes compared at once, ten times as fast.
fn values_in(body: &[u8]) -> usize {
    let begins_one = |byte: &u8| u8::from(matches!(byte, b'{' | b'[' | b','));
    let in_piece = |piece: &[u8]| piece.iter().map(begins_one).sum::<u8>();
    let pieces = body.chunks(usize::from(u8::MAX));
    pieces.map(|piece| usize::from(in_piece(piece))).sum()
}

/// The document in a text.
fn document(text: &str) -> &str {
    text.trim_start_matches(INVISIBLE)
}

/// What may stand before the document: white space and a byte order mark.
const INVISIBLE: [char; 5] = ['\u{feff}', ' ', '\t', '\r', '\n'];

/// Whether this can name a device: `[A-Za-z0-9_-]{1,32}`, safe to be pasted into anything.
fn is_serial(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}
