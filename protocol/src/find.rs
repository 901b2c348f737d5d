//! Where an identity is looked for in the table of who is where.

use crate::ids::{Did, Digest};
use crate::keys::Domain;
use crate::network::Network;

/// The key of an identity (`FIND-2`). It is a hash, so that whoever is asked for it learns no identity that it
/// does not know.
pub fn key(network: Network, did: &Did) -> Digest {
    Digest::of(&[&Domain::Find.prefix(network), &did.0])
}
