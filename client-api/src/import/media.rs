//! The media of a post: what its JSON says of them, and the file that holds them.

use serde_json::Value;
use xom_protocol::limits::{ALT_CHARS_MAX, BLOB_BYTES_MAX, LABEL_BYTES_MAX};

use super::archive::Archive;
use super::contents::ArchivedMedia;

/// Media types by the ending of the file name, where the JSON names none.
const TYPES: [(&str, &str); 14] = [
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("avif", "image/avif"),
    ("mp4", "video/mp4"),
    ("webm", "video/webm"),
    ("mov", "video/quicktime"),
    ("mp3", "audio/mpeg"),
    ("ogg", "audio/ogg"),
    ("flac", "audio/flac"),
    ("wav", "audio/wav"),
    ("m4a", "audio/mp4"),
];

/// An attachment whose file has not been looked up.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct NamedMedia {
    url: String,
    media: ArchivedMedia,
}

/// Reads one attachment.
///
/// # Errors
/// With the reason, if it is no file.
pub(super) fn read_media(attachment: &Value, notes: &mut Vec<String>) -> Result<NamedMedia, String> {
    let kind = attachment["type"].as_str().unwrap_or("untyped");
    let url = first_url(&attachment["url"]).ok_or_else(|| format!("an attachment ({kind}) names no file"))?;
    let mut alt = attachment["name"].as_str().unwrap_or_default().trim().to_owned();
    if let Some((end, _)) = alt.char_indices().nth(ALT_CHARS_MAX) {
        alt.truncate(end);
        notes.push(format!("the description of an attachment was cut to {ALT_CHARS_MAX} characters"));
    }
    let media = ArchivedMedia {
        path: String::new(),
        bytes: 0,
        media_type: media_type(attachment["mediaType"].as_str(), url),
        alt,
        blurhash: attachment["blurhash"].as_str().filter(|hash| is_label(hash)).map(str::to_owned),
        width: attachment["width"].as_u64(),
        height: attachment["height"].as_u64(),
        focus: focus(&attachment["focalPoint"]),
    };
    Ok(NamedMedia { url: url.to_owned(), media })
}

/// Finds the file of an attachment.
///
/// # Errors
/// With the reason, if there is none that can be taken.
pub(super) fn resolve_media(named: NamedMedia, archive: &Archive) -> Result<ArchivedMedia, String> {
    let NamedMedia { url, media } = named;
    let path = archive.find(&url).ok_or_else(|| format!("its media file {url} is not in the archive"))?;
    match archive.bytes(&path) {
        None | Some(0) => Err(format!("its media file {url} is empty")),
        Some(bytes) if bytes > BLOB_BYTES_MAX => {
            Err(format!("its media file {url} has {bytes} bytes; up to {BLOB_BYTES_MAX} can be taken"))
        }
        Some(bytes) => Ok(ArchivedMedia { path, bytes, ..media }),
    }
}

/// An address, or the first of several, bare or as the `href` of a link.
fn first_url(url: &Value) -> Option<&str> {
    let first = url.as_array().and_then(|list| list.first()).unwrap_or(url);
    first.as_str().or_else(|| first["href"].as_str()).filter(|url| !url.is_empty())
}

fn media_type(named: Option<&str>, url: &str) -> String {
    let ending = url.split(['?', '#']).next().and_then(|path| path.rsplit_once('.')).map(|(_, ending)| ending);
    let by_ending = || TYPES.iter().find(|(known, _)| ending.is_some_and(|ending| ending.eq_ignore_ascii_case(known)));
    named
        .filter(|named| is_label(named) && named.contains('/'))
        .or_else(|| by_ending().map(|(_, media_type)| *media_type))
        .unwrap_or("application/octet-stream")
        .to_owned()
}

fn focus(point: &Value) -> Option<(f64, f64)> {
    let axis = |at: usize| point[at].as_f64().filter(|value| (-1.0..=1.0).contains(value));
    Some((axis(0)?, axis(1)?))
}

/// Short printable ASCII, as the protocol asks of media types, languages and blurhashes.
pub(super) fn is_label(text: &str) -> bool {
    !text.is_empty() && text.len() <= LABEL_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_graphic())
}
