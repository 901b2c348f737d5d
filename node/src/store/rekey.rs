//! A new device key for an identity that lives here, where the old one ended or its folder is behind: the
//! words or guardians have admitted it. The old device's log stays what it is, a sibling's.
//!
//! The database comes first; a start that finds the old key in the folder takes the new one from the
//! recovery that was begun (`recovery/device.key`), which stays until the recovery is done.

use std::io;

use xom_protocol::keys::SecretKey;

use super::adopt::{Adoption, check_device};
use super::folder::Folder;
use super::tables::LocalRow;
use super::writer::Writer;
use super::{Notice, identities};
use crate::error::AdoptError;
use crate::keys::change::{Change, Watch};
use crate::keys::folder::KeyFolder;
use crate::keys::seal::KeyKind;
use crate::recovery::plan;

impl Writer {
    /// Puts the new device key in the place of the old one.
    pub(super) fn rekey(&mut self, adoption: Adoption, at: usize) -> Result<LocalRow, AdoptError> {
        let Adoption { did, objects, device, .. } = adoption;
        let locals = self.shared.locals();
        let username = locals.get(at).map(|row| row.username.clone()).ok_or(AdoptError::IdentityTaken(did))?;
        let row = check_device(self.shared.network, &did, &username, &objects, &device)?;
        let number = u32::try_from(at).map_err(|_| AdoptError::IdentityTaken(did))?;
        let stored = row.clone();
        self.do_now(move |batch| {
            batch.insert_identity(did, &objects)?;
            batch.locals.insert(number, xom_protocol::encoding::encode(&stored).as_slice())?;
            Ok(())
        })?;
        let keys = identities::keys_of(&self.shared.folder, &username);
        replace(&keys, &device).map_err(crate::error::StoreError::from)?;
        self.shared.replace_local(row.clone(), device);
        self.load_own()?;
        self.set_wants();
        self.shared.tell(Notice::Wants);
        self.shared.tell(Notice::Locals);
        Ok(row)
    }
}

/// Ends a change of the device key that was cut short; none where no recovery has the key of this row.
pub(super) fn finish(folder: &Folder, keys: &KeyFolder, row: &LocalRow) -> io::Result<Option<SecretKey>> {
    let Some(device) = plan::device_key(folder.path())?.filter(|key| key.public().device_id() == row.device) else {
        return Ok(None);
    };
    replace(keys, &device)?;
    Ok(Some(device))
}

fn replace(keys: &KeyFolder, device: &SecretKey) -> io::Result<()> {
    replace_watched(keys, device, &mut |_| Ok(()))
}

/// The same, told step by step.
pub(super) fn replace_watched(keys: &KeyFolder, device: &SecretKey, watch: Watch<'_>) -> io::Result<()> {
    Change::default().unseal(KeyKind::Device, device).carry_out_watched(keys.path(), watch)
}
