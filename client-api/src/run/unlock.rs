//! Opening sealed device keys at the start, with a passphrase from a file or a systemd credential.

use xom_node::Handle;

use super::failed;
use crate::cli::{CliError, secret};
use crate::settings::Settings;

/// Opens what the named file opens. Without a file nothing is asked for: the node runs, and posts nothing.
///
/// A file that opens none of the sealed keys is a mistake that is told at once.
pub(super) async fn open_devices(node: &Handle, settings: &Settings) -> Result<(), CliError> {
    let Some(file) = &settings.passphrase_file else { return Ok(()) };
    let locals = node.read(|reader| reader.local_identities()).await;
    let locals = locals.map_err(|error| failed("can't read the identities", &error))?;
    let sealed: Vec<_> = locals.into_iter().filter(|local| !local.keys.device_open).collect();
    if sealed.is_empty() {
        return Ok(());
    }
    let passphrase = secret::read(file)?;
    let (mut opened, mut why) = (false, String::new());
    for local in &sealed {
        match node.keyring(local.did).unlock(passphrase.clone()).await {
            Ok(_) => opened = true,
            Err(error) => why = error.to_string(),
        }
    }
    if opened {
        return Ok(());
    }
    Err(CliError::Refused(format!("{} does not open the device key: {why}", file.display())))
}
