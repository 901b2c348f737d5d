//! `xom lock`.

use serde_json::json;

use super::super::{Call, CliError};

/// Lock the identity: nobody's device can admit, drop or move another until the lock is lifted.
///
/// For when a device is stolen: what it grants from now on does not count. Posts and reading go on, so
/// remove the stolen device as soon as you can. Any device can lock; `xom identity unlock` needs the
/// control key.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom lock")]
pub struct Args {}

impl Args {
    /// Locks.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let answer = call.client()?.post("/api/xom/v1/identity/lock", &json!({}))?;
        call.output
            .show(&answer, |_| "Locked. No device can be added now. Lift it with `xom identity unlock`.".to_owned())
    }
}
