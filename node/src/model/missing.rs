//! What should be there of an identity, and is not.

use xom_protocol::{DeviceId, LogId};

/// What is named of an identity somewhere, and not held: nobody who was reached could give it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Missing {
    /// The ends of logs.
    pub logs: Vec<MissingLog>,
    /// How many pictures and other blobs.
    pub blobs: u64,
}

/// The end of a log that is named and not held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissingLog {
    /// The device that wrote it; none where no object of the identity tells.
    pub device: Option<DeviceId>,
    /// The log.
    pub log: LogId,
    /// How many entries are held.
    pub held: u64,
    /// How many there are at least.
    pub named: u64,
}

impl Missing {
    /// True where nothing is missing.
    pub fn is_empty(&self) -> bool {
        self.logs.is_empty() && self.blobs == 0
    }

    /// What is missing, a sentence for each; `name` is the identity's.
    pub fn sentences(&self, name: &str) -> Vec<String> {
        let mut sentences: Vec<String> = self.logs.iter().map(|log| log.sentence(name)).collect();
        match self.blobs {
            0 => {}
            1 => sentences.push(format!("one picture of {name} is with nobody who was reached")),
            count => sentences.push(format!("{count} pictures of {name} are with nobody who was reached")),
        }
        sentences
    }
}

impl MissingLog {
    fn sentence(&self, name: &str) -> String {
        let Self { held, named, log, .. } = self;
        let device = self.device.map_or_else(|| format!("log {log}"), |device| format!("device {device}"));
        format!("{} of {named} entries that {device} of {name} wrote are with nobody who was reached", named - held)
    }
}
