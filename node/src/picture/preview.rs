//! Small pictures of pictures, made here and never taken from elsewhere. How large a picture is gets looked at before
//! anything of it is decoded (R-BLB-3); of an animation only the first frame is.

use std::io::{BufRead, Cursor, Seek};

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use super::blurhash;

/// Pixels of a small picture: 640 x 360, or as many in another shape.
const PIXELS: u64 = 640 * 360;
/// Longest side of a picture that is decoded.
const SIDE_MAX: u32 = 32_768;
/// Bytes of a decoded picture: 53 megapixels in colour. As much again is needed for a moment where it is turned.
const DECODED_BYTES_MAX: u64 = 160 << 20;
/// How well a small picture is drawn, of 100.
const QUALITY: u8 = 80;
/// Longest side of what a blurhash is made of.
const BLURRED_SIDE: u32 = 32;

/// A small picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Preview {
    /// A JPEG, or a PNG where one can look through it.
    pub(crate) bytes: Vec<u8>,
    /// Its colours in a line of text.
    pub(crate) blurhash: String,
}

/// Why there is no small picture of a picture.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoPreview {
    /// Nothing that is decoded here.
    #[error("no picture")]
    NoPicture,
    /// Too large to be decoded.
    #[error("a picture of {width} x {height} pixels")]
    TooLarge {
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
    },
    /// It can't be decoded.
    #[error(transparent)]
    Damaged(#[from] image::ImageError),
}

/// The size of the small picture of a picture of this size: in the same shape, and never larger than that.
pub fn preview_size(width: u64, height: u64) -> (u64, u64) {
    if width.saturating_mul(height) <= PIXELS {
        return (width, height);
    }
    let scale = (PIXELS as f64 / (width as f64 * height as f64)).sqrt();
    let scaled = |side: u64| ((side as f64 * scale).round() as u64).max(1);
    (scaled(width), scaled(height))
}

/// Makes the small picture of a picture, upright. Blocking, and much work.
pub(crate) fn preview(media_type: &str, from: impl BufRead + Seek) -> Result<Preview, NoPreview> {
    let format = match media_type {
        "image/jpeg" => ImageFormat::Jpeg,
        "image/png" => ImageFormat::Png,
        "image/gif" => ImageFormat::Gif,
        "image/webp" => ImageFormat::WebP,
        _ => return Err(NoPreview::NoPicture),
    };
    let mut reader = ImageReader::with_format(from, format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(DECODED_BYTES_MAX);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    if decoder.total_bytes() > DECODED_BYTES_MAX {
        return Err(NoPreview::TooLarge { width, height });
    }
    let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    let (small_width, small_height) = preview_size(width.into(), height.into());
    let mut small = scaled(&DynamicImage::from_decoder(decoder)?, small_width, small_height);
    small.apply_orientation(orientation);
    let bytes = encoded(&small)?;
    let blurred = small.thumbnail(BLURRED_SIDE, BLURRED_SIDE).into_rgb8();
    Ok(Preview { bytes, blurhash: blurhash::of(&blurred) })
}

fn scaled(image: &DynamicImage, width: u64, height: u64) -> DynamicImage {
    let side = |side: u64| u32::try_from(side).unwrap_or(u32::MAX);
    image.thumbnail_exact(side(width), side(height))
}

fn encoded(small: &DynamicImage) -> Result<Vec<u8>, NoPreview> {
    let mut bytes = Vec::new();
    let is_clear = small.color().has_alpha() && small.to_rgba8().pixels().any(|pixel| pixel.0[3] != u8::MAX);
    if is_clear {
        small.to_rgba8().write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)?;
    } else {
        JpegEncoder::new_with_quality(&mut bytes, QUALITY).encode_image(&small.to_rgb8())?;
    }
    Ok(bytes)
}
