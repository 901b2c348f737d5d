//! `/avatars/<did>.svg` and `/headers/<did>.svg`: pictures for accounts that have none, drawn from the DID.

use std::future::{Ready, ready};

use axum::extract::Path;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use xom_protocol::Did;

use crate::http::ApiError;

/// Name of the node's own picture, where a DID would stand.
const INSTANCE: &str = "instance";
/// The picture holds no script, and this would keep it from running.
const POLICY: &str = "sandbox; default-src 'none'; frame-ancestors 'none'";

/// A square picture.
pub fn avatar(Path(file): Path<String>) -> Ready<Result<Response, ApiError>> {
    ready(read(&file).map(|seed| svg(&draw_square(seed))))
}

/// A wide picture.
pub fn header(Path(file): Path<String>) -> Ready<Result<Response, ApiError>> {
    ready(read(&file).map(|seed| svg(&draw_wide(seed))))
}

/// The bytes that the picture is drawn from.
fn read(file: &str) -> Result<[u8; 32], ApiError> {
    let name = file.strip_suffix(".svg").ok_or_else(ApiError::not_found)?;
    if name == INSTANCE {
        return Ok([0x5a; 32]);
    }
    let did: Did = name.parse().map_err(|_| ApiError::not_found())?;
    Ok(did.0)
}

fn svg(picture: &str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ];
    (headers, picture.to_owned()).into_response()
}

/// Five by five squares, the same left and right, in one colour on a pale one.
fn draw_square(seed: [u8; 32]) -> String {
    let hue = hue(seed);
    let mut squares = String::new();
    for row in 0..5 {
        for column in 0..3 {
            if seed[2 + row * 3 + column].is_multiple_of(2) {
                continue;
            }
            let mirrored = 4 - column;
            for x in [column, mirrored] {
                squares.push_str(&format!("<rect x=\"{x}\" y=\"{row}\" width=\"1\" height=\"1\"/>"));
            }
        }
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"400\" height=\"400\" viewBox=\"-1 -1 7 7\" \
         shape-rendering=\"crispEdges\"><rect x=\"-1\" y=\"-1\" width=\"7\" height=\"7\" fill=\"hsl({hue},45%,90%)\"/>\
         <g fill=\"hsl({hue},55%,42%)\">{squares}</g></svg>"
    )
}

/// Two hills.
fn draw_wide(seed: [u8; 32]) -> String {
    let hue = hue(seed);
    let (left, right) = (100 + u32::from(seed[2]) / 2, 100 + u32::from(seed[3]) / 2);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1500\" height=\"500\" viewBox=\"0 0 900 300\">\
         <rect width=\"900\" height=\"300\" fill=\"hsl({hue},45%,88%)\"/>\
         <path d=\"M0 300V{left}Q225 40 450 {right}T900 {left}V300Z\" fill=\"hsl({hue},45%,72%)\"/>\
         <path d=\"M0 300V{right}Q300 300 500 220T900 {right}V300Z\" fill=\"hsl({hue},50%,52%)\"/></svg>"
    )
}

fn hue(seed: [u8; 32]) -> u32 {
    (u32::from(seed[0]) << 8 | u32::from(seed[1])) % 360
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_api_14_only_the_name_of_a_did_leads_to_a_picture() {
        let did = Did([9; 32]);
        assert!(read(&format!("{did}.svg")).is_ok());
        assert!(read("instance.svg").is_ok());
        for bad in ["../token", "../../etc/passwd.svg", "/etc/passwd", "x.svg", &did.to_string(), ".svg", "<a>.svg"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn pictures_of_two_dids_differ() {
        assert_ne!(draw_square([1; 32]), draw_square([2; 32]));
        assert_eq!(draw_wide([1; 32]), draw_wide([1; 32]));
    }
}
