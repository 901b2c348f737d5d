//! What `spec/01-identity.md` promises. alice and bob are honest, mallory is not.

mod arrival;
mod case;
mod devices;
mod forms;
mod limits;
mod locks;
mod log;
pub(crate) mod people;
mod recovery;
mod rotation;
mod thieves;
mod threats;
mod vectors;
