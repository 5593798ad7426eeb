//! What the Envoy can be asked. One file per endpoint: its path, and a pure function from the body
//! of an answer to what it says.

pub(crate) mod batteries;
pub(crate) mod device_data;
pub mod info;
pub mod inverters;
pub(crate) mod meters;
mod number;
pub(crate) mod production;
pub(crate) mod totals;

use serde_json::{Map, Value};

/// A body that is not what its endpoint should answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// Not JSON: usually a page of HTML.
    #[error("the answer is not JSON")]
    Json(#[source] serde_json::Error),
    /// Not XML: usually a page of HTML.
    #[error("the answer is not XML")]
    Xml(#[source] roxmltree::Error),
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

fn json(body: &[u8]) -> Result<Value, Malformed> {
    // A broken character must cost its own entry, not the whole list.
    let text = String::from_utf8_lossy(body);
    serde_json::from_str(text.trim_start_matches(INVISIBLE)).map_err(Malformed::Json)
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
