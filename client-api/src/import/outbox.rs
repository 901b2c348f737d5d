//! Reads the items of an outbox one by one, so that an outbox of any size needs the memory of one item.

use std::fmt;
use std::io::BufReader;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserializer, de};
use serde_json::Value;

use super::archive::{Archive, ArchiveError, OUTBOX};

/// Calls `take` with each of the outbox' `orderedItems`.
pub(super) fn for_each_item(archive: &mut Archive, take: impl FnMut(Value)) -> Result<(), ArchiveError> {
    let mut json = serde_json::Deserializer::from_reader(BufReader::new(archive.json(OUTBOX)?));
    Outbox { take }
        .deserialize(&mut json)
        .and_then(|()| json.end())
        .map_err(|source| ArchiveError::Json { name: OUTBOX, source })
}

/// The object around the items.
struct Outbox<F> {
    take: F,
}

impl<'de, F: FnMut(Value)> DeserializeSeed<'de> for Outbox<F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, F: FnMut(Value)> Visitor<'de> for Outbox<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an outbox, which is an object with orderedItems")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut found = false;
        while let Some(key) = map.next_key::<String>()? {
            if key == "orderedItems" {
                map.next_value_seed(Items { take: &mut self.take })?;
                found = true;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        if found { Ok(()) } else { Err(de::Error::missing_field("orderedItems")) }
    }
}

/// The array of items.
struct Items<'f, F> {
    take: &'f mut F,
}

impl<'de, F: FnMut(Value)> DeserializeSeed<'de> for Items<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(Value)> Visitor<'de> for Items<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of activities")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(item) = items.next_element()? {
            (self.take)(item);
        }
        Ok(())
    }
}
