//! What is wanted of a long answer, picked out while it is read.
//!
//! The list and the detail of inverters have up to ten values for one that is wanted. As a tree of values each of
//! them would take memory of its own. So what is wanted has its [`Place`]s, and the rest is passed over; and one entry
//! is there at a time. As with a tree, a value of another kind than it should be costs only itself, and a key that
//! comes twice is no fault.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::plain::Plain;
use super::{Malformed, document};

/// An object of which some values are wanted.
pub(super) trait Picked<'de> {
    /// Where the value with this key belongs; none for one that is not wanted.
    fn place(&mut self, key: &str) -> Option<Place<'_, 'de>>;
}

/// Where a value belongs.
pub(super) enum Place<'a, 'de> {
    /// A number or a text; nothing for anything else.
    Plain(&'a mut Plain<'de>),
    /// An object.
    Object(&'a mut dyn Picked<'de>),
    /// A list, of which the first entry is wanted, an object.
    First(&'a mut dyn Picked<'de>),
}

/// Hands out the entries of a list, in its order; none in the place of one that is no object. After an error nothing
/// that was handed out counts.
pub(super) fn entries<'de, T: Picked<'de> + Default>(
    text: &'de str,
    each: impl FnMut(Option<T>),
) -> Result<(), Malformed> {
    match read(text, each)? {
        Kind::List => Ok(()),
        Kind::Object { is_error: true } => Err(Malformed::ErrorObject),
        _ => Err(Malformed::Shape("a list")),
    }
}

/// Hands out the values of an object that are objects themselves. After an error nothing that was handed out counts.
pub(super) fn values<'de, T: Picked<'de> + Default>(
    text: &'de str,
    mut each: impl FnMut(T),
) -> Result<(), Malformed> {
    match read(text, |value: Option<T>| value.map_or((), &mut each))? {
        Kind::Object { is_error: true } => Err(Malformed::ErrorObject),
        Kind::Object { .. } => Ok(()),
        _ => Err(Malformed::Shape("an object")),
    }
}

fn read<'de, T: Picked<'de> + Default>(
    text: &'de str,
    each: impl FnMut(Option<T>),
) -> Result<Kind, Malformed> {
    let mut reader = serde_json::Deserializer::from_str(document(text));
    let kind = reader.deserialize_any(Whole(each, PhantomData));
    let kind = kind.and_then(|kind| reader.end().map(|()| kind));
    kind.map_err(Malformed::Json)
}

/// What the whole of an answer is.
enum Kind {
    List,
    Object { is_error: bool },
    Other,
}

/// Reads the whole, and hands out what is in it.
struct Whole<T, F: FnMut(Option<T>)>(F, PhantomData<T>);

impl<'de, T: Picked<'de> + Default, F: FnMut(Option<T>)> Visitor<'de> for Whole<T, F> {
    type Value = Kind;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Kind, A::Error> {
        loop {
            let mut entry = T::default();
            let Some(is_object) = list.next_element_seed(Place::Object(&mut entry))? else {
                return Ok(Kind::List);
            };
            (self.0)(is_object.then_some(entry));
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut object: A) -> Result<Kind, A::Error> {
        let mut is_error = false;
        while let Some(is_this) = object.next_key_seed(IsKey("error"))? {
            is_error |= is_this;
            let mut value = T::default();
            if object.next_value_seed(Place::Object(&mut value))? {
                (self.0)(Some(value));
            }
        }
        Ok(Kind::Object { is_error })
    }

    fn visit_bool<E>(self, _: bool) -> Result<Kind, E> {
        Ok(Kind::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Kind, E> {
        Ok(Kind::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Kind, E> {
        Ok(Kind::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Kind, E> {
        Ok(Kind::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<Kind, E> {
        Ok(Kind::Other)
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Other)
    }
}

/// Reads a key: whether it is this one.
struct IsKey(&'static str);

impl<'de> DeserializeSeed<'de> for IsKey {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<bool, D::Error> {
        key.deserialize_str(self)
    }
}

impl Visitor<'_> for IsKey {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
        Ok(key == self.0)
    }
}

/// Reads a key of this object: where its value belongs.
struct Key<'a, 'de>(&'a mut dyn Picked<'de>);

impl<'de, 'a> DeserializeSeed<'de> for Key<'a, 'de> {
    type Value = Option<Place<'a, 'de>>;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<Self::Value, D::Error> {
        key.deserialize_str(self)
    }
}

impl<'de, 'a> Visitor<'de> for Key<'a, 'de> {
    type Value = Option<Place<'a, 'de>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.place(key))
    }
}

/// Fills a place: whether with an object.
impl<'de> DeserializeSeed<'de> for Place<'_, 'de> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<bool, D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Place<'_, 'de> {
    /// Puts a value in that is not an object: whether it is one.
    fn put(self, value: Plain<'de>) -> bool {
        if let Self::Plain(place) = self {
            *place = value;
        }
        false
    }
}

impl<'de> Visitor<'de> for Place<'_, 'de> {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<bool, A::Error> {
        let Self::Object(picked) = self else {
            while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(self.put(Plain::None));
        };
        while let Some(place) = object.next_key_seed(Key(&mut *picked))? {
            match place {
                Some(place) => drop(object.next_value_seed(place)?),
                None => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(true)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<bool, A::Error> {
        let is_object = match self {
            Self::First(picked) => list.next_element_seed(Place::Object(picked))?,
            other => Some(other.put(Plain::None)),
        };
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(is_object == Some(true))
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(self.put(Plain::None))
    }

    fn visit_i64<E>(self, value: i64) -> Result<bool, E> {
        Ok(self.put(Plain::Negative(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<bool, E> {
        Ok(self.put(Plain::Unsigned(value)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<bool, E> {
        Ok(self.put(Plain::Float(value)))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<bool, E> {
        Ok(self.put(Plain::Text(Cow::Borrowed(value))))
    }

    fn visit_str<E>(self, value: &str) -> Result<bool, E> {
        Ok(self.put(Plain::Text(Cow::Owned(value.to_owned()))))
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(self.put(Plain::None))
    }
}

#[cfg(test)]
mod tests;
