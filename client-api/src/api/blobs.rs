//! `/media/<blob id>`: the bytes of blobs, for anyone who knows the id; and `/media/<blob id>/preview`: small pictures.
//!
//! The type is read from the bytes, never from what somebody declared, and what could hold script is a file to keep.

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::stream;
use xom_node::blob::BlobReader;
use xom_protocol::BlobId;

use crate::http::{ApiError, App};

/// Served as this, a browser shows nothing of it.
const UNKNOWN_TYPE: &str = "application/octet-stream";
/// A blob is never a page: no script, no frame, no form.
const POLICY: &str = "sandbox; default-src 'none'; frame-ancestors 'none'";

/// One blob, whole or a range of it.
pub async fn get(State(app): State<App>, Path(id): Path<String>, headers: HeaderMap) -> Result<Response, ApiError> {
    // Only a blob's id leads anywhere: no text from outside becomes a path (`R-API-14`).
    let id: BlobId = id.parse().map_err(|_| ApiError::not_found())?;
    let tag = format!("\"{id}\"");
    if is_known(&headers, &tag) {
        return Ok(with_headers(StatusCode::NOT_MODIFIED.into_response(), &tag));
    }
    if !is_shown(&app, id).await? {
        return Err(ApiError::not_found());
    }
    let opened = match app.node().open_blob(id).await? {
        None => app.node().bring_blob(id).await?,
        opened => opened,
    };
    let mut blob = opened.ok_or_else(ApiError::not_found)?;
    let media_type = sniff(blob.head());
    let length = blob.bytes();
    let asked = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
    let current = headers.get(header::IF_RANGE).is_none_or(|value| value.as_bytes() == tag.as_bytes());
    let mut response = match asked.filter(|_| current).map(|text| read_range(text, length)) {
        None | Some(Range::Whole) => body(blob, length).into_response(),
        Some(Range::Part { first, last }) => {
            let range = [(header::CONTENT_RANGE, format!("bytes {first}-{last}/{length}"))];
            let count = last - first + 1;
            blob.narrow(first, count);
            (StatusCode::PARTIAL_CONTENT, range, body(blob, count)).into_response()
        }
        Some(Range::Outside) => {
            let range = [(header::CONTENT_RANGE, format!("bytes */{length}"))];
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, range).into_response());
        }
    };
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    if media_type == UNKNOWN_TYPE {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    }
    Ok(with_headers(response, &tag))
}

/// The small picture of a blob.
pub async fn preview(State(app): State<App>, Path(id): Path<String>, headers: HeaderMap) -> Result<Response, ApiError> {
    let id: BlobId = id.parse().map_err(|_| ApiError::not_found())?;
    let tag = format!("\"{id}-preview\"");
    if is_known(&headers, &tag) {
        return Ok(with_headers(StatusCode::NOT_MODIFIED.into_response(), &tag));
    }
    if !is_shown(&app, id).await? {
        return Err(ApiError::not_found());
    }
    let bytes = app.node().preview(id).await?.ok_or_else(ApiError::not_found)?;
    let media_type = [(header::CONTENT_TYPE, sniff(&bytes))];
    Ok(with_headers((media_type, bytes).into_response(), &tag))
}

/// False for what is only in erased posts: its bytes are here until they are purged, and nobody is shown them.
async fn is_shown(app: &App, id: BlobId) -> Result<bool, ApiError> {
    Ok(app.node().read(move |reader| reader.shows_blob(&id)).await?)
}

/// True if the asker has what bears this tag.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    known.flat_map(|list| list.split(',')).any(|known| known.trim().trim_start_matches("W/") == tag)
}

/// The `count` bytes that `blob` was narrowed to, read as they are sent.
fn body(blob: BlobReader, count: u64) -> impl IntoResponse {
    let pieces = stream::try_unfold(blob, async |mut blob| {
        let piece = blob.read().await?;
        Ok::<_, std::io::Error>(piece.map(|piece| (Bytes::from(piece), blob)))
    });
    ([(header::CONTENT_LENGTH, count)], Body::from_stream(pieces))
}

fn with_headers(mut response: Response, tag: &str) -> Response {
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::ACCEPT_RANGES, "bytes"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

/// What a `Range` header asks for; offsets are inclusive and inside the blob.
#[derive(Debug, PartialEq, Eq)]
enum Range {
    Whole,
    Part { first: u64, last: u64 },
    Outside,
}

/// Reads one range of bytes; several, or what can't be read, count as the whole.
fn read_range(text: &str, length: u64) -> Range {
    let Some((first, last)) = text.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Range::Whole;
    };
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().unwrap_or(u64::MAX));
    match (first.is_empty(), last.is_empty(), number(first), number(last)) {
        (true, false, _, Some(suffix)) if suffix > 0 && length > 0 => {
            Range::Part { first: length - suffix.min(length), last: length - 1 }
        }
        (true, false, _, Some(_)) => Range::Outside,
        (false, true, Some(first), _) if first < length => Range::Part { first, last: length - 1 },
        (false, false, Some(first), Some(last)) if first <= last && first < length => {
            Range::Part { first, last: last.min(length - 1) }
        }
        (false, true, Some(_), _) => Range::Outside,
        (false, false, Some(first), Some(last)) if first <= last => Range::Outside,
        _ => Range::Whole,
    }
}

/// The type that the bytes have; only what browsers show without running anything.
pub fn sniff(bytes: &[u8]) -> &'static str {
    let at = |offset: usize, magic: &[u8]| bytes.get(offset..).is_some_and(|rest| rest.starts_with(magic));
    match () {
        () if at(0, b"\x89PNG\r\n\x1a\n") => "image/png",
        () if at(0, b"\xff\xd8\xff") => "image/jpeg",
        () if at(0, b"GIF87a") || at(0, b"GIF89a") => "image/gif",
        () if at(0, b"RIFF") && at(8, b"WEBP") => "image/webp",
        () if at(0, b"RIFF") && at(8, b"WAVE") => "audio/wav",
        () if at(4, b"ftypavif") || at(4, b"ftypavis") => "image/avif",
        () if at(4, b"ftypheic") || at(4, b"ftypheix") || at(4, b"ftypmif1") => "image/heic",
        () if at(4, b"ftypM4A") || at(4, b"ftypM4B") => "audio/mp4",
        () if at(4, b"ftypqt") => "video/quicktime",
        () if at(4, b"ftyp") => "video/mp4",
        () if at(0, b"\x1a\x45\xdf\xa3") => "video/webm",
        () if at(0, b"OggS") => "audio/ogg",
        () if at(0, b"fLaC") => "audio/flac",
        () if at(0, b"ID3") => "audio/mpeg",
        () if is_mpeg_audio(bytes) => "audio/mpeg",
        () => UNKNOWN_TYPE,
    }
}

/// A frame of MPEG audio without a tag before it: eleven set bits, layer III.
fn is_mpeg_audio(bytes: &[u8]) -> bool {
    matches!(bytes, [0xff, second, ..] if second & 0xe6 == 0xe2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_as_the_rfc_says() {
        let part = |first, last| Range::Part { first, last };
        for (text, expected) in [
            ("bytes=0-", part(0, 9)),
            ("bytes=0-0", part(0, 0)),
            ("bytes=2-100", part(2, 9)),
            ("bytes=-3", part(7, 9)),
            ("bytes=-100", part(0, 9)),
            ("bytes=10-", Range::Outside),
            ("bytes=-0", Range::Outside),
            ("bytes=99999999999999999999-", Range::Outside),
            ("bytes=5-2", Range::Whole),
            ("bytes=-", Range::Whole),
            ("bytes=0-1,3-4", Range::Whole),
            ("items=0-1", Range::Whole),
            ("bytes=a-b", Range::Whole),
        ] {
            assert_eq!(read_range(text, 10), expected, "{text}");
        }
        assert_eq!(read_range("bytes=0-", 0), Range::Outside);
        assert_eq!(read_range("bytes=-1", 0), Range::Outside);
    }

    #[test]
    fn r_api_15_what_could_hold_script_has_no_type_that_a_browser_shows() {
        for bytes in [&b"<html><script>"[..], b"<svg xmlns=", b"%PDF-1.7", b"", b"GIF8", b"<?xml"] {
            assert_eq!(sniff(bytes), UNKNOWN_TYPE);
        }
        assert_eq!(sniff(b"\x89PNG\r\n\x1a\n...."), "image/png");
        assert_eq!(sniff(b"RIFF....WEBPVP8 "), "image/webp");
        assert_eq!(sniff(b"\0\0\0\x20ftypisom"), "video/mp4");
    }
}
