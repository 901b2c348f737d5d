//! `Idempotency-Key`: a client that tries again gets what it got before, as from Mastodon: whatever the second
//! request says. The node keeps the keys, durably.

use axum::http::HeaderMap;
use xom_node::command::IdempotencyKey;

use crate::http::{ApiError, Call};

/// Longest key, bytes.
const KEY_BYTES_MAX: usize = 255;

/// The key of a request, if it has one: of this caller's token and identity.
pub fn key(call: &Call, headers: &HeaderMap) -> Result<Option<IdempotencyKey>, ApiError> {
    let text = read(headers)?;
    Ok(text.map(|text| IdempotencyKey::new(call.token_digest(), call.viewer(), text)))
}

/// The same as text, for what is kept longer than the node keeps keys.
pub fn text(call: &Call, headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let caller = data_encoding::HEXLOWER.encode(call.token_digest());
    Ok(read(headers)?.map(|text| format!("{caller} {text}")))
}

fn read(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let key = key.to_str().map_err(|_| ApiError::invalid("Idempotency-Key is not text"))?;
    if key.len() > KEY_BYTES_MAX {
        return Err(ApiError::invalid(format!("Idempotency-Key is longer than {KEY_BYTES_MAX} bytes")));
    }
    Ok(Some(key).filter(|key| !key.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_key_is_none_and_one_that_is_no_short_text_is_refused() {
        let headers = |key: &[u8]| {
            HeaderMap::from_iter([(
                "idempotency-key".parse().unwrap(),
                axum::http::HeaderValue::from_bytes(key).unwrap(),
            )])
        };
        assert_eq!(read(&headers(b"k")).unwrap(), Some("k"));
        assert_eq!(read(&headers(b"")).unwrap(), None);
        assert_eq!(read(&HeaderMap::new()).unwrap(), None);
        assert_eq!(read(&headers("ế".as_bytes())).unwrap_err().kind().status(), 422);
        assert_eq!(read(&headers(&[b'k'; KEY_BYTES_MAX + 1])).unwrap_err().kind().status(), 422);
    }
}
