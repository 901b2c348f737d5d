//! Texts of the page of keys.

pub(in crate::web) const TITLE: &str = "Your keys";
pub(in crate::web) const LINK: &str = "Keys";
pub(in crate::web) const CONTROL: &str = "The key that may change your identity";
pub(in crate::web) const DEVICE: &str = "The key that signs your posts";
pub(in crate::web) const SEALED: &str = "sealed with your passphrase";
pub(in crate::web) const UNSEALED: &str = "on this machine, readable for whoever can read its files";
pub(in crate::web) const ABSENT: &str = "not on this machine";
pub(in crate::web) const CHANGE: &str = "Change the passphrase";
pub(in crate::web) const SET: &str = "Set a passphrase";
pub(in crate::web) const WHAT: &str =
    "The passphrase seals your keys on this machine. The 24 words stay as they are, and open everything without it.";
pub(in crate::web) const OLD: &str = "The passphrase until now";
pub(in crate::web) const WORDS: &str = "Or your 24 words, if you have forgotten it or this machine keeps no such key";
pub(in crate::web) const NEW: &str = "The new passphrase, at least 8 characters";
pub(in crate::web) const CHANGED: &str = "The passphrase is changed. The old one opens nothing any more.";
