//! Numbers, days and the history of an identity in words.

use time::OffsetDateTime;
use xom_node::IdentityHistory;
use xom_protocol::DeviceId;
use xom_protocol::identity::{DeviceStatus, Operation, Payload, Statement};

/// `1 copy`, `2 copies`.
pub fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A day in UTC: `12 March 2026`.
pub fn day(ms: u64) -> String {
    let secs = i64::try_from(ms / 1_000).unwrap_or(i64::MAX);
    match OffsetDateTime::from_unix_timestamp(secs) {
        Ok(time) => format!("{} {} {}", time.day(), time.month(), time.year()),
        Err(_) => "an unknown day".to_owned(),
    }
}

/// How a device is called where it has no name: by the head of its key.
pub fn device(device: &DeviceId) -> String {
    device.to_string().chars().take(8).collect()
}

/// When a line of a history is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Since this node first saw it, milliseconds since 1970.
    Seen(u64),
    /// Since some day before the node took down when it sees things.
    Earlier,
    /// Of how the identity stands.
    Now,
}

/// One line of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When.
    pub when: When,
    /// What happened.
    pub text: String,
}

impl Line {
    /// The line with its day in front: `12 March 2026: locked by device z6Mk1234`.
    pub fn dated(&self) -> String {
        match self.when {
            When::Seen(ms) => format!("{}: {}", day(ms), self.text),
            When::Earlier => format!("earlier: {}", self.text),
            When::Now => format!("now: {}", self.text),
        }
    }
}

/// The history of an identity, oldest first: what counts of it, and last how it stands where that is out of
/// the ordinary.
pub fn history(history: &IdentityHistory) -> Vec<Line> {
    let items = history.items.iter();
    let mut lines: Vec<Line> = items
        .filter_map(|(item, ms)| Some(Line { when: ms.map_or(When::Earlier, When::Seen), text: said(&item.payload)? }))
        .collect();
    let state = history.record.state();
    let now = |text: String| Line { when: When::Now, text };
    if state.duplicity.is_some() {
        lines
            .push(now("two operations exclude each other: the log stands still until a higher key decides".to_owned()));
    }
    if !state.locks.is_empty() {
        lines.push(now("locked: devices and addresses can't change until the control key lifts it".to_owned()));
    }
    let live = state.devices.values().filter(|device| device.status == DeviceStatus::Live).count() as u64;
    lines.push(now(format!("{} may speak for it", count(live, "device", "devices"))));
    lines
}

/// What an object says; none of those that are no news.
fn said(payload: &Payload) -> Option<String> {
    Some(match payload {
        Payload::Genesis(genesis) => format!("made, with device {}", device(&genesis.device)),
        Payload::Operation(_, operation) => match operation {
            Operation::Rotate { .. } => "new control keys".to_owned(),
            Operation::DeviceRemove(end) => format!("device {} removed by the control key", device(&end.device)),
            Operation::Settle { .. } => "a fork settled".to_owned(),
            Operation::Unlock { .. } => "unlocked".to_owned(),
            Operation::Retire { .. } => "retired: nobody speaks for it any more".to_owned(),
            Operation::RecoverStart { .. } => "a recovery begun by guardians".to_owned(),
            Operation::RecoverFinish => "recovered by guardians: new control keys".to_owned(),
            Operation::Cancel { .. } => "a recovery by guardians stopped by the control key".to_owned(),
        },
        Payload::Statement(origin, statement) => match statement {
            Statement::Grant { device: granted } => {
                format!("device {} added by device {}", device(granted), device(&origin.by))
            }
            Statement::Drop(end) => format!("device {} dropped by device {}", device(&end.device), device(&origin.by)),
            Statement::Lock { .. } => format!("locked by device {}", device(&origin.by)),
            Statement::Postpone { .. } => {
                format!("a recovery by guardians postponed by device {}", device(&origin.by))
            }
            Statement::Services { .. } => return None,
        },
    })
}
