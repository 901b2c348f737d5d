//! Drawings, as SVG in the page.

use maud::{Markup, PreEscaped, html};

/// Defines icons by the data of their path, on a grid of 24.
macro_rules! icons {
    ($($name:ident: $path:literal;)*) => {
        $(pub(super) fn $name() -> Markup {
            icon($path)
        })*
    };
}

icons! {
    home: "M3 11.5 12 4l9 7.5M5.5 10v9.5h13V10M10 19.5v-5h4v5";
    globe: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM3.5 9.5h17M3.5 14.5h17M12 3c-2.6 2.4-4 5.5-4 9s1.4 6.6 4 9c2.6-2.4 4-5.5 4-9s-1.4-6.6-4-9Z";
    bell: "M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15L6 16ZM10 20.5h4";
    door: "M14 4H6v16h8M10 12h10M17 9l3 3-3 3";
    reply: "M10 6 4 12l6 6M4 12h10a6 6 0 0 1 6 6v1";
    boost: "M7 7h9a3 3 0 0 1 3 3v3M17 17H8a3 3 0 0 1-3-3v-3M16 10.5l3 3 3-3M8 13.5l-3-3-3 3";
    heart: "M12 20s-7.5-4.6-9-9.2C2 7.400 4.300 5 7 5c2 0 3.900 1.200 5 3 1.100-1.800 3-3 5-3 2.700 0 5 2.400 4 5.800C19.500 15.400 12 20 12 20Z";
    dots: "M5.500 12h.01M12 12h.01M18.500 12h.01";
    clip: "M8 12.500 14.500 6a3.300 3.300 0 0 1 4.700 4.700l-8.200 8.200a5 5 0 0 1-7.100-7.100L11.500 4.300";
}

/// The sign of xóm: houses under one roof line.
pub(super) fn brand() -> Markup {
    PreEscaped(super::assets::ICON.to_owned())
}

fn icon(path: &str) -> Markup {
    html! {
        svg.icon viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" { path d=(path) {} }
    }
}
