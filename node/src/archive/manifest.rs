//! The JSON members of an archive. Each is written in one form only: the members in the order of their
//! declaration here, which is alphabetical, without white space.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use xom_protocol::limits::SETTINGS_MAX;
use xom_protocol::sync::Setting;
use xom_protocol::{DeviceId, Digest, LogId, Network};
use xom_protocol::{Did, ids::IdError};

/// `archive.json`: what the file is (`ARC-3`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct About {
    did: String,
    network: String,
    version: u64,
}

impl About {
    pub(super) fn new(network: Network, did: Did) -> Self {
        Self { did: did.to_string(), network: network.to_string(), version: super::VERSION }
    }

    /// The version.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// Whose archive it is.
    pub(super) fn did(&self) -> Result<Did, IdError> {
        self.did.parse()
    }

    /// The network.
    pub(super) fn network(&self) -> Option<Network> {
        self.network.parse().ok()
    }
}

/// `settings.json`: what its owner set and no log says (`ARC-7`). Never a secret, never a token.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// Private settings, by their keys.
    #[serde(default)]
    settings: Vec<SettingLine>,
    /// What its owner calls the identity on the node.
    pub(crate) username: String,
}

/// A private setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct SettingLine {
    key: String,
    rev: u64,
    /// Hexadecimal.
    value: String,
}

impl Settings {
    pub(crate) fn new(username: String, settings: Vec<Setting>) -> Self {
        let line = |Setting { key, rev, value }: Setting| SettingLine { key, rev, value: HEXLOWER.encode(&value) };
        Self { settings: settings.into_iter().map(line).collect(), username }
    }

    /// The private settings; none where one is not within its bounds, or there are too many (`PAIR-8`).
    pub(crate) fn settings(&self) -> Option<Vec<Setting>> {
        let read = |line: &SettingLine| {
            let value = HEXLOWER.decode(line.value.as_bytes()).ok()?;
            Some(Setting { key: line.key.clone(), rev: line.rev, value }).filter(Setting::fits)
        };
        let settings = self.settings.iter().map(read).collect::<Option<Vec<_>>>()?;
        (settings.len() <= SETTINGS_MAX).then_some(settings)
    }
}

/// `manifest.json`: how much came before it (`ARC-9`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub(super) blob_bytes: u64,
    pub(super) blobs: u64,
    pub(super) bodies: u64,
    pub(super) digest: String,
    pub(super) entries: u64,
    pub(super) faults: u64,
    pub(super) forks: u64,
    pub(super) logs: Vec<LogLine>,
    pub(super) missing: u64,
    pub(super) objects: u64,
    pub(super) receipts: u64,
}

/// A log in the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogLine {
    pub(super) device: String,
    pub(super) head: String,
    pub(super) height: u64,
    pub(super) log: String,
}

impl LogLine {
    pub(super) fn new(log: LogId, device: DeviceId, height: u64, head: Digest) -> Self {
        Self { device: device.to_string(), head: head.to_string(), height, log: log.to_string() }
    }
}

/// The one form of a JSON member.
pub(super) fn json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("members are text and numbers")
}
