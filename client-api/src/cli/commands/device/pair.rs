//! `xom device pair`: the surviving device's side of a pairing.

use std::thread;
use std::time::Duration;

use qrcode::QrCode;
use serde_json::{Value, json};

use super::super::super::{Call, CliError, Client, ask, card};
use super::super::invite::draw;

/// How often the node is asked how far the pairing has come.
const POLL: Duration = Duration::from_millis(250);

/// Admit a new device of this identity.
///
/// Prints an offer as text and QR code; give it to `xom join` on the new machine within 10 minutes. Then both
/// machines show six digits: say yes on both only if they are equal. With --json each step is one line, and the
/// answer is read from a line `yes` or `no`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom device pair\n  xom device pair --no-qr")]
pub(super) struct Args {
    /// Leave the QR code out
    #[arg(long)]
    no_qr: bool,
}

impl Args {
    pub(super) fn execute(&self, call: &Call) -> Result<(), CliError> {
        let client = call.client()?;
        let made = client.post("/api/xom/v1/devices/pair", &json!({}))?;
        let offer = card::text(&made, "offer");
        let code = QrCode::new(&offer).map_err(|error| CliError::Failed(format!("can't make a QR code: {error}")))?;
        call.output.show(&made, |output| {
            let drawn = if self.no_qr { String::new() } else { draw(output, &code) };
            format!("{drawn}On the new machine, within 10 minutes:\n\n  xom join '{offer}'\n\nWaiting for it …")
        })?;
        let compared = wait_while(&client, "waiting")?;
        let digits = card::text(&compared, "digits");
        if card::text(&compared, "state") != "comparing" {
            return Err(ended(&compared));
        }
        if !ask::same_digits(&call.output, &digits)? {
            client.post("/api/xom/v1/devices/pair/stop", &json!({}))?;
            return Err(CliError::Refused("the digits differ; nothing was granted, and the offer is void".to_owned()));
        }
        client.post("/api/xom/v1/devices/pair/confirm", &json!({"digits": digits}))?;
        let done = wait_while(&client, "confirmed")?;
        if card::text(&done, "state") != "done" {
            return Err(ended(&done));
        }
        call.output.show(&done, |_| format!("The new device is {}.", card::text(&done, "device")))
    }
}

/// Asks until the state is another one.
fn wait_while(client: &Client, state: &str) -> Result<Value, CliError> {
    loop {
        let now = client.get("/api/xom/v1/devices/pair", &[])?;
        if card::text(&now, "state") != state {
            return Ok(now);
        }
        thread::sleep(POLL);
    }
}

fn ended(state: &Value) -> CliError {
    let device = card::text(state, "device");
    CliError::Refused(match card::text(state, "state").as_str() {
        "expired" => "the offer has expired; make a new one".to_owned(),
        "stopped" => "pairing was stopped; nothing was granted".to_owned(),
        "spent" => "the offer was tried too often and is void; nothing was granted".to_owned(),
        "unanswered" => format!("device {device} was granted and has not answered; end it with `xom device remove`"),
        "failed" => format!("the device could not be granted: {}", card::text(state, "reason")),
        "waiting" | "comparing" => "the other machine has gone; pair again".to_owned(),
        other => format!("pairing is {other}"),
    })
}
