//! Cursors of our own API: opaque to clients, so that what they stand for may change.

use axum::http::{HeaderValue, Uri, header};
use data_encoding::BASE64URL_NOPAD;

use crate::http::link::LinkHeader;
use crate::http::{ApiError, Base};

/// What cursors of this form begin with.
const VERSION: u8 = 1;

/// A place as a cursor.
pub fn write(place: u64) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend(place.to_be_bytes());
    BASE64URL_NOPAD.encode(&bytes)
}

/// The place of a cursor; what is none is refused (`R-API-18`).
pub fn read(text: &str) -> Result<u64, ApiError> {
    let place = || {
        let bytes = BASE64URL_NOPAD.decode(text.trim().as_bytes()).ok()?;
        let (version, place) = bytes.split_first()?;
        (*version == VERSION).then(|| place.try_into().ok().map(u64::from_be_bytes))?
    };
    place().ok_or_else(|| ApiError::invalid("cursor is none of this node's"))
}

/// The `Link` header to the page that begins at a cursor. The encoding leaves no comma and no line break as it is.
pub fn link(base: &Base, uri: &Uri, next: &str) -> LinkHeader {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(uri.query().unwrap_or("")).unwrap_or_default();
    let is_kept = |name: &str| !matches!(name, "cursor" | "access_token");
    let mut kept: Vec<(String, String)> = pairs.into_iter().filter(|(name, _)| is_kept(name)).collect();
    kept.push(("cursor".to_owned(), next.to_owned()));
    let query = serde_urlencoded::to_string(kept).ok()?;
    let address = base.url(&format!("{}?{query}", uri.path().replace(',', "%2C")));
    Some([(header::LINK, HeaderValue::from_str(&format!("<{address}>; rel=\"next\"")).ok()?)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_api_18_a_cursor_reads_back_and_nothing_else_is_one() {
        for place in [0, 1, u64::MAX] {
            assert_eq!(read(&write(place)).unwrap(), place);
        }
        for wrong in ["", "1", "AAAA", &write(7)[1..], &format!("{}A", write(7)), "🎉"] {
            assert_eq!(read(wrong).unwrap_err().kind().status(), 422, "{wrong}");
        }
    }
}
