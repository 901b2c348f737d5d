//! Identities that live here: their keys in the folder, each in a file of its own.
//!
//! A folder of keys gets its final name only after its identity is in the database: keys without a
//! log would sign their first places a second time (R-FRK-2).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use xom_protocol::body::is_username;
use xom_protocol::identity::SignedObject;
use xom_protocol::keys::SecretKey;
use xom_protocol::log::root_log_id;
use xom_protocol::phrase::Phrase;
use xom_protocol::{Did, Network};
use zeroize::Zeroizing;

use super::folder::{Folder, entropy, make_dir_all, sync_parent, unreadable, write_secret};
use super::rekey;
use super::tables::LocalRow;
use crate::backup::Recipient;
use crate::error::StartError;
use crate::keys::change;
use crate::keys::folder::{CONTROL_KEY, DEVICE_KEY, Found, KeyFolder, PHRASE};
use crate::keys::seal::KeyKind;

/// What the folder of keys is called until its identity is in the database.
const UNFINISHED: &str = ".new";

/// An identity that was just made.
pub(super) struct Fresh {
    /// What the database is to hold.
    pub(super) row: LocalRow,
    /// The signed genesis.
    pub(super) genesis: SignedObject,
    /// The device key.
    pub(super) key: SecretKey,
    /// Whom backups are sealed for.
    pub(super) backup: Recipient,
}

/// Makes the keys of a new identity in a folder that is not yet in its place.
pub(super) fn make(folder: &Folder, network: Network, username: &str) -> Result<Fresh, StartError> {
    let place = folder.identity(username);
    if !is_username(username) {
        return Err(unreadable(&place, &"a user name is 1 to 30 of a-z, 0-9 and _"));
    }
    let phrase = Phrase::from_entropy(&*entropy()?).map_err(|e| StartError::Entropy(e.to_string()))?;
    let (genesis, key) = (phrase.genesis(network), phrase.device_key());
    let did = Did(genesis.id().0);
    let device = key.public().device_id();
    let dir = unused(folder)?;
    write_keys(&dir, &phrase).map_err(|e| unreadable(&dir, &e))?;
    let log = root_log_id(network, &did, &device);
    let backup = Recipient::of(&phrase);
    Ok(Fresh { row: LocalRow { did, username: username.to_owned(), device, log }, genesis, key, backup })
}

/// Writes the device key of an identity that exists elsewhere into a folder that is not yet in its place.
pub(super) fn make_adopted(folder: &Folder, device: &SecretKey) -> Result<(), StartError> {
    let dir = unused(folder)?;
    let written = make_dir_all(&dir).and_then(|()| write_secret(&dir.join(DEVICE_KEY), &line(device)));
    written.map_err(|e| unreadable(&dir, &e))
}

/// Gives the folder of keys its name, once the identity is in the database.
pub(super) fn finish(folder: &Folder, row: &LocalRow) -> Result<(), StartError> {
    let place = folder.identity(&row.username);
    let moved = fs::rename(unfinished(folder), &place).and_then(|()| sync_parent(&place));
    moved.map_err(|e| unreadable(&place, &e))
}

/// Brings folders and database in line after a start that was cut short, and reads the device keys: none
/// where one lies sealed.
pub(super) fn recover(folder: &Folder, rows: &[LocalRow]) -> Result<Vec<Option<SecretKey>>, StartError> {
    let dir = unfinished(folder);
    if dir.exists() {
        let device = match KeyFolder::at(dir.clone()).find(KeyKind::Device) {
            Ok(Found::Plain(key)) => Some(key.public().device_id()),
            _ => None,
        };
        match rows.iter().find(|row| Some(row.device) == device) {
            Some(row) => finish(folder, row)?,
            None => fs::remove_dir_all(&dir).map_err(|e| unreadable(&dir, &e))?,
        }
    }
    refuse_strangers(folder, rows)?;
    rows.iter().map(|row| device_key(folder, &keys_of(folder, &row.username), row)).collect()
}

/// Ends a change of keys that was cut short, and reads the device key.
fn device_key(folder: &Folder, keys: &KeyFolder, row: &LocalRow) -> Result<Option<SecretKey>, StartError> {
    let path = keys.path();
    change::finish(path).map_err(|e| unreadable(path, &e))?;
    if keys.tighten().map_err(|e| unreadable(path, &e))? {
        tracing::warn!(user = row.username, "files of keys could be read by others; their mode is now 0600");
    }
    let (device, key) = match keys.find(KeyKind::Device) {
        Ok(Found::Plain(key)) => (key.public().device_id(), Some(key)),
        Ok(Found::Sealed(sealed)) => (sealed.public, None),
        Ok(Found::Nothing) => {
            return Err(unreadable(&path.join(DEVICE_KEY), &"is missing; bring it back from a backup"));
        }
        Err(e) => return Err(unreadable(path, &e)),
    };
    if device == row.device {
        return Ok(key);
    }
    if let Some(key) = rekey::finish(folder, keys, row).map_err(|e| unreadable(path, &e))? {
        return Ok(Some(key));
    }
    Err(unreadable(path, &"holds a device key that is not the one of this identity's device"))
}

/// The folder of keys of a local identity.
pub(super) fn keys_of(folder: &Folder, username: &str) -> KeyFolder {
    KeyFolder::at(folder.identity(username))
}

/// Keys of an identity that the database does not know mean that the database was lost or rolled back.
fn refuse_strangers(folder: &Folder, rows: &[LocalRow]) -> Result<(), StartError> {
    let parent = folder.path().join("identities");
    for item in fs::read_dir(&parent).map_err(|e| unreadable(&parent, &e))? {
        let item = item.map_err(|e| unreadable(&parent, &e))?;
        if !rows.iter().any(|row| item.file_name() == row.username.as_str()) {
            let cause = "has keys but no log in the database; bring xom.redb and salts back from a backup";
            return Err(unreadable(&item.path(), &cause));
        }
    }
    Ok(())
}

/// The same, where no attempt broke off: keys that an identity in the database may have are not written over.
fn unused(folder: &Folder) -> Result<PathBuf, StartError> {
    let dir = unfinished(folder);
    if dir.exists() {
        return Err(unreadable(&dir, &"is left of an attempt that broke off; start the node again"));
    }
    Ok(dir)
}

fn unfinished(folder: &Folder) -> PathBuf {
    folder.path().join("identities").join(UNFINISHED)
}

fn write_keys(dir: &Path, phrase: &Phrase) -> io::Result<()> {
    make_dir_all(dir)?;
    write_secret(&dir.join(PHRASE), &phrase.words())?;
    write_secret(&dir.join(CONTROL_KEY), &line(&phrase.control_key(0)))?;
    write_secret(&dir.join(DEVICE_KEY), &line(&phrase.device_key()))
}

fn line(key: &SecretKey) -> Zeroizing<String> {
    Zeroizing::new(HEXLOWER.encode(key.seed().as_slice()))
}
