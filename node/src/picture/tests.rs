//! What is left out of files and what stays in them, and what is decoded of them.

use std::io::Cursor;

use image::codecs::gif::{GifEncoder, Repeat};
use image::codecs::jpeg::JpegEncoder;
use image::{Delay, DynamicImage, Frame, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use proptest::prelude::{any, prop, proptest};

use super::*;

/// What stands in every part of a file that tells of its maker.
const SECRET: &[u8] = b"10.7769N 106.7009E Nguyen";

/// A picture of which no two corners are alike.
fn gradient(width: u32, height: u32) -> RgbImage {
    let part = |at: u32, of: u32| u8::try_from(at * 255 / of).unwrap();
    RgbImage::from_fn(width, height, |x, y| Rgb([part(x, width), part(y, height), 90]))
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    picture.write_to(&mut Cursor::new(&mut bytes), format).unwrap();
    bytes
}

/// EXIF with an orientation, and with a place behind it.
fn exif(orientation: u8) -> Vec<u8> {
    let mut tiff =
        b"MM\0\x2a\0\0\0\x08\0\x02\x01\x0e\0\x02\0\0\0\x19\0\0\0\x26\x01\x12\0\x03\0\0\0\x01\0\0\0\0".to_vec();
    tiff[31] = orientation;
    [&tiff, &[0; 4][..], SECRET].concat()
}

fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&[0xff, marker], &length[..], content].concat()
}

/// A JPEG with everything that cameras and programs write into it.
fn jpeg(orientation: u8) -> Vec<u8> {
    let mut plain = Vec::new();
    JpegEncoder::new_with_quality(&mut plain, 90).encode_image(&gradient(48, 32)).unwrap();
    let parts = [
        segment(0xe1, &[b"Exif\0\0", exif(orientation).as_slice()].concat()),
        segment(0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", SECRET].concat()),
        segment(0xe2, &[b"MPF\0", SECRET].concat()),
        segment(0xe2, b"ICC_PROFILE\0\x01\x01colours"),
        segment(0xed, &[b"Photoshop 3.0\0", SECRET].concat()),
        segment(0xef, SECRET),
        segment(0xfe, SECRET),
        // Bytes that belong to no segment.
        SECRET.to_vec(),
    ];
    [&plain[..2], &parts.concat(), &plain[2..], SECRET].concat()
}

fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    // Nobody looks at the checksum of what is left out.
    [&u32::try_from(content.len()).unwrap().to_be_bytes(), &kind[..], content, &[0; 4]].concat()
}

fn png() -> Vec<u8> {
    let plain = encoded(&gradient(48, 32).into(), ImageFormat::Png);
    let parts = [
        chunk(b"tEXt", &[b"Author\0", SECRET].concat()),
        chunk(b"iTXt", &[b"XML:com.adobe.xmp\0\0\0\0\0", SECRET].concat()),
        chunk(b"tIME", &[7; 7]),
        chunk(b"eXIf", &exif(3)),
        chunk(b"prVt", SECRET),
    ];
    [&plain[..33], &parts.concat(), &plain[33..], SECRET].concat()
}

fn riff(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let padding: &[u8] = if content.len() % 2 == 1 { &[0] } else { &[] };
    [&kind[..], &u32::try_from(content.len()).unwrap().to_le_bytes(), content, padding].concat()
}

fn webp() -> Vec<u8> {
    let plain = encoded(&gradient(48, 32).into(), ImageFormat::WebP);
    let parts = [
        riff(b"VP8X", &[0x0c, 0, 0, 0, 47, 0, 0, 31, 0, 0]),
        plain[12..].to_vec(),
        riff(b"EXIF", &exif(6)),
        riff(b"XMP ", SECRET),
        riff(b"priv", SECRET),
    ];
    [riff(b"RIFF", &[b"WEBP", parts.concat().as_slice()].concat()), SECRET.to_vec()].concat()
}

/// A GIF that shows red and then blue, with a comment and XMP between.
fn gif() -> Vec<u8> {
    let mut plain = Vec::new();
    let mut encoder = GifEncoder::new(&mut plain);
    encoder.set_repeat(Repeat::Infinite).unwrap();
    for color in [[255, 0, 0, 255], [0, 0, 255, 255]] {
        let frame = RgbaImage::from_pixel(4, 4, Rgba(color));
        encoder.encode_frame(Frame::from_parts(frame, 0, 0, Delay::from_numer_denom_ms(100, 1))).unwrap();
    }
    drop(encoder);
    let block = |bytes: &[u8]| [&[u8::try_from(bytes.len()).unwrap()], bytes, &[0]].concat();
    let own = [
        [b"\x21\xfe".to_vec(), block(SECRET)].concat(),
        [b"\x21\xff\x0bXMP DataXMP".to_vec(), block(SECRET)].concat(),
        [b"\x21\x01".to_vec(), block(SECRET)].concat(),
    ];
    let table = if plain[10] & 0x80 == 0 { 0 } else { 3 << ((plain[10] & 7) + 1) };
    let (head, rest) = plain.split_at(13 + table);
    [head, &own.concat(), rest, SECRET].concat()
}

fn atom(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    [&u32::try_from(content.len() + 8).unwrap().to_be_bytes(), &kind[..], content].concat()
}

fn movie() -> Vec<u8> {
    let trak = [atom(b"tkhd", b"header"), atom(b"udta", SECRET), atom(b"mdia", b"samples"), atom(b"meta", SECRET)];
    let moov = [
        atom(b"mvhd", b"header"),
        atom(b"udta", &atom(b"\xa9xyz", SECRET)),
        atom(b"trak", &trak.concat()),
        atom(b"meta", SECRET),
    ];
    let large = [&1_u32.to_be_bytes(), &b"uuid"[..], &(16 + SECRET.len() as u64).to_be_bytes(), SECRET].concat();
    [atom(b"ftyp", b"isom"), atom(b"moov", &moov.concat()), large, atom(b"mdat", b"what is shown")].concat()
}

fn files() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("image/jpeg", jpeg(6)),
        ("image/png", png()),
        ("image/webp", webp()),
        ("image/gif", gif()),
        ("video/mp4", movie()),
    ]
}

fn cleaned(media_type: &str, bytes: &[u8]) -> Result<(Vec<u8>, Orientation), CleanError> {
    let mut out = Vec::new();
    clean(media_type, &mut Cursor::new(bytes), &mut out).map(|orientation| (out, orientation))
}

fn has_secret(bytes: &[u8]) -> bool {
    bytes.windows(SECRET.len()).any(|window| window == SECRET)
}

#[test]
fn r_blb_5_what_tells_of_the_maker_is_gone_and_what_is_shown_is_the_same() {
    // BLOB-9.
    for (media_type, bytes) in files() {
        assert!(has_secret(&bytes), "{media_type}");
        let (clean, orientation) = cleaned(media_type, &bytes).unwrap();
        assert!(!has_secret(&clean), "{media_type}");
        if let Some(format) = ImageFormat::from_mime_type(media_type) {
            let decode = |bytes: &[u8]| image::load_from_memory_with_format(bytes, format).unwrap().to_rgba8();
            assert!(decode(&clean) == decode(&bytes), "{media_type}");
        } else {
            assert_eq!(clean.len(), bytes.len(), "tables say where samples are: nothing moves");
            assert!(clean.ends_with(b"what is shown"));
        }
        assert_eq!(cleaned(media_type, &clean).unwrap(), (clean, orientation), "{media_type}: once is enough");
    }
    let (clean, _) = cleaned("image/jpeg", &jpeg(1)).unwrap();
    assert!(!clean.windows(4).any(|window| window == b"Exif"), "nothing to turn, nothing to say");
    assert!(clean.windows(11).any(|window| window == b"ICC_PROFILE"), "colours stay");
    let (clean, _) = cleaned("image/gif", &gif()).unwrap();
    assert!(clean.windows(11).any(|window| window == b"NETSCAPE2.0"), "it is repeated as before");
    assert_eq!(cleaned("audio/ogg", SECRET).unwrap().0, SECRET, "what is not known stays as it is");
}

#[test]
fn r_blb_5_a_film_whose_boxes_say_no_size_or_end_with_zeros_tells_nothing_either() {
    let endless = |kind: &[u8; 4], content: &[u8]| [&[0; 4], &kind[..], content].concat();
    let (ftyp, mdat) = (atom(b"ftyp", b"isom"), atom(b"mdat", b"what is shown"));
    let moov = [atom(b"mvhd", b"header"), endless(b"udta", SECRET)].concat();
    let ended = [atom(b"mvhd", b"header"), vec![0; 4]].concat();
    for bytes in [
        [ftyp.clone(), mdat.clone(), endless(b"moov", &moov)].concat(),
        [ftyp.clone(), mdat.clone(), endless(b"uuid", SECRET)].concat(),
        [ftyp, atom(b"moov", &moov), atom(b"moov", &ended), atom(b"uuid", SECRET), mdat].concat(),
    ] {
        let (clean, _) = cleaned("video/mp4", &bytes).unwrap();
        assert!(has_secret(&bytes) && !has_secret(&clean));
        assert_eq!(clean.len(), bytes.len(), "nothing moves");
        assert!(clean.windows(13).any(|window| window == b"what is shown"));
        assert_eq!(cleaned("video/mp4", &clean).unwrap().0, clean, "once is enough");
    }
}

#[test]
fn r_blb_5_how_a_picture_is_turned_stays_and_nothing_else_of_its_exif() {
    let number = |orientation: u8| {
        let mut tiff = *b"II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\0\0\0\0\0\0\0\0";
        tiff[18] = orientation;
        Orientation::of_tiff(&tiff)
    };
    for orientation in 0..=9 {
        let (clean, found) = cleaned("image/jpeg", &jpeg(orientation)).unwrap();
        assert_eq!(found, number(orientation));
        assert_eq!(found.is_on_its_side(), (5..=8).contains(&orientation));
        assert_eq!(cleaned("image/jpeg", &clean).unwrap().1, found);
        let shown = preview("image/jpeg", Cursor::new(&clean)).unwrap();
        let size = image::load_from_memory(&shown.bytes).unwrap();
        assert_eq!((size.width(), size.height()), if found.is_on_its_side() { (32, 48) } else { (48, 32) });
    }
    assert_eq!(cleaned("image/png", &png()).unwrap().1, number(3));
    assert_eq!(cleaned("image/webp", &webp()).unwrap().1, number(6));
}

#[test]
fn r_blb_5_a_file_that_is_cut_short_anywhere_tells_nothing_either() {
    for (media_type, bytes) in files() {
        for length in 0..bytes.len() {
            if let Ok((clean, _)) = cleaned(media_type, &bytes[..length]) {
                assert!(!has_secret(&clean), "{media_type} of {length} bytes");
            }
        }
        assert!(media_type.starts_with("video/") || cleaned(media_type, b"").is_err());
    }
}

proptest! {
    #[test]
    fn r_blb_3_no_file_makes_the_cleaner_or_a_decoder_fall_over(
        kind in 0..5_usize,
        at in any::<prop::sample::Index>(),
        noise in prop::collection::vec(any::<u8>(), 1..64),
    ) {
        let (media_type, mut bytes) = files().swap_remove(kind);
        let at = at.index(bytes.len());
        let end = bytes.len().min(at + noise.len());
        bytes[at..end].copy_from_slice(&noise[..end - at]);
        if let Ok((clean, _)) = cleaned(media_type, &bytes) {
            assert!(clean.len() <= bytes.len() + 64);
            let _ = preview(media_type, Cursor::new(&clean));
        }
    }
}

#[test]
fn r_blb_3_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded() {
    // BLOB-10: 30,000 by 30,000 pixels in 70 bytes.
    let mut bomb = encoded(&gradient(2, 2).into(), ImageFormat::Png);
    bomb[16..20].copy_from_slice(&30_000_u32.to_be_bytes());
    bomb[20..24].copy_from_slice(&30_000_u32.to_be_bytes());
    let sum = super::png::checksum(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&sum.to_be_bytes());
    let refused = preview("image/png", Cursor::new(&bomb));
    assert!(matches!(refused, Err(NoPreview::TooLarge { width: 30_000, height: 30_000 })), "{refused:?}");
    for (media_type, bytes) in [("image/gif", gif()), ("image/jpeg", jpeg(1)), ("image/webp", webp())] {
        let mut bytes = cleaned(media_type, &bytes).unwrap().0;
        let half = bytes.len() / 2;
        bytes.truncate(half.min(16));
        assert!(preview(media_type, Cursor::new(&bytes)).is_err(), "{media_type}");
    }
    assert!(matches!(preview("video/mp4", Cursor::new(movie())), Err(NoPreview::NoPicture)));
}

#[test]
fn r_blb_3_of_an_animation_only_the_first_frame_is_decoded() {
    let mut bytes = cleaned("image/gif", &gif()).unwrap().0;
    let frames = bytes.len();
    // A hundred thousand frames more, none of which can be decoded.
    bytes.pop();
    for _ in 0..100_000 {
        bytes.extend(b"\x2c\0\0\0\0\xff\xff\xff\xff\0\x02\x01\x01\0");
    }
    assert!(bytes.len() > frames);
    let shown = preview("image/gif", Cursor::new(&bytes)).unwrap();
    let [red, _, blue, _] = image::load_from_memory(&shown.bytes).unwrap().to_rgba8().get_pixel(1, 1).0;
    assert!(red > 200 && blue < 50);
}

#[test]
fn a_small_picture_has_the_shape_of_the_large_one_and_one_can_look_through_it_where_one_could() {
    assert_eq!(preview_size(640, 360), (640, 360));
    assert_eq!(preview_size(4_000, 3_000), (554, 416));
    assert_eq!(preview_size(1, 1_000_000).0, 1);
    assert_eq!(preview_size(u64::MAX, u64::MAX), (480, 480));
    let large = encoded(&gradient(1_200, 300).into(), ImageFormat::Jpeg);
    let shown = preview("image/jpeg", Cursor::new(&large)).unwrap();
    let small = image::load_from_memory_with_format(&shown.bytes, ImageFormat::Jpeg).unwrap();
    assert_eq!((u64::from(small.width()), u64::from(small.height())), preview_size(1_200, 300));
    assert_eq!(shown.blurhash.len(), 28);
    let clear = RgbaImage::from_fn(20, 20, |x, _| Rgba([200, 0, 0, if x < 10 { 0 } else { 255 }]));
    let shown = preview("image/png", Cursor::new(encoded(&clear.into(), ImageFormat::Png))).unwrap();
    let small = image::load_from_memory_with_format(&shown.bytes, ImageFormat::Png).unwrap().to_rgba8();
    assert_eq!((small.get_pixel(0, 0).0[3], small.get_pixel(19, 0).0[3]), (0, 255));
}
