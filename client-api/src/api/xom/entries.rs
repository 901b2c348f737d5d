//! `POST /api/xom/v1/entries`: an entry of an app's own kind, signed, stored and synced like any other.

use axum::Json;
use data_encoding::BASE64;
use serde_json::{Value, json};
use xom_node::command::Command;
use xom_protocol::encoding;
use xom_protocol::entry::Kind;
use xom_protocol::limits::BODY_BYTES_MAX;

use crate::http::{ApiError, Call, Params};

/// Stores `kind` with `body`, any JSON without fractions, or with `body_base64`, any bytes.
pub async fn post(call: Call, params: Params) -> Result<Json<Value>, ApiError> {
    let kind = params.text("kind").ok_or_else(|| ApiError::invalid("kind can't be blank"))?;
    match Kind::from_name(&kind) {
        Some(Kind::Other(_)) => {}
        Some(_) => return Err(ApiError::invalid("kind is one of xom's own; use its own address")),
        None => return Err(ApiError::invalid("kind is not 1 to 64 characters of a-z, 0-9, dot and hyphen")),
    }
    let body = body(&params)?;
    let done = call.node.command(call.viewer(), Command::App { kind, body }).await?;
    Ok(Json(json!({"entry": done.entry.map(|entry| entry.to_string())})))
}

fn body(params: &Params) -> Result<Vec<u8>, ApiError> {
    let bytes = match (params.text("body_base64"), params.get("body")) {
        (Some(text), _) => {
            BASE64.decode(text.trim().as_bytes()).map_err(|_| ApiError::invalid("body_base64 is not base64"))?
        }
        (None, Some(value)) if has_fraction(value) => {
            return Err(ApiError::invalid("body holds a number with a fraction; send it as text"));
        }
        (None, Some(value)) => encoding::encode(value),
        (None, None) => return Err(ApiError::invalid("body can't be blank")),
    };
    let fits = bytes.len() <= BODY_BYTES_MAX;
    fits.then_some(bytes).ok_or_else(|| ApiError::invalid(format!("body is larger than {BODY_BYTES_MAX} bytes")))
}

fn has_fraction(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(has_fraction),
        Value::Object(map) => map.values().any(has_fraction),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tree: Value) -> Result<Vec<u8>, ApiError> {
        body(&Params::of(tree))
    }

    #[test]
    fn a_body_is_json_without_fractions_or_base64() {
        assert_eq!(read(json!({"body_base64": "aGk="})).unwrap(), b"hi");
        // A map of one key, sorted and in shortest form.
        assert_eq!(read(json!({"body": {"a": 1}})).unwrap(), [0xa1, 0x61, b'a', 1]);
        for bad in [json!({}), json!({"body_base64": "?"}), json!({"body": {"a": [1.5]}})] {
            assert!(read(bad.clone()).is_err(), "{bad}");
        }
    }
}
