//! Small PNG pictures, each different.

use std::io::Write;

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};

use crate::random::Random;

/// A PNG of `side` by `side` random pixels.
///
/// # Panics
/// If `side` is beyond what a test needs.
pub fn picture(random: &mut Random, side: u32) -> Vec<u8> {
    let mut lines = ZlibEncoder::new(Vec::new(), Compression::fast());
    for _ in 0..side {
        // No filter, then red, green and blue of each pixel.
        let mut line = vec![0];
        line.extend((0..side * 3).map(|_| random.number() as u8));
        lines.write_all(&line).expect("memory takes everything");
    }
    let mut header = [side.to_be_bytes(), side.to_be_bytes()].concat();
    header.extend([8, 2, 0, 0, 0]);
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in [(b"IHDR", header), (b"IDAT", lines.finish().expect("memory")), (b"IEND", Vec::new())] {
        let mut crc = Crc::new();
        crc.update(kind);
        crc.update(&data);
        png.extend(u32::try_from(data.len()).expect("a small picture").to_be_bytes());
        png.extend(kind);
        png.extend(&data);
        png.extend(crc.sum().to_be_bytes());
    }
    png
}
