//! Identities that come back: by their words and by guardians, on nodes that had nothing of them.

mod guardians;
pub(crate) mod machine;
mod words;
