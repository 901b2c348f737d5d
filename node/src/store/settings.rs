//! Private settings of local identities: shared among siblings, told to nobody else (`PAIR-8`).

use std::collections::BTreeMap;

use redb::ReadableTable;
use xom_protocol::limits::{DEVICE_NAME_BYTES_MAX, SETTINGS_MAX};
use xom_protocol::sync::Setting;
use xom_protocol::{DeviceId, Did};

use super::batch::Batch;
use super::snapshot::Snapshot;
use super::tables::{self, SettingKey};
use super::{Notice, Store};
use crate::error::{CommandError, StoreError};
use crate::model::Event;
use crate::private;

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

fn next_rev(before: Option<&Setting>, operation: u64) -> Option<u64> {
    Setting::next_rev(before.map_or(0, |before| before.rev), operation)
}

/// Only a device that counts up on purpose gets there.
fn used_up() -> CommandError {
    CommandError::Refused(
        "a device of the identity has used up the changes of this setting; remove that device, then set it",
    )
}

impl Store {
    /// Takes settings that a sibling told; what is older than what is here changes nothing. Answers those that take
    /// a newer operation of the identity log than is held (`PAIR-9`).
    pub(crate) async fn take_settings(&self, did: Did, items: Vec<Setting>) -> Result<Vec<Setting>, StoreError> {
        self.write(move |batch| {
            let operation = batch.operation(&did)?;
            let (held, early): (Vec<_>, Vec<_>) = items.iter().cloned().partition(|item| item.is_of(operation));
            batch.merge_settings(&did, &held)?;
            Ok(early)
        })
        .await
    }

    /// Puts private settings of a local identity, all or none; an empty value deletes.
    ///
    /// Refused are keys and values out of their bounds, and more keys than an identity may have.
    pub(crate) async fn put_settings(&self, did: Did, changes: BTreeMap<String, Vec<u8>>) -> Result<(), CommandError> {
        let put = self.write(move |batch| batch.put_settings(&did, &changes));
        put.await?
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
                return Ok(Ok(()));
            }
            let operation = batch.operation(&did)?;
            let Some(rev) = next_rev(before.as_ref(), operation) else { return Ok(Err(used_up())) };
            batch.merge_settings(&did, &[Setting { key: key.clone(), rev, value: name.clone() }]).map(Ok)
        });
        put.await?
    }
}

impl Batch<'_> {
    fn put_settings(
        &mut self,
        did: &Did,
        changes: &BTreeMap<String, Vec<u8>>,
    ) -> Result<Result<(), CommandError>, StoreError> {
        let number = self.identity_number(did)?;
        let operation = self.operation(did)?;
        let (mut items, mut new) = (Vec::new(), 0);
        for (key, value) in changes {
            let before = self.setting(number, key)?;
            if before.as_ref().map_or(value.is_empty(), |before| before.value == *value) {
                continue;
            }
            new += usize::from(before.is_none());
            let Some(rev) = next_rev(before.as_ref(), operation) else { return Ok(Err(used_up())) };
            items.push(Setting { key: key.clone(), rev, value: value.clone() });
        }
        if !items.iter().all(Setting::fits) {
            return Ok(Err(CommandError::Refused("a private setting is longer than it may be")));
        }
        if new > 0 && self.settings_with_room(number, new)? + new > SETTINGS_MAX {
            return Ok(Err(CommandError::Refused("the identity has as many private settings as it may have")));
        }
        self.merge_settings(did, &items).map(Ok)
    }

    /// The number of the newest operation of the identity log.
    fn operation(&mut self, did: &Did) -> Result<u64, StoreError> {
        Ok(self.identity(did)?.map_or(0, |record| record.state().seq))
    }

    /// How many settings there are, after as many of the deleted ones are forgotten, those with the least revision
    /// first, as `more` take (`PAIR-8`).
    fn settings_with_room(&mut self, number: u32, more: usize) -> Result<usize, StoreError> {
        let (mut count, mut deleted) = (0, Vec::new());
        for row in self.settings.range((number, "")..(number + 1, ""))? {
            let (key, bytes) = row?;
            count += 1;
            let setting = setting_of(key.value().1, bytes.value()).filter(|setting| setting.value.is_empty());
            deleted.extend(setting.map(|setting| (setting.rev, setting.key)));
        }
        deleted.sort_unstable();
        let missing = (count + more).saturating_sub(SETTINGS_MAX);
        // Some more than now, so that not every change looks through all of them.
        let going = if missing == 0 { 0 } else { missing.max(SETTINGS_MAX / 16).min(deleted.len()) };
        for (_, key) in &deleted[..going] {
            self.settings.remove(key_of(number, key))?;
        }
        Ok(count - going)
    }

    /// Keeps of each key the value that stands.
    fn merge_settings(&mut self, did: &Did, items: &[Setting]) -> Result<(), StoreError> {
        let number = self.identity_number(did)?;
        let mut changed = Vec::new();
        let mut count = None;
        for item in items.iter().filter(|item| item.fits()) {
            let before = self.setting(number, &item.key)?;
            if before.as_ref().is_some_and(|before| !item.outranks(before)) {
                continue;
            }
            if before.is_none() {
                let known = match count {
                    Some(known) if known < SETTINGS_MAX || item.value.is_empty() => known,
                    _ => self.settings_with_room(number, usize::from(!item.value.is_empty()))?,
                };
                if known >= SETTINGS_MAX {
                    tracing::warn!("an identity has as many private settings as it may have; the rest is left out");
                    count = Some(known);
                    continue;
                }
                count = Some(known + 1);
            }
            self.settings.insert(key_of(number, &item.key), bytes_of(item).as_slice())?;
            changed.push(item.clone());
        }
        if !changed.is_empty() {
            if changed.iter().any(|item| private::is_of_filters(&item.key)) {
                self.after.events.push(Event::FiltersChanged(*did));
            }
            self.after.notices.push(Notice::Settings(*did, changed.into()));
        }
        Ok(())
    }

    pub(super) fn setting(&self, number: u32, key: &str) -> Result<Option<Setting>, StoreError> {
        Ok(self.settings.get(key_of(number, key))?.and_then(|bytes| setting_of(key, bytes.value())))
    }
}

impl Snapshot {
    /// All private settings of an identity, deleted ones among them.
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

/// The value of a setting in an open table; none where it was never put, or deleted.
pub(crate) fn live_setting(
    table: &impl ReadableTable<SettingKey<'static>, &'static [u8]>,
    number: u32,
    key: &str,
) -> Result<Option<Vec<u8>>, StoreError> {
    let setting = table.get(key_of(number, key))?.and_then(|bytes| setting_of(key, bytes.value()));
    Ok(setting.map(|setting| setting.value).filter(|value| !value.is_empty()))
}

/// The settings in an open table whose keys begin with `prefix`, without those that were deleted.
pub(crate) fn live_settings(
    table: &impl ReadableTable<SettingKey<'static>, &'static [u8]>,
    number: u32,
    prefix: &str,
) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
    let mut settings = Vec::new();
    for row in table.range((number, prefix)..(number + 1, ""))? {
        let (key, bytes) = row?;
        let (_, key) = key.value();
        if !key.starts_with(prefix) {
            break;
        }
        let setting = setting_of(key, bytes.value()).filter(|setting| !setting.value.is_empty());
        settings.extend(setting.map(|setting| (setting.key, setting.value)));
    }
    Ok(settings)
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
