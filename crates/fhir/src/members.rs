//! The members of one JSON object in their order, each as the text it was written in.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::FhirError;

/// A JSON object read only one level deep: changing one member leaves every other as it was written.
#[derive(Debug, Clone, Default)]
pub struct Members(Vec<(String, Box<RawValue>)>);

impl Members {
    /// Reads an object.
    ///
    /// # Errors
    /// [`FhirError::Malformed`] when the text is not a JSON object.
    pub fn parse(text: &str) -> Result<Self, FhirError> {
        Ok(serde_json::from_str(text)?)
    }

    /// The text of a member.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(it, _)| it == name).map(|(_, value)| value.get())
    }

    /// Sets a member; a new one goes behind `after`, or to the end.
    ///
    /// # Errors
    /// [`FhirError::Malformed`] when `value` cannot be written as JSON.
    pub fn set(
        &mut self,
        name: &str,
        value: &impl Serialize,
        after: &[&str],
    ) -> Result<(), FhirError> {
        let text = RawValue::from_string(crate::wire::to_json(value)?)?;
        if let Some((_, old)) = self.0.iter_mut().find(|(it, _)| it == name) {
            *old = text;
            return Ok(());
        }
        let last = self.0.iter().rposition(|(it, _)| after.contains(&it.as_str()));
        let place = last.map_or(self.0.len(), |it| it + 1);
        self.0.insert(place, (name.to_owned(), text));
        Ok(())
    }

    /// Takes a member out.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(it, _)| it != name);
    }

    /// Whether no member is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The object as compact JSON, as far as its members are.
    ///
    /// # Errors
    /// [`FhirError::Malformed`] never in practice.
    pub fn to_text(&self) -> Result<String, FhirError> {
        Ok(serde_json::to_string(self)?)
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry::<String, Box<RawValue>>()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}
