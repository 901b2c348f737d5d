//! What can go wrong at the borders of the node.

use std::path::PathBuf;

use xom_protocol::body::OpaqueReason;
use xom_protocol::identity::IdentityError;
use xom_protocol::{DeviceId, Did};

use crate::keys::AccessError;
use crate::recovery::RecoveryError;

/// The node can't start. Nothing has been changed.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another process holds the folder's lock.
    #[error("data folder {0} is in use by another xom; stop it first, or name another folder with --data-dir")]
    Locked(PathBuf),
    /// Written by a newer version.
    #[error("data folder {path} has format {found}, this xom knows up to {known}; install the newer xom")]
    Newer {
        /// The folder.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The newest that is known.
        known: u64,
    },
    /// Written by a version whose identities can't be recovered by their words.
    #[error(
        "data folder {path} has format {found}, this xom opens {known} and newer; keep it for the older xom, or name \
         another folder with --data-dir"
    )]
    Older {
        /// The folder.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The oldest that is opened.
        known: u64,
    },
    /// Can't be read or made.
    #[error("data folder {path}: {cause}")]
    Unreadable {
        /// The folder or the file in it.
        path: PathBuf,
        /// What the system or the store says.
        cause: String,
    },
    /// An address can't be listened on.
    #[error("can't listen on {address}: {cause}")]
    Listen {
        /// The address.
        address: String,
        /// What the system says.
        cause: String,
    },
    /// The swarm key can't be read (`PNET-1`).
    #[error("swarm key {path}: {cause}")]
    SwarmKey {
        /// The file.
        path: PathBuf,
        /// What the system says, or what a key looks like.
        cause: String,
    },
    /// An address over which a closed network can't run (`PNET-2`).
    #[error(
        "{address}: with a swarm key nodes reach each other over TCP alone; name a /tcp/ address, or none for the default"
    )]
    NotTcp {
        /// The address.
        address: String,
    },
    /// The entropy source failed.
    #[error("no entropy from the system: {0}")]
    Entropy(String),
}

/// An identity can't live here; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    /// Not a user name.
    #[error("a user name is 1 to 30 of a-z, 0-9 and _")]
    Username,
    /// An identity with this user name lives here.
    #[error("an identity with this user name is on this node already; choose another name")]
    UsernameTaken,
    /// As many live here as can.
    #[error("this node has as many identities as it takes")]
    TooMany,
    /// The identity lives here.
    #[error("identity {0} is on this node already")]
    IdentityTaken(Did),
    /// The objects do not admit the device.
    #[error("{0} is not a device of this identity")]
    NotADevice(DeviceId),
    /// The objects are not what they should be.
    #[error("identity: {0}")]
    Identity(#[from] IdentityError),
    /// The keys can't be written.
    #[error(transparent)]
    Folder(#[from] StartError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The store can't answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database or a file failed; the cause is for the log, not for clients.
    #[error("storage: {0}")]
    Storage(String),
    /// What is stored can't be what was written.
    #[error("storage is damaged: {0}")]
    Damaged(String),
    /// The node is stopping.
    #[error("the node is stopping")]
    Stopping,
}

/// A command that could not be carried out; nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// No such identity on this node.
    #[error("no identity {0} on this node")]
    NotLocal(Did),
    /// The status is not held here, or is erased.
    #[error("status not found")]
    StatusNotFound,
    /// The account is not known here.
    #[error("account not found")]
    AccountNotFound,
    /// Only one's own statuses can be edited or erased.
    #[error("the status is of another account")]
    NotYours,
    /// One can't follow or block oneself, vote twice in the same way, and so on.
    #[error("{0}")]
    Refused(&'static str),
    /// A member of the body is outside its bounds.
    #[error(transparent)]
    Body(#[from] OpaqueReason),
    /// The key that has to sign could not be opened.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// A step of a recovery can't be done.
    #[error(transparent)]
    Recovery(#[from] RecoveryError),
    /// An identity that exists elsewhere can't live here.
    #[error("{0}")]
    Adopt(String),
    /// An invite can't be read.
    #[error("invite: {0}")]
    Invite(String),
    /// The own clock can't be right: the newest own entry is later, or peers' clocks differ.
    #[error("this machine's clock is off: {0}")]
    Clock(String),
    /// Another copy of this data folder has signed with the same device key, or this one is an old copy
    /// (`LOG-17`): signing on would give one place two entries.
    #[error(
        "this folder is behind its own log: another copy of it has signed more with the same device key, so nothing is \
         signed with that key here any more; give this folder a new device key, by pairing it with another of your \
         devices or with the 24 words"
    )]
    Behind,
    /// Something of the own logs is damaged on this disk, and what is signed next would depend on it (R-STO-5).
    #[error(
        "the disk has damaged this identity's own log: {0}; nothing is signed until it is whole again: xom asks the \
         devices and followers that it is connected to for what they hold of it, and a backup or a new device key help \
         where nobody has it; xom verify names all damage"
    )]
    Damaged(String),
    /// The device of this node was removed from its identity.
    #[error("this device was removed from its identity and signs nothing any more; pair it anew from another device")]
    DeviceEnded,
    /// The identity was retired.
    #[error("this identity was retired: nobody can say anything under it any more; begin another one with `xom init`")]
    Retired,
    /// The policy for keepers can't be read or written.
    #[error("{0}")]
    Policy(String),
    /// A queue is full; try again.
    #[error("the node is busy, try again")]
    Busy,
    /// The blob is too large or can't be stored.
    #[error("blob: {0}")]
    Blob(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A topic that can't be joined.
#[derive(Debug, thiserror::Error)]
pub enum TopicError {
    /// As many are joined as may be (`GSP-1`).
    #[error("64 topics are joined; leave one of them first")]
    TooMany,
    /// More authors than a roster can have (`GSP-4`).
    #[error("a roster has at most 4096 authors, this one has {authors}")]
    RosterTooLong {
        /// How many.
        authors: usize,
    },
    /// The node is stopping.
    #[error(transparent)]
    Store(#[from] StoreError),
}

macro_rules! storage_errors {
    ($($error:ty),*) => {$(
        impl From<$error> for StoreError {
            fn from(error: $error) -> Self {
                Self::Storage(error.to_string())
            }
        }
    )*};
}

storage_errors!(
    redb::Error,
    redb::StorageError,
    redb::TableError,
    redb::TransactionError,
    redb::CommitError,
    redb::CompactionError,
    redb::DatabaseError,
    std::io::Error
);
