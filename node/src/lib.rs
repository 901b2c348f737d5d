//! A xom node: the only crate that knows sockets, files and clocks.
//!
//! It must never know HTTP, Mastodon's JSON or HTML: clients get the values of [`model`] through a
//! [`Handle`].

pub mod admission;
pub mod archive;
pub mod backup;
pub mod blob;
pub mod command;
pub mod config;
pub mod error;
pub mod handle;
pub mod keep;
pub mod keys;
pub mod model;
mod net;
mod node;
pub mod offline;
mod picture;
pub mod private;
pub mod reader;
pub mod records;
pub mod recovery;
pub mod search;
pub mod space;
pub(crate) mod store;
mod views;

pub use archive::verify_archive;
pub use config::{MEDIA_ROOM_BYTES, Multiaddr, NodeConfig, RECOVERY_DELAY};
pub use error::{AdoptError, CommandError, StartError, StoreError, TopicError};
pub use handle::Handle;
pub use keys::ControlAccess;
pub use net::line::RATE_MIN;
pub use net::pair::{JoinError, Joined};
pub use net::ports::{answers, can_listen};
pub use net::swarm_key::{SwarmKey, SwarmKeyError};
pub use node::Node;
pub use offline::Offline;
pub use picture::preview_size;
pub use reader::{DirectoryOrder, FoundTag, IdentityHistory, Reader, TrendingDay, TrendingLink, TrendingTag, Trends};
pub use recovery::{Recovering, RecoveryError};
pub use store::records::{Record, Records};
pub use store::settle::IDENTITIES_MAX;
pub use views::folded_tag;
