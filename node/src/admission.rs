//! Whose replies reach those who follow only the author of a thread (`ADM-2`): his door, and the task that answers it.

use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::error::StoreError;
use crate::store::{Notice, Store};

/// The private setting that says how far the door stands open.
pub const DOOR_KEY: &str = "replies/door";
/// How often is looked for what could not be admitted when it came: the keys may be open by now.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// How far an author's door stands open (`ADM-2`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Door {
    /// Everybody's replies are admitted, within the shares of strangers.
    #[default]
    Open,
    /// Those of whom the author follows, and of whom somebody follows that he follows.
    Introduced,
    /// Those of whom the author follows.
    Followed,
    /// Nobody's.
    Closed,
}

impl Door {
    /// All of them, the widest first.
    pub const ALL: [Self; 4] = [Self::Open, Self::Introduced, Self::Followed, Self::Closed];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Introduced => "introduced",
            Self::Followed => "followed",
            Self::Closed => "closed",
        }
    }

    /// Reads the word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|door| door.name() == name)
    }

    /// Reads the setting: what this version does not know keeps everybody out but those who are followed.
    pub fn of(setting: Option<&[u8]>) -> Self {
        let Some(setting) = setting.filter(|setting| !setting.is_empty()) else { return Self::default() };
        std::str::from_utf8(setting).ok().and_then(Self::from_name).unwrap_or(Self::Followed)
    }
}

/// Admits what waits at the doors of those who live here, until the node stops.
pub(crate) async fn answer_doors(store: Store, stop: CancellationToken) {
    let mut notices = store.notices();
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = look.tick() => {}
            notice = notices.recv() => match notice {
                Ok(Notice::AtDoor | Notice::Locals) | Err(RecvError::Lagged(_)) => {}
                Ok(_) => continue,
                Err(RecvError::Closed) => return,
            },
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = admit_all(&store) => {}
        }
    }
}

async fn admit_all(store: &Store) {
    loop {
        match store.admit_due().await {
            Ok(true) => {}
            Ok(false) | Err(StoreError::Stopping) => return,
            Err(cause) => {
                tracing::error!(%cause, "replies could not be admitted and wait");
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adm_2_a_door_that_is_not_known_lets_only_those_in_who_are_followed() {
        assert_eq!(Door::of(None), Door::Open);
        assert_eq!(Door::of(Some(b"")), Door::Open);
        assert_eq!(Door::of(Some(b"ajar")), Door::Followed);
        for door in Door::ALL {
            assert_eq!(Door::of(Some(door.name().as_bytes())), door);
        }
    }
}
