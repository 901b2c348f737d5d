//! What the end-to-end tests share: homes, each a real `xom` process with a data folder of its own, runs with an
//! environment of their own, and archives.

pub mod archive;
pub mod dialog;
pub mod gateway;
pub mod home;
pub mod internet;
pub mod namespace;
pub mod picture;
pub mod process;
pub mod random;
pub mod run;
pub mod simulation;
pub mod terminal;
pub mod wait;

pub use dialog::Dialog;
pub use home::Home;
pub use wait::wait_until;
