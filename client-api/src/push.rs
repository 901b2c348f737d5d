//! Web Push: what happened to an identity is sent to apps that are closed, by way of the push service of their maker.
//!
//! The push service learns when something happened and how long the text is, and nothing else: the text is encrypted for
//! the app (RFC 8291), and the node proves by a key of its own that it is the one that the app knows (VAPID, RFC 8292).

mod encrypt;
mod key;
mod message;
mod pusher;
mod subscription;

pub use encrypt::{EncryptError, Receiver, encrypt};
pub use key::{VapidError, VapidKey};
pub use pusher::Pusher;
pub use subscription::{Alerts, Policy, Subscription};
