//! `xom invite`.

use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde_json::json;

use super::super::output::Style;
use super::super::{Call, CliError, Output, card};

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
        let code = QrCode::new(&link).map_err(|error| CliError::Failed(format!("can't make a QR code: {error}")))?;
        call.output.show(&invite, |output| match self.qr {
            true => format!("{}\n{link}", draw(output, &code)),
            false => link.clone(),
        })
    }
}

/// The code in half blocks with its quiet zone: black on white where colours are, else light blocks for
/// white, as most terminals are dark.
pub(super) fn draw(output: &Output, code: &QrCode) -> String {
    let (dark, light) =
        if output.is_coloured() { (Dense1x2::Dark, Dense1x2::Light) } else { (Dense1x2::Light, Dense1x2::Dark) };
    let drawn = code.render::<Dense1x2>().dark_color(dark).light_color(light).build();
    drawn.lines().map(|line| output.paint(Style::BlackOnWhite, line) + "\n").collect()
}
