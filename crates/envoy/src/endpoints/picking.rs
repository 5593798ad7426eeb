//! What is wanted of a long answer, picked out while it is read.
//!
//! The list and the detail of inverters have up to ten values for one that is wanted. As a tree of [`Value`]s each of
//! them would take memory of its own. So what is wanted has its [`Place`]s, and the rest is passed over. As with a tree, a value of another kind than it should be costs only itself, and a key that
//! comes twice is no fault.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::{INVISIBLE, Malformed, text};

/// An object of which some values are wanted.
pub(super) trait Picked {
    /// Where the value with this key belongs; none for one that is not wanted.
    fn place(&mut self, key: &str) -> Option<Place<'_>>;
}

/// Where a value belongs.
pub(super) enum Place<'a> {
    /// A number or a text; null for anything else.
    Plain(&'a mut Value),
    /// An object.
    Object(&'a mut dyn Picked),
    /// A list, of which the first entry is wanted, an object.
    First(&'a mut dyn Picked),
}

/// The entries of a list, in its order; none in the place of one that is no object.
pub(super) fn entries<T: Picked + Default>(body: &[u8]) -> Result<Vec<Option<T>>, Malformed> {
    match read(body)? {
        Document::List(entries) => Ok(entries),
        Document::Object { is_error: true, .. } => Err(Malformed::ErrorObject),
        _ => Err(Malformed::Shape("a list")),
    }
}

/// The values of an object that are objects themselves.
pub(super) fn values<T: Picked + Default>(body: &[u8]) -> Result<Vec<T>, Malformed> {
    match read(body)? {
        Document::Object { is_error: true, .. } => Err(Malformed::ErrorObject),
        Document::Object { values, .. } => Ok(values),
        _ => Err(Malformed::Shape("an object")),
    }
}

fn read<T: Picked + Default>(body: &[u8]) -> Result<Document<T>, Malformed> {
    let text = text(body)?;
    let mut reader = serde_json::Deserializer::from_str(text.trim_start_matches(INVISIBLE));
    let document = reader.deserialize_any(Whole(PhantomData));
    let document = document.and_then(|document| reader.end().map(|()| document));
    document.map_err(Malformed::Json)
}

/// The whole of an answer.
enum Document<T> {
    List(Vec<Option<T>>),
    Object { values: Vec<T>, is_error: bool },
    Other,
}

struct Whole<T>(PhantomData<T>);

impl<'de, T: Picked + Default> Visitor<'de> for Whole<T> {
    type Value = Document<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        let mut entry = T::default();
        while let Some(is_object) = list.next_element_seed(Place::Object(&mut entry))? {
            entries.push(is_object.then(|| std::mem::take(&mut entry)));
        }
        Ok(Document::List(entries))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let (mut values, mut is_error) = (Vec::new(), false);
        while let Some(key) = object.next_key::<String>()? {
            is_error |= key == "error";
            let mut value = T::default();
            if object.next_value_seed(Place::Object(&mut value))? {
                values.push(value);
            }
        }
        Ok(Document::Object { values, is_error })
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Document::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Document::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Document::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Document::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Document::Other)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Document::Other)
    }
}

/// Reads a key of this object: where its value belongs.
struct Key<'a>(&'a mut dyn Picked);

impl<'de, 'a> DeserializeSeed<'de> for Key<'a> {
    type Value = Option<Place<'a>>;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<Self::Value, D::Error> {
        key.deserialize_str(self)
    }
}

impl<'a> Visitor<'_> for Key<'a> {
    type Value = Option<Place<'a>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.place(key))
    }
}

/// Fills a place: whether with an object.
impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<bool, D::Error> {
        value.deserialize_any(self)
    }
}

impl Place<'_> {
    /// Puts a value in that is neither an object nor a list. It is none.
    fn put(self, value: impl Into<Value>) -> bool {
        if let Self::Plain(place) = self {
            *place = value.into();
        }
        false
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<bool, A::Error> {
        let Self::Object(picked) = self else {
            while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(self.put(()));
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
            other => Some(other.put(())),
        };
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(is_object == Some(true))
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(self.put(()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<bool, E> {
        Ok(self.put(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<bool, E> {
        Ok(self.put(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<bool, E> {
        Ok(self.put(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<bool, E> {
        Ok(self.put(value))
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(self.put(()))
    }
}

#[cfg(test)]
mod tests;
