//! A value that is neither an object nor a list.

use std::borrow::Cow;

use serde_json::Value;

/// A number or a text, which is that of the body where nothing in it is escaped.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Plain<'a> {
    /// Missing, or of another kind.
    #[default]
    None,
    /// A whole number from 0 on.
    Unsigned(u64),
    /// A whole number below 0.
    Negative(i64),
    /// Any other number.
    Float(f64),
    Text(Cow<'a, str>),
}

impl<'a> From<&'a Value> for Plain<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::String(text) => Self::Text(text.into()),
            Value::Number(number) => number
                .as_u64()
                .map(Self::Unsigned)
                .or_else(|| number.as_i64().map(Self::Negative))
                .or_else(|| number.as_f64().map(Self::Float))
                .unwrap_or_default(),
            _ => Self::None,
        }
    }
}

impl<'a> From<&'a Plain<'_>> for Plain<'a> {
    fn from(plain: &'a Plain<'_>) -> Self {
        match plain {
            Plain::None => Self::None,
            Plain::Unsigned(number) => Self::Unsigned(*number),
            Plain::Negative(number) => Self::Negative(*number),
            Plain::Float(number) => Self::Float(*number),
            Plain::Text(text) => Self::Text(Cow::Borrowed(text)),
        }
    }
}
