//! Media of statuses, and uploads.

use serde::Serialize;
use serde_json::{Map, Value, json};
use xom_node::{model, preview_size};
use xom_protocol::BlobId;
use xom_protocol::body::Attachment;

use crate::http::Base;

/// A medium.
#[derive(Debug, Clone, Serialize)]
pub struct MediaAttachment {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    url: Option<String>,
    preview_url: Option<String>,
    remote_url: Option<String>,
    description: Option<String>,
    blurhash: Option<String>,
    meta: Value,
}

impl MediaAttachment {
    /// A medium of a status.
    pub fn of_status(base: &Base, attachment: &Attachment) -> Self {
        Self::new(base, attachment, attachment_id(&attachment.blob))
    }

    /// A medium that was uploaded and waits to be used.
    pub fn of_upload(base: &Base, upload: &model::Media) -> Self {
        Self::new(base, &upload.attachment, upload.id.0)
    }

    fn new(base: &Base, attachment: &Attachment, id: u64) -> Self {
        let kind = kind_of(&attachment.media_type);
        let url = base.blob(&attachment.blob);
        let preview_url = match kind {
            "image" => Some(base.preview(&attachment.blob)),
            "audio" => None,
            _ => Some(url.clone()),
        };
        Self {
            id: id.to_string(),
            kind,
            preview_url,
            url: Some(url),
            remote_url: None,
            description: Some(attachment.alt.clone()).filter(|alt| !alt.is_empty()),
            blurhash: attachment.blurhash.clone(),
            meta: meta(kind, attachment),
        }
    }
}

/// The id of a medium of a status: from its bytes, and above all ids of uploads.
pub fn attachment_id(blob: &BlobId) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&blob.0[..8]);
    (u64::from_be_bytes(first) >> 2) | (1 << 62)
}

fn kind_of(media_type: &str) -> &'static str {
    match media_type.split('/').next() {
        // A vector image could hold script; it is served as a file to keep.
        Some("image") if media_type != "image/svg+xml" => "image",
        Some("video") => "video",
        Some("audio") => "audio",
        _ => "unknown",
    }
}

/// Sizes; without them some clients draw nothing.
fn meta(kind: &str, attachment: &Attachment) -> Value {
    let (mut original, mut small) = (Map::new(), Map::new());
    if let (Some(width), Some(height)) = (attachment.width, attachment.height) {
        sides(&mut original, (width, height));
        sides(&mut small, if kind == "image" { preview_size(width, height) } else { (width, height) });
    }
    if let Some(duration_ms) = attachment.duration_ms {
        original.insert("duration".into(), json!(duration_ms as f64 / 1_000.0));
        if let Some(bitrate) = attachment.bytes.saturating_mul(8_000).checked_div(duration_ms) {
            original.insert("bitrate".into(), json!(bitrate));
        }
    }
    let mut meta = Map::new();
    if kind != "audio" && !small.is_empty() {
        meta.insert("small".into(), Value::Object(small));
    }
    meta.insert("original".into(), Value::Object(original));
    if let Some(focus) = attachment.focus {
        let part = |thousandths: i64| thousandths as f64 / 1_000.0;
        meta.insert("focus".into(), json!({"x": part(focus.x), "y": part(focus.y)}));
    }
    Value::Object(meta)
}

fn sides(of: &mut Map<String, Value>, (width, height): (u64, u64)) {
    of.insert("width".into(), json!(width));
    of.insert("height".into(), json!(height));
    of.insert("size".into(), json!(format!("{width}x{height}")));
    of.insert("aspect".into(), json!(width as f64 / (height.max(1)) as f64));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_media_in_statuses_are_above_all_ids_of_uploads_and_fit_a_signed_number() {
        let year_9999 = 253_402_300_799_999_u64 << 16;
        for bytes in [[0; 32], [255; 32]] {
            let id = attachment_id(&BlobId(bytes));
            assert!(id <= i64::MAX as u64);
            assert!(id >= 1 << 62 || id > year_9999);
        }
    }

    #[test]
    fn a_vector_image_is_no_image() {
        assert_eq!(kind_of("image/svg+xml"), "unknown");
        assert_eq!(kind_of("image/webp"), "image");
        assert_eq!(kind_of("audio/ogg"), "audio");
        assert_eq!(kind_of("text/html"), "unknown");
    }
}
