//! Uploads: what a blob's bytes say of themselves, and what waits to be used in a post.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek};
use std::path::Path;

use serde::{Deserialize, Serialize};
use xom_protocol::body::{Attachment, Body};
use xom_protocol::limits::BLOB_BYTES_MAX;
use xom_protocol::{BlobId, Did};

use super::batch::Batch;
use super::erasure::attachments;
use super::salts::{self, Salts};
use super::{Store, folder};
use crate::blob::{BlobSink, BlobWriter, ReceivedBlob};
use crate::error::{CommandError, StoreError};
use crate::model::{Media, MediaId};
use crate::picture::{CleanError, clean};

/// Most pixels of an image (R-BLB-3).
const PIXELS_MAX: u64 = 64 << 20;
/// How long an upload waits to be used, milliseconds.
const MEDIA_MS_MAX: u64 = 24 * 3_600 * 1_000;
/// Bytes before the sealed part of a row: the salt slot.
const SLOT_BYTES: usize = 8;

/// Width and height of an image.
type Pixels = (u64, u64);

/// An upload at rest, sealed: its description is part of a post to come.
#[derive(Serialize, Deserialize)]
struct Upload {
    owner: Did,
    attachment: Attachment,
}

/// Reads the row of an upload.
pub(super) fn read(salts: &Salts, id: MediaId, row: &[u8]) -> Result<Option<Media>, StoreError> {
    let damaged = || StoreError::Damaged(format!("upload {}", id.0));
    let (slot, sealed) = row.split_first_chunk::<SLOT_BYTES>().ok_or_else(damaged)?;
    let slot = u64::from_le_bytes(*slot);
    let Some(salt) = salts.read(slot)? else { return Ok(None) };
    let Some(bytes) = salts::unseal(&salt, slot, sealed) else { return Ok(None) };
    let upload = xom_protocol::encoding::decode(&bytes, xom_protocol::limits::BODY_BYTES_MAX);
    let Upload { owner, attachment } = upload.map_err(|_| damaged())?;
    Ok(Some(Media { id, owner, attachment }))
}

impl Store {
    /// Looks at an upload's bytes and stores them. A declared type is not asked for: it could lie.
    pub(crate) async fn add_blob(&self, upload: BlobWriter) -> Result<Attachment, CommandError> {
        let received = upload.end().await?;
        let size = received.bytes;
        if size == 0 || size > BLOB_BYTES_MAX {
            let most = BLOB_BYTES_MAX >> 20;
            return Err(CommandError::Blob(format!("{size} bytes, 1 byte to {most} MiB are allowed")));
        }
        let folder = self.shared.folder.incoming();
        let taken = tokio::task::spawn_blocking(move || take(&received, &folder));
        let (cleaned, media_type, pixels) = taken.await.map_err(|_| StoreError::Stopping)??;
        let (blob, size) = (cleaned.blob, cleaned.bytes);
        self.keep_blob(cleaned, true).await?;
        let (width, height) = pixels.unzip();
        let preview = if pixels.is_some() { self.make_preview(blob).await? } else { None };
        let blurhash = preview.map(|preview| preview.blurhash);
        Ok(Attachment { width, height, blurhash, ..Attachment::new(blob, media_type, size) })
    }

    /// Remembers an upload.
    pub(crate) async fn add_media(&self, owner: Did, attachment: Attachment) -> Result<MediaId, CommandError> {
        let id = self.write(move |batch| {
            let id = (batch.now_ms << 16).max(batch.counters.media + 1);
            batch.counters.media = id;
            batch.put_media(&Media { id: MediaId(id), owner, attachment: attachment.clone() })?;
            Ok(MediaId(id))
        });
        Ok(id.await?)
    }

    /// Forgets an upload of an owner.
    pub(crate) async fn drop_media(&self, owner: Did, id: MediaId) -> Result<bool, StoreError> {
        self.write(move |batch| {
            let Some(media) = batch.take_media(id)? else { return Ok(false) };
            if media.owner != owner {
                batch.put_media(&media)?;
                return Ok(false);
            }
            batch.drop_unused(&media.attachment.blob, false)?;
            Ok(true)
        })
        .await
    }

    /// Changes the description or focus of an upload.
    pub(crate) async fn update_media(&self, media: Media) -> Result<(), CommandError> {
        let known = self.write(move |batch| {
            let Some(old) = batch.take_media(media.id)? else { return Ok(false) };
            let same = old.owner == media.owner && old.attachment.blob == media.attachment.blob;
            batch.put_media(if same { &media } else { &old })?;
            Ok(same)
        });
        if known.await? { Ok(()) } else { Err(CommandError::Blob("no such upload".into())) }
    }
}

impl Batch<'_> {
    fn put_media(&mut self, media: &Media) -> Result<(), StoreError> {
        let upload = Upload { owner: media.owner, attachment: media.attachment.clone() };
        let mut bytes = xom_protocol::encoding::encode(&upload);
        let salt = folder::entropy().map_err(|e| StoreError::Storage(e.to_string()))?;
        let slot = self.take_slot(&salt)?;
        salts::seal(&salt, slot, &mut bytes);
        let row = [&slot.to_le_bytes(), bytes.as_slice()].concat();
        self.media.insert(media.id.0, row.as_slice())?;
        Ok(())
    }

    /// Takes an upload out of its table; its salt goes after the commit.
    fn take_media(&mut self, id: MediaId) -> Result<Option<Media>, StoreError> {
        let Some(row) = self.media.remove(id.0)?.map(|row| row.value().to_vec()) else { return Ok(None) };
        let media = read(&self.shared.salts, id, &row)?;
        if let Some(slot) = row.first_chunk::<SLOT_BYTES>() {
            self.drop_slot(u64::from_le_bytes(*slot))?;
        }
        Ok(media)
    }

    /// Forgets uploads that a body has used: the body holds all that they say.
    pub(super) fn forget_media(&mut self, owner: &Did, body: &Body) -> Result<(), StoreError> {
        let used: Vec<BlobId> = attachments(body).iter().map(|attachment| attachment.blob).collect();
        if used.is_empty() {
            return Ok(());
        }
        for id in self.media_ids(u64::MAX)? {
            let Some(row) = self.media.get(id.0)?.map(|row| row.value().to_vec()) else { continue };
            let media = read(&self.shared.salts, id, &row)?;
            if media.is_some_and(|media| media.owner == *owner && used.contains(&media.attachment.blob)) {
                self.take_media(id)?;
            }
        }
        Ok(())
    }

    /// Forgets uploads that nobody used for a day, and their blobs.
    pub(super) fn expire_media(&mut self) -> Result<(), StoreError> {
        let before = self.now_ms.saturating_sub(MEDIA_MS_MAX) << 16;
        for id in self.media_ids(before)? {
            let Some(media) = self.take_media(id)? else { continue };
            self.drop_unused(&media.attachment.blob, false)?;
        }
        Ok(())
    }

    /// True while an upload of these bytes waits to be used.
    pub(super) fn is_uploaded(&self, blob: &BlobId) -> Result<bool, StoreError> {
        for row in self.media.iter()? {
            let (id, row) = row?;
            let media = read(&self.shared.salts, MediaId(id.value()), row.value())?;
            if media.is_some_and(|media| media.attachment.blob == *blob) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn media_ids(&self, before: u64) -> Result<Vec<MediaId>, StoreError> {
        self.media.range(..before)?.map(|row| Ok(MediaId(row?.0.value()))).collect()
    }
}

/// What a medium is without what it tells of its maker (`BLOB-9`), its type, and the size of an image as it is shown.
fn take(received: &ReceivedBlob, folder: &Path) -> Result<(ReceivedBlob, &'static str, Option<Pixels>), CommandError> {
    let media_type = sniff(&received.head().map_err(StoreError::from)?).ok_or_else(|| {
        CommandError::Blob(
            "not a JPEG, PNG, GIF or WebP image, MP4, MOV or WebM video, or Ogg, MP3, WAV or FLAC sound".into(),
        )
    })?;
    let open = |blob: &ReceivedBlob| File::open(blob.scratch.path()).map(BufReader::new).map_err(StoreError::from);
    // Bombs are refused before anything else is looked at.
    pixels(media_type, open(received)?)?;
    let mut sink = BlobSink::new(folder);
    let orientation = clean(media_type, &mut open(received)?, &mut sink).map_err(|e| match e {
        CleanError::Damaged(_) => CommandError::Blob(e.to_string()),
        CleanError::Io(e) => StoreError::from(e).into(),
    })?;
    let cleaned = sink.end().map_err(StoreError::from)?;
    let pixels = pixels(media_type, open(&cleaned)?)?;
    let shown =
        pixels.map(|(width, height)| if orientation.is_on_its_side() { (height, width) } else { (width, height) });
    Ok((cleaned, media_type, shown))
}

/// The media type by the first bytes; none for what is not shown.
pub(super) fn sniff(bytes: &[u8]) -> Option<&'static str> {
    let at = |offset: usize, magic: &[u8]| bytes.get(offset..).is_some_and(|rest| rest.starts_with(magic));
    let riff = |kind: &[u8]| at(0, b"RIFF") && at(8, kind);
    let mpeg = |second: u8| second & 0xe0 == 0xe0 && second & 0x18 != 0x08 && second & 0x06 == 0x02;
    Some(match bytes {
        _ if at(0, &[0xff, 0xd8, 0xff]) => "image/jpeg",
        _ if at(0, b"\x89PNG\r\n\x1a\n") => "image/png",
        _ if at(0, b"GIF87a") || at(0, b"GIF89a") => "image/gif",
        _ if riff(b"WEBP") => "image/webp",
        _ if riff(b"WAVE") => "audio/wav",
        _ if at(4, b"ftypqt") => "video/quicktime",
        _ if at(4, b"ftypM4A") => "audio/mp4",
        _ if at(4, b"ftypisom") || at(4, b"ftypmp4") || at(4, b"ftypiso") => "video/mp4",
        _ if at(4, b"ftypavc1") || at(4, b"ftypM4V") || at(4, b"ftypdash") || at(4, b"ftypMSNV") => "video/mp4",
        _ if at(0, &[0x1a, 0x45, 0xdf, 0xa3]) => "video/webm",
        _ if at(0, b"OggS") => "audio/ogg",
        _ if at(0, b"fLaC") => "audio/flac",
        _ if at(0, b"ID3") => "audio/mpeg",
        [0xff, second, ..] if mpeg(*second) => "audio/mpeg",
        _ => return None,
    })
}

/// The size of an image; refuses one that can't be read or has too many pixels.
fn pixels(media_type: &str, file: impl BufRead + Seek) -> Result<Option<Pixels>, CommandError> {
    if !media_type.starts_with("image/") {
        return Ok(None);
    }
    let size = imagesize::reader_size(file).map_err(|e| CommandError::Blob(format!("image: {e}")))?;
    let (width, height) = (size.width as u64, size.height as u64);
    let fits = width > 0 && height > 0 && width.saturating_mul(height) <= PIXELS_MAX;
    if fits {
        Ok(Some((width, height)))
    } else {
        Err(CommandError::Blob(format!("image of {width} x {height} pixels")))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn a_type_is_told_by_the_bytes() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x02\0\0\0\x03\x08\x06\0\0\0";
        let cases: [(&[u8], Option<&str>); 9] = [
            (png, Some("image/png")),
            (b"\xff\xd8\xff\xe0", Some("image/jpeg")),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"\0\0\0\x18ftypmp42", Some("video/mp4")),
            (b"ID3\x04", Some("audio/mpeg")),
            (b"\xff\xfb\x90\x64", Some("audio/mpeg")),
            (b"<svg xmlns", None),
            (b"<!doctype html>", None),
            (b"", None),
        ];
        for (bytes, expected) in cases {
            assert_eq!(sniff(bytes), expected, "{bytes:?}");
        }
        assert_eq!(pixels("image/png", Cursor::new(png)).unwrap(), Some((2, 3)));
    }

    #[test]
    fn an_image_bomb_is_refused() {
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xff\xff\0\0\xff\xff\x08\x06\0\0\0".to_vec();
        png.extend_from_slice(&[0; 16]);
        assert!(matches!(pixels("image/png", Cursor::new(&png)), Err(CommandError::Blob(_))));
    }
}
