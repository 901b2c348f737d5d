//! Parameters as a type of their own: a text counts as the number or flag that it says, since forms know nothing but
//! texts, and what is blank counts as absent. Errors name the parameter and never what was sent: it may be a secret.

use serde::de::value::StringDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value};

use super::{flag_of, items_of, text_of};

/// Why parameters don't fit, for the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Misfit(String);

/// Reads the parameters of a request.
pub(super) fn read<T: DeserializeOwned>(tree: Map<String, Value>) -> Result<T, Misfit> {
    T::deserialize(Lenient(Value::Object(tree)))
}

impl de::Error for Misfit {
    fn custom<T: std::fmt::Display>(text: T) -> Self {
        Self(text.to_string())
    }

    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self(format!("is not {expected}"))
    }

    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self(format!("is not {expected}"))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self(format!("is not one of {}", expected.join(", ")))
    }

    fn missing_field(name: &'static str) -> Self {
        Self(format!("{name} is missing"))
    }
}

/// A value that is read leniently.
struct Lenient(Value);

impl Lenient {
    fn is_blank(&self) -> bool {
        match &self.0 {
            Value::Null => true,
            Value::String(text) => text.trim().is_empty(),
            _ => false,
        }
    }

    fn number<T: std::str::FromStr>(&self) -> Result<T, Misfit> {
        let text = text_of(&self.0).ok_or_else(|| Misfit("is not a number".into()))?;
        text.trim().parse().map_err(|_| Misfit("is not a number".into()))
    }

    fn text(self) -> Result<String, Misfit> {
        if self.is_blank() {
            return Err(Misfit("can't be blank".into()));
        }
        match self.0 {
            Value::String(text) => Ok(text),
            other => text_of(&other).ok_or_else(|| Misfit("is not a text".into())),
        }
    }
}

impl<'de> IntoDeserializer<'de, Misfit> for Lenient {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Lenient {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.0.deserialize_any(visitor).map_err(|_| Misfit("can't be read".into()))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_bool(flag_of(&self.0).ok_or_else(|| Misfit("is not true or false".into()))?)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_u64(self.number()?)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let number = self.0.as_i64().or_else(|| self.0.as_str()?.trim().parse().ok());
        visitor.visit_i64(number.ok_or_else(|| Misfit("is not a whole number".into()))?)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Object(map) => visitor.visit_map(Members { rest: map.into_iter(), value: None }),
            _ => Err(Misfit("is not an object".into())),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_string(self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_string(self.text()?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if self.is_blank() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_seq(Items(items_of(&self.0).into_iter()))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let name: StringDeserializer<Misfit> = self.text()?.into_deserializer();
        visitor.visit_enum(name)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u32 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct
        identifier ignored_any
    }
}

/// The items of a list; blank ones are left out, as in forms with empty fields.
struct Items(std::vec::IntoIter<Value>);

impl<'de> SeqAccess<'de> for Items {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Misfit> {
        self.0.by_ref().map(Lenient).find(|item| !item.is_blank()).map(|item| seed.deserialize(item)).transpose()
    }
}

/// The members of an object.
struct Members {
    rest: serde_json::map::IntoIter,
    value: Option<(String, Value)>,
}

impl<'de> MapAccess<'de> for Members {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        let Some((name, value)) = self.rest.next() else { return Ok(None) };
        let key = seed.deserialize(StringDeserializer::new(name.clone()))?;
        self.value = Some((name, value));
        Ok(Some(key))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let (name, value) = self.value.take().ok_or_else(|| Misfit("can't be read".into()))?;
        seed.deserialize(Lenient(value)).map_err(|Misfit(why)| Misfit(format!("{} {why}", name.escape_default())))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Colour {
        Red,
        Blue,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Wish {
        who: String,
        quota: Option<u64>,
        quiet: Option<bool>,
        #[serde(default)]
        names: Vec<String>,
        colour: Option<Colour>,
        any: Option<Value>,
    }

    fn wish(tree: Value) -> Result<Wish, String> {
        let Value::Object(map) = tree else { panic!("no map") };
        read(map).map_err(|misfit| misfit.to_string())
    }

    #[test]
    fn texts_of_forms_and_values_of_json_read_the_same() {
        let form = json!({"who": "lan", "quota": " 7 ", "quiet": "on", "names": {"1": "b", "0": "a"}, "colour": "red"});
        let sent = json!({"who": "lan", "quota": 7, "quiet": true, "names": ["a", "", "b"], "colour": "red", "x": 1});
        let read = wish(form).unwrap();
        assert_eq!(read, wish(sent).unwrap());
        assert_eq!((read.quota, read.quiet, read.names.len()), (Some(7), Some(true), 2));
        let blank = wish(json!({"who": 5, "quota": " ", "quiet": "", "colour": null, "names": "c"})).unwrap();
        assert_eq!((blank.who.as_str(), blank.quota, blank.quiet, blank.colour), ("5", None, None, None));
        assert_eq!(blank.names, ["c"]);
        assert_eq!(wish(json!({"who": "x", "any": {"a": [1.5]}})).unwrap().any, Some(json!({"a": [1.5]})));
    }

    #[test]
    fn what_does_not_fit_is_named_and_never_repeated() {
        for (tree, said) in [
            (json!({}), "who is missing"),
            (json!({"who": " "}), "who can't be blank"),
            (json!({"who": ["geheim"]}), "who is not a text"),
            (json!({"who": "x", "quota": "geheim"}), "quota is not a number"),
            (json!({"who": "x", "quota": -1}), "quota is not a number"),
            (json!({"who": "x", "colour": "geheim"}), "colour is not one of red, blue"),
            (json!({"who": "x", "quiet": {}}), "quiet is not true or false"),
        ] {
            assert_eq!(wish(tree.clone()).unwrap_err(), said, "{tree}");
        }
    }
}
