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

use super::folder::{Folder, entropy, make_dir_all, read_secret, sync_parent, unreadable, write_secret};
use super::tables::LocalRow;
use crate::error::StartError;
use crate::keys::AccessError;

/// The recovery phrase, 24 words.
const PHRASE: &str = "phrase";
/// The current control key, 64 hexadecimal digits.
const CONTROL_KEY: &str = "control.key";
/// The device key, 64 hexadecimal digits.
const DEVICE_KEY: &str = "device.key";
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
    let dir = unfinished(folder);
    write_keys(&dir, &phrase).map_err(|e| unreadable(&dir, &e))?;
    let log = root_log_id(network, &did, &device);
    Ok(Fresh { row: LocalRow { did, username: username.to_owned(), device, log }, genesis, key })
}

/// Writes the device key of an identity that exists elsewhere into a folder that is not yet in its place.
pub(super) fn make_adopted(folder: &Folder, device: &SecretKey) -> Result<(), StartError> {
    let dir = unfinished(folder);
    if dir.exists() {
        return Err(unreadable(&dir, &"is left of an attempt that broke off; start the node again"));
    }
    let written = make_dir_all(&dir).and_then(|()| write_secret(&dir.join(DEVICE_KEY), &hex(device)));
    written.map_err(|e| unreadable(&dir, &e))
}

/// Gives the folder of keys its name, once the identity is in the database.
pub(super) fn finish(folder: &Folder, row: &LocalRow) -> Result<(), StartError> {
    let place = folder.identity(&row.username);
    let moved = fs::rename(unfinished(folder), &place).and_then(|()| sync_parent(&place));
    moved.map_err(|e| unreadable(&place, &e))
}

/// Brings folders and database in line after a start that was cut short, and reads the device keys.
pub(super) fn recover(folder: &Folder, rows: &[LocalRow]) -> Result<Vec<SecretKey>, StartError> {
    let dir = unfinished(folder);
    if dir.exists() {
        let device = read_key(&dir.join(DEVICE_KEY)).ok().flatten().map(|key| key.public().device_id());
        match rows.iter().find(|row| Some(row.device) == device) {
            Some(row) => finish(folder, row)?,
            None => fs::remove_dir_all(&dir).map_err(|e| unreadable(&dir, &e))?,
        }
    }
    refuse_strangers(folder, rows)?;
    let mut keys = Vec::with_capacity(rows.len());
    for row in rows {
        let path = folder.identity(&row.username).join(DEVICE_KEY);
        let key = read_key(&path).map_err(|e| unreadable(&path, &e))?;
        let key = key.ok_or_else(|| unreadable(&path, &"is missing; bring it back from a backup"))?;
        if key.public().device_id() != row.device {
            return Err(unreadable(&path, &"is not the key of this identity's device"));
        }
        keys.push(key);
    }
    Ok(keys)
}

/// The control key of a local identity; none if it is not kept here.
pub(super) fn control_key(folder: &Folder, username: &str) -> Result<Option<SecretKey>, AccessError> {
    let key = read_key(&folder.identity(username).join(CONTROL_KEY));
    key.map_err(|_| AccessError::Damaged { file: CONTROL_KEY })
}

/// True if the recovery phrase lies in the folder in the clear.
pub(super) fn phrase_is_unsealed(folder: &Folder, username: &str) -> bool {
    folder.identity(username).join(PHRASE).exists()
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

fn unfinished(folder: &Folder) -> PathBuf {
    folder.path().join("identities").join(UNFINISHED)
}

fn write_keys(dir: &Path, phrase: &Phrase) -> io::Result<()> {
    make_dir_all(dir)?;
    write_secret(&dir.join(PHRASE), &phrase.words())?;
    write_secret(&dir.join(CONTROL_KEY), &hex(&phrase.control_key(0)))?;
    write_secret(&dir.join(DEVICE_KEY), &hex(&phrase.device_key()))
}

fn hex(key: &SecretKey) -> Zeroizing<String> {
    Zeroizing::new(HEXLOWER.encode(key.seed().as_slice()))
}

fn read_key(path: &Path) -> io::Result<Option<SecretKey>> {
    let Some(line) = read_secret(path)? else { return Ok(None) };
    let invalid = || io::Error::new(io::ErrorKind::InvalidData, "expected 64 hexadecimal digits");
    let bytes = Zeroizing::new(HEXLOWER.decode(line.as_bytes()).map_err(|_| invalid())?);
    let seed = Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| invalid())?);
    SecretKey::from_seed(&seed).map(Some).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
}
