//! Names such as `poll[options][]` to a tree, as Rails reads them.

use serde_json::{Map, Value};

use crate::http::error::{ApiError, ErrorKind};
use crate::http::limits::{PARAM_DEPTH_MAX, PARAMS_MAX};

/// Parameters that are being gathered.
#[derive(Debug, Default)]
pub(super) struct Tree {
    map: Map<String, Value>,
    count: usize,
}

impl Tree {
    pub(super) fn into_map(self) -> Map<String, Value> {
        self.map
    }

    /// Adds pairs as in a query.
    pub(super) fn add_urlencoded(&mut self, bytes: &[u8]) -> Result<(), ApiError> {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(bytes).map_err(|_| ErrorKind::Malformed)?;
        pairs.iter().try_for_each(|(name, value)| self.add(name, value))
    }

    /// Adds the members of a JSON object.
    pub(super) fn add_json(&mut self, bytes: &[u8]) -> Result<(), ApiError> {
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(map)) => {
                for (name, value) in map {
                    // Some clients send `media_ids[]` in JSON, too.
                    let name = name.strip_suffix("[]").map_or(name.clone(), str::to_owned);
                    self.map.insert(name, value);
                }
                Ok(())
            }
            Ok(Value::Null) => Ok(()),
            Ok(_) | Err(_) => Err(ErrorKind::Malformed.into()),
        }
    }

    /// Adds one value under a name with brackets.
    pub(super) fn add(&mut self, name: &str, value: &str) -> Result<(), ApiError> {
        self.count += 1;
        if self.count > PARAMS_MAX {
            return Err(ErrorKind::TooLarge.into());
        }
        let (first, rest) = split_name(name)?;
        if first.is_empty() {
            return Ok(());
        }
        let place = self.map.entry(first.to_owned()).or_insert(Value::Null);
        put(place, &rest, value);
        Ok(())
    }
}

/// `a[b][]` to `a` and `b`, ``.
fn split_name(name: &str) -> Result<(&str, Vec<&str>), ApiError> {
    let Some((first, brackets)) = name.split_once('[') else { return Ok((name, Vec::new())) };
    let Some(brackets) = brackets.strip_suffix(']') else { return Ok((name, Vec::new())) };
    let rest: Vec<&str> = brackets.split("][").collect();
    if rest.len() > PARAM_DEPTH_MAX { Err(ErrorKind::Malformed.into()) } else { Ok((first, rest)) }
}

/// Puts a value at a path; what is there in another shape is replaced, as a later value replaces an earlier.
fn put(place: &mut Value, path: &[&str], value: &str) {
    let Some((step, rest)) = path.split_first() else {
        *place = Value::String(value.to_owned());
        return;
    };
    if step.is_empty() {
        if !place.is_array() {
            *place = Value::Array(Vec::new());
        }
        let Value::Array(items) = place else { return };
        // `fields[][name]` begins a new item when the item at the end has that member already.
        let goes_on = matches!((items.last(), rest.first()), (Some(Value::Object(last)), Some(next)) if !last.contains_key(*next));
        if !goes_on {
            items.push(Value::Null);
        }
        if let Some(last) = items.last_mut() {
            put(last, rest, value);
        }
        return;
    }
    if !place.is_object() {
        *place = Value::Object(Map::new());
    }
    if let Value::Object(map) = place {
        put(map.entry((*step).to_owned()).or_insert(Value::Null), rest, value);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(query: &str, expected: Value) {
        let mut tree = Tree::default();
        tree.add_urlencoded(query.as_bytes()).unwrap();
        assert_eq!(Value::Object(tree.into_map()), expected, "{query}");
    }

    #[test]
    fn names_with_brackets_become_lists_and_maps() {
        check("id[]=1&id[]=2", json!({"id": ["1", "2"]}));
        check("id%5B%5D=1", json!({"id": ["1"]}));
        check("a[b][c]=1&a[b][d]=2", json!({"a": {"b": {"c": "1", "d": "2"}}}));
        check("f[][n]=a&f[][v]=b&f[][n]=c", json!({"f": [{"n": "a", "v": "b"}, {"n": "c"}]}));
        check("a=1&a=2", json!({"a": "2"}));
    }

    #[test]
    fn odd_names_do_no_harm() {
        check("a[=1&]=2&=3&[]=4&a[b=5", json!({"a[": "1", "]": "2", "a[b": "5"}));
        check("a=1&a[b]=2&a[]=3", json!({"a": ["3"]}));
    }

    #[test]
    fn too_deep_a_name_is_refused() {
        let mut tree = Tree::default();
        assert!(tree.add(&format!("a{}", "[b]".repeat(100)), "1").is_err());
    }

    #[test]
    fn too_many_parameters_are_refused() {
        let mut tree = Tree::default();
        assert!(tree.add_urlencoded("a=1&".repeat(PARAMS_MAX + 2).as_bytes()).is_err());
    }
}
