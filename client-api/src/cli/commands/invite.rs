//! `xom invite`.

use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde_json::json;

use super::super::{Call, CliError, card};

/// Make an invite: a signed link with your DID and the addresses of this node.
///
/// Whoever runs `xom follow` with it follows you, and finds this node by it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom invite --qr")]
pub struct Args {
    /// Show it as a QR code too
    #[arg(long)]
    qr: bool,
}

impl Args {
    /// Prints.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let invite = call.client()?.post("/api/xom/v1/invites", &json!({}))?;
        let link = card::text(&invite, "invite");
        let code = if self.qr { Some(draw(&link)?) } else { None };
        call.output.show(&invite, |_| match code {
            Some(code) => format!("{code}\n{link}"),
            None => link,
        })
    }
}

/// The code in half blocks, light on dark, with its quiet zone.
fn draw(text: &str) -> Result<String, CliError> {
    let code = QrCode::new(text).map_err(|error| CliError::Failed(format!("can't make a QR code: {error}")))?;
    Ok(code.render::<Dense1x2>().dark_color(Dense1x2::Dark).light_color(Dense1x2::Light).build())
}
