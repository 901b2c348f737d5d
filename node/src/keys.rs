//! Keys of the identities that live here: what opens them, and how they lie in the data folder.
//!
//! Nothing here shows a secret in `Debug`, in an error or in a log line, and no client of the node
//! gets one in its hands: what is signed with a key is always made by the node itself (R-SIG-16).

pub(crate) mod access;

pub use access::{AccessError, ControlAccess, ControlKey};
