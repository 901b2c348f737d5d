//! A QR code as SVG: one path, black on white in light and dark, with its quiet zone.

use std::fmt::Write;

use maud::{Markup, html};
use qrcode::{Color, EcLevel, QrCode};

/// Modules of white around the code that readers need.
const QUIET: usize = 4;

/// The code; nothing if the text is too long for one.
pub(super) fn svg(text: &str, label: &str) -> Markup {
    let Ok(code) = QrCode::with_error_correction_level(text, EcLevel::L) else { return html! {} };
    let width = code.width();
    let mut path = String::new();
    for (place, _) in code.to_colors().iter().enumerate().filter(|(_, color)| **color == Color::Dark) {
        let (x, y) = (place % width + QUIET, place / width + QUIET);
        // Writing to a String can't fail.
        let _ = write!(path, "M{x} {y}h1v1h-1z");
    }
    let side = width + 2 * QUIET;
    html! {
        svg.qr viewBox={ "0 0 " (side) " " (side) } role="img" aria-label=(label) shape-rendering="crispEdges" {
            rect width=(side) height=(side) fill="#fff" {}
            path d=(path) fill="#000" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_invite_fits_into_a_code() {
        let svg = svg(&"x".repeat(1024), "code").into_string();
        assert!(svg.starts_with("<svg class=\"qr\" viewBox=\"0 0 ") && svg.contains("M4 4h1v1h-1z"));
        assert_eq!(super::svg(&"x".repeat(5000), "code").into_string(), "");
    }
}
