//! Access for apps: who is registered, what the owner has allowed, and the tokens that came of it.
//!
//! Apps are strangers. Anybody may register one under any name; only a click of the owner on the page of consent makes
//! it more than a name. Of secrets only hashes are kept, and nothing here is in a backup.

pub mod client;
pub mod code;
pub mod grant;
pub mod limits;
pub mod pkce;
pub mod redirect;
pub mod registry;
mod rows;
pub mod scope;
mod secret;
pub mod window;

pub use client::{Client, Registration};
pub use code::{Codes, Consent, Redeemed};
pub use grant::Grant;
pub use redirect::{OUT_OF_BAND, RedirectError, RedirectUri};
pub use registry::{Registry, RegistryError};
pub use scope::Scopes;
