//! What `spec/01-identity.md` promises. alice and bob are honest, mallory is not.

mod arrival;
mod devices;
mod forms;
mod limits;
mod log;
mod people;
mod vectors;
