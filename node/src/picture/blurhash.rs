//! A blurhash: the slowest waves of a picture's colours as a short text, which clients draw until the picture is there.

use std::f32::consts::PI;

use image::RgbImage;

/// Waves across and down.
const WAVES: (u32, u32) = (4, 3);
/// The digits of base 83.
const DIGITS: &[u8; 83] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~";

/// A colour in linear light.
type Light = [f32; 3];

/// The blurhash of a small picture.
pub(super) fn of(picture: &RgbImage) -> String {
    let (across, down) = WAVES;
    let waves: Vec<Light> =
        (0..down).flat_map(|y| (0..across).map(move |x| (x, y))).map(|wave| strength(picture, wave)).collect();
    let mut text = String::new();
    push(&mut text, (across - 1) + (down - 1) * 9, 1);
    let Some((mean, others)) = waves.split_first() else { return text };
    let strongest = others.iter().flatten().fold(0_f32, |most, part| most.max(part.abs()));
    let step = ((strongest * 166.0 - 0.5).floor()).clamp(0.0, 82.0);
    push(&mut text, step as u32, 1);
    push(&mut text, mean.iter().fold(0, |all, part| all * 256 + u32::from(to_srgb(*part))), 4);
    let most = (step + 1.0) / 166.0;
    for wave in others {
        let digit = |part: f32| ((part / most).abs().sqrt().copysign(part) * 9.0 + 9.5).floor().clamp(0.0, 18.0) as u32;
        push(&mut text, wave.iter().fold(0, |all, part| all * 19 + digit(*part)), 2);
    }
    text
}

/// How strong one wave is in each colour.
fn strength(picture: &RgbImage, (across, down): (u32, u32)) -> Light {
    let (width, height) = picture.dimensions();
    let mut sum = [0.0; 3];
    for (x, y, pixel) in picture.enumerate_pixels() {
        let wave =
            (PI * across as f32 * x as f32 / width as f32).cos() * (PI * down as f32 * y as f32 / height as f32).cos();
        for (sum, part) in sum.iter_mut().zip(pixel.0) {
            *sum += wave * to_linear(part);
        }
    }
    let norm = if (across, down) == (0, 0) { 1.0 } else { 2.0 };
    sum.map(|sum| sum * norm / (width * height).max(1) as f32)
}

fn to_linear(part: u8) -> f32 {
    let part = f32::from(part) / 255.0;
    if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
}

fn to_srgb(part: f32) -> u8 {
    let part = part.clamp(0.0, 1.0);
    let part = if part <= 0.003_130_8 { part * 12.92 } else { 1.055 * part.powf(1.0 / 2.4) - 0.055 };
    (part * 255.0 + 0.5) as u8
}

fn push(text: &mut String, number: u32, digits: u32) {
    for place in (0..digits).rev() {
        text.push(char::from(DIGITS[(number / 83_u32.pow(place) % 83) as usize]));
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn a_plain_picture_has_its_colour_and_no_waves_and_another_picture_another_hash() {
        let red = of(&RgbImage::from_pixel(8, 8, Rgb([255, 0, 0])));
        assert_eq!((red.len(), &red[..1]), (28, "L"));
        // 255 * 65536 in base 83.
        let mean =
            red[2..6].bytes().fold(0, |all, digit| all * 83 + DIGITS.iter().position(|known| *known == digit).unwrap());
        assert_eq!(mean, 0x00ff_0000);
        let half = RgbImage::from_fn(8, 8, |x, _| if x < 4 { Rgb([255, 255, 255]) } else { Rgb([0, 0, 0]) });
        assert_ne!(of(&half)[6..], red[6..]);
        assert_eq!(of(&RgbImage::new(1, 1)).len(), 28);
    }
}
