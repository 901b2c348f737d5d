//! Private settings of local identities: shared among siblings, told to nobody else (`PAIR-8`).

use xom_protocol::limits::{DEVICE_NAME_BYTES_MAX, SETTINGS_MAX};
use xom_protocol::sync::Setting;
use xom_protocol::{DeviceId, Did};

use super::batch::Batch;
use super::snapshot::Snapshot;
use super::tables::{self, SettingKey};
use super::{Notice, Store};
use crate::error::{CommandError, StoreError};

/// The key under which the name of a device stands.
pub(super) fn device_name_key(device: &DeviceId) -> String {
    format!("device-name/{device}")
}

/// A name as it may be shown: one line, not empty, short.
fn checked_name(name: &str) -> Result<&str, CommandError> {
    let name = name.trim();
    let fits = (1..=DEVICE_NAME_BYTES_MAX).contains(&name.len()) && !name.chars().any(char::is_control);
    if fits { Ok(name) } else { Err(CommandError::Refused("the name of a device is one line of 1 to 64 bytes")) }
}

impl Store {
    /// Takes settings that a sibling told; what is older than what is here changes nothing.
    pub(crate) async fn take_settings(&self, did: Did, items: Vec<Setting>) -> Result<(), StoreError> {
        self.write(move |batch| batch.merge_settings(&did, &items)).await
    }

    /// Gives a device of a local identity a name.
    pub(crate) async fn name_device(&self, did: Did, device: DeviceId, name: &str) -> Result<(), CommandError> {
        let name = checked_name(name)?.as_bytes().to_vec();
        let key = device_name_key(&device);
        let known = self.snapshot()?.record(&did)?.is_some_and(|record| record.state().devices.contains_key(&device));
        if !known {
            return Err(CommandError::Refused("no such device"));
        }
        let put = self.write(move |batch| {
            let number = batch.identity_number(&did)?;
            let before = batch.setting(number, &key)?;
            if before.as_ref().is_some_and(|before| before.value == name) {
                return Ok(());
            }
            let rev = before.map_or(0, |before| before.rev) + 1;
            batch.merge_settings(&did, &[Setting { key: key.clone(), rev, value: name.clone() }])
        });
        Ok(put.await?)
    }
}

impl Batch<'_> {
    /// Keeps of each key the value that stands.
    fn merge_settings(&mut self, did: &Did, items: &[Setting]) -> Result<(), StoreError> {
        let number = self.identity_number(did)?;
        let mut changed = Vec::new();
        for item in items.iter().filter(|item| item.fits()) {
            let before = self.setting(number, &item.key)?;
            if before.as_ref().is_some_and(|before| !item.outranks(before)) {
                continue;
            }
            if before.is_none() && self.settings.range((number, "")..(number + 1, ""))?.count() >= SETTINGS_MAX {
                tracing::warn!("an identity has as many private settings as it may have; another one is left out");
                continue;
            }
            self.settings.insert(key_of(number, &item.key), bytes_of(item).as_slice())?;
            changed.push(item.clone());
        }
        if !changed.is_empty() {
            self.after.notices.push(Notice::Settings(*did, changed.into()));
        }
        Ok(())
    }

    fn setting(&self, number: u32, key: &str) -> Result<Option<Setting>, StoreError> {
        Ok(self.settings.get(key_of(number, key))?.and_then(|bytes| setting_of(key, bytes.value())))
    }
}

impl Snapshot {
    /// All private settings of an identity.
    pub(crate) fn settings(&self, did: &Did) -> Result<Vec<Setting>, StoreError> {
        let Some(number) = self.identity_number(did)? else { return Ok(Vec::new()) };
        let table = self.table(tables::SETTINGS)?;
        let mut settings = Vec::new();
        for row in table.range((number, "")..(number + 1, ""))? {
            let (key, bytes) = row?;
            settings.extend(setting_of(key.value().1, bytes.value()));
        }
        Ok(settings)
    }

    /// The name that the owner gave a device.
    pub(super) fn device_name(&self, did: &Did, device: &DeviceId) -> Result<Option<String>, StoreError> {
        let Some(number) = self.identity_number(did)? else { return Ok(None) };
        let key = device_name_key(device);
        let table = self.table(tables::SETTINGS)?;
        let setting = table.get(key_of(number, &key))?.and_then(|bytes| setting_of(&key, bytes.value()));
        let name = setting.and_then(|setting| String::from_utf8(setting.value).ok());
        Ok(name.filter(|name| checked_name(name).is_ok()))
    }
}

fn key_of(number: u32, key: &str) -> SettingKey<'_> {
    (number, key)
}

/// The revision, then the value.
fn bytes_of(setting: &Setting) -> Vec<u8> {
    [&setting.rev.to_le_bytes()[..], &setting.value].concat()
}

fn setting_of(key: &str, bytes: &[u8]) -> Option<Setting> {
    let (rev, value) = bytes.split_first_chunk::<8>()?;
    Some(Setting { key: key.to_owned(), rev: u64::from_le_bytes(*rev), value: value.to_vec() })
}
