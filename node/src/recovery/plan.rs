//! What a recovery needs to know over restarts: whom, how, from where, and the keys that it brings.
//!
//! Layout: `recovery/{plan,device.key,phrase}` in the data folder; `phrase` only where guardians recover.
//! The folder gets its name once it is whole, and goes when the recovery is done.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use xom_protocol::Did;
use xom_protocol::encoding;
use xom_protocol::keys::SecretKey;
use xom_protocol::limits::IDENTITY_OBJECT_BYTES_MAX;
use xom_protocol::phrase::Phrase;
use zeroize::Zeroizing;

use crate::error::{StartError, StoreError};
use crate::store::folder::{entropy, make_dir_all, read_secret, replace_file, sync_parent, write_secret};

/// The folder, and its name until it is whole.
const DIR: &str = "recovery";
const UNFINISHED: &str = "recovery.new";
const PLAN: &str = "plan";
const DEVICE_KEY: &str = "device.key";
const PHRASE: &str = "phrase";
/// Longest file of a plan, bytes.
const PLAN_BYTES_MAX: usize = 2 * IDENTITY_OBJECT_BYTES_MAX;

/// What is written down of a recovery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// Whom.
    pub(crate) did: Did,
    /// The user name on this node; none to take that of the profile.
    pub(crate) username: Option<String>,
    /// By guardians, otherwise by the words.
    pub(crate) guardians: bool,
    /// Addresses that the owner named.
    pub(crate) from: Vec<String>,
    /// What the guardians are asked.
    pub(crate) request: Option<ByteBuf>,
    /// The `recover-start` was put on the log.
    pub(crate) started: bool,
    /// The identity lives here, with its keys in their place.
    pub(crate) adopted: bool,
}

/// A plan with its keys, in the data folder.
pub(crate) struct PlanFolder {
    dir: PathBuf,
    pub(crate) plan: Plan,
    pub(crate) device: SecretKey,
    /// The new words, where guardians recover.
    pub(crate) phrase: Option<Phrase>,
}

impl PlanFolder {
    /// Reads the plan of a recovery that was begun here; forgets one whose writing was cut short.
    pub(crate) fn read(data_dir: &Path) -> Result<Option<Self>, StoreError> {
        let unfinished = data_dir.join(UNFINISHED);
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished)?;
        }
        let dir = data_dir.join(DIR);
        let bytes = match fs::read(dir.join(PLAN)) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                // Forgetting it was cut short.
                if dir.exists() {
                    fs::remove_dir_all(&dir)?;
                }
                return Ok(None);
            }
            Err(e) => return Err(e.into()),
        };
        let damaged = |what: &str| StoreError::Damaged(format!("{what} of the recovery that was begun here"));
        let plan = encoding::decode(&bytes, PLAN_BYTES_MAX).map_err(|_| damaged("the plan"))?;
        let line = read_secret(&dir.join(DEVICE_KEY))?.ok_or_else(|| damaged("the device key"))?;
        let device = key_of(&line).ok_or_else(|| damaged("the device key"))?;
        let words = read_secret(&dir.join(PHRASE))?;
        let phrase = words.map(|words| Phrase::parse(&words)).transpose().map_err(|_| damaged("the words"))?;
        Ok(Some(Self { dir, plan, device, phrase }))
    }

    /// Makes the keys of a new recovery and writes all down; durable when it answers.
    pub(crate) fn make(data_dir: &Path, plan: Plan) -> Result<Self, StoreError> {
        let no_entropy = |e: StartError| StoreError::Storage(e.to_string());
        let device = SecretKey::from_seed(&*entropy().map_err(no_entropy)?);
        let device = device.map_err(|e| StoreError::Storage(e.to_string()))?;
        let phrase = match plan.guardians {
            true => Some(Phrase::from_entropy(&*entropy().map_err(no_entropy)?)),
            false => None,
        };
        let phrase = phrase.transpose().map_err(|e| StoreError::Storage(e.to_string()))?;
        let unfinished = data_dir.join(UNFINISHED);
        make_dir_all(&unfinished)?;
        write_secret(&unfinished.join(DEVICE_KEY), &Zeroizing::new(HEXLOWER.encode(device.seed().as_slice())))?;
        if let Some(phrase) = &phrase {
            write_secret(&unfinished.join(PHRASE), &phrase.words())?;
        }
        replace_file(&unfinished.join(PLAN), &encoding::encode(&plan))?;
        let dir = data_dir.join(DIR);
        fs::rename(&unfinished, &dir)?;
        sync_parent(&dir)?;
        Ok(Self { dir, plan, device, phrase })
    }

    /// Changes the plan; durable when it answers.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Plan)) -> Result<(), StoreError> {
        let mut plan = self.plan.clone();
        change(&mut plan);
        if plan != self.plan {
            replace_file(&self.dir.join(PLAN), &encoding::encode(&plan))?;
            self.plan = plan;
        }
        Ok(())
    }

    /// Forgets the plan: the keys are in their place, or were never used.
    pub(crate) fn forget(&self) -> Result<(), StoreError> {
        // The plan first: a folder without one is no recovery.
        fs::remove_file(self.dir.join(PLAN))?;
        sync_parent(&self.dir.join(PLAN))?;
        fs::remove_dir_all(&self.dir)?;
        Ok(sync_parent(&self.dir)?)
    }
}

/// The device key of the recovery that was begun in this data folder.
pub(crate) fn device_key(data_dir: &Path) -> io::Result<Option<SecretKey>> {
    let line = read_secret(&data_dir.join(DIR).join(DEVICE_KEY))?;
    Ok(line.and_then(|line| key_of(&line)))
}

fn key_of(line: &str) -> Option<SecretKey> {
    let bytes = Zeroizing::new(HEXLOWER.decode(line.as_bytes()).ok()?);
    let seed = Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).ok()?);
    SecretKey::from_seed(&seed).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(guardians: bool) -> Plan {
        let from = vec!["/ip4/127.0.0.1/tcp/1".to_owned()];
        Plan { did: Did([1; 32]), username: None, guardians, from, request: None, started: false, adopted: false }
    }

    #[test]
    fn a_plan_reads_back_with_the_same_keys_until_it_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        assert!(PlanFolder::read(folder.path()).unwrap().is_none());
        let mut made = PlanFolder::make(folder.path(), plan(true)).unwrap();
        made.change(|plan| plan.request = Some(ByteBuf::from(vec![1, 2]))).unwrap();
        let read = PlanFolder::read(folder.path()).unwrap().unwrap();
        assert_eq!(read.plan, made.plan);
        assert_eq!(read.device.public(), made.device.public());
        assert_eq!(*read.phrase.unwrap().words(), *made.phrase.as_ref().unwrap().words());
        made.forget().unwrap();
        assert!(PlanFolder::read(folder.path()).unwrap().is_none());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_plan_whose_writing_was_cut_short_is_none_and_is_cleared_away() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(UNFINISHED)).unwrap();
        fs::write(folder.path().join(UNFINISHED).join(DEVICE_KEY), "00").unwrap();
        fs::create_dir(folder.path().join(DIR)).unwrap();
        assert!(PlanFolder::read(folder.path()).unwrap().is_none());
        assert!(PlanFolder::make(folder.path(), plan(false)).unwrap().phrase.is_none());
    }
}
