//! `POST /api/xom/v1/entries`: an entry of an app's own kind, signed, stored and synced like any other.

use axum::Json;
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use xom_node::command::Command;
use xom_protocol::encoding;
use xom_protocol::entry::Kind;
use xom_protocol::limits::BODY_BYTES_MAX;

use crate::http::{ApiError, Call, Sent};

/// An entry of an app's own kind, with `body` or `body_base64`.
#[derive(Deserialize, ToSchema)]
pub struct EntryRequest {
    /// The kind: 1 to 64 characters of a-z, 0-9, dot and hyphen, none of xom's own.
    kind: String,
    /// Any JSON without fractions; stored as canonical DAG-CBOR.
    #[schema(value_type = Option<Value>)]
    body: Option<Value>,
    /// Any bytes, as base64.
    body_base64: Option<String>,
}

/// An entry that was signed and stored.
#[derive(Serialize, ToSchema)]
pub struct EntryStored {
    /// Its id, a CID.
    entry: Option<String>,
}

/// Sign an entry of an own kind
///
/// Stores `kind` with `body`, any JSON without fractions, or with `body_base64`, any bytes; it is signed and synced
/// like any other entry.
#[utoipa::path(post, path = "/entries", operation_id = "addEntry", tag = "entries", request_body = EntryRequest,
    responses((status = 200, description = "It is stored", body = EntryStored)))]
pub async fn post(call: Call, Sent(wanted): Sent<EntryRequest>) -> Result<Json<EntryStored>, ApiError> {
    match Kind::from_name(&wanted.kind) {
        Some(Kind::Other(_)) => {}
        Some(_) => return Err(ApiError::invalid("kind is one of xom's own; use its own address")),
        None => return Err(ApiError::invalid("kind is not 1 to 64 characters of a-z, 0-9, dot and hyphen")),
    }
    let body = body(&wanted)?;
    let done = call.node.command(call.viewer(), Command::App { kind: wanted.kind, body }).await?;
    Ok(Json(EntryStored { entry: done.entry.map(|entry| entry.to_string()) }))
}

fn body(wanted: &EntryRequest) -> Result<Vec<u8>, ApiError> {
    let bytes = match (&wanted.body_base64, &wanted.body) {
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
    use serde_json::json;

    use super::*;
    use crate::http::Params;

    fn read(mut tree: Value) -> Result<Vec<u8>, ApiError> {
        tree["kind"] = json!("a.b");
        body(&Params::of(tree).parse()?)
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
